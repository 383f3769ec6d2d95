"""Every benchmark by name; a new one is a module and a line here."""

from collections.abc import Mapping

from bench import (
    accuracy,
    app_page,
    attributed,
    budgets,
    collectors,
    elastic_search,
    first_picture,
    forecast_coverage,
    gate_start,
    generate,
    ingest,
    log_search,
    page_delay,
    rule_cost,
    serve_memory,
    validate_scaling,
)
from bench.model import Bench

BENCHES: Mapping[str, Bench] = {
    bench.name: bench
    for bench in (
        rule_cost.BENCH,
        accuracy.BENCH,
        page_delay.BENCH,
        generate.BENCH,
        collectors.BENCH,
        attributed.BENCH,
        gate_start.BENCH,
        budgets.BENCH,
        validate_scaling.BENCH,
        app_page.BENCH,
        log_search.BENCH,
        elastic_search.BENCH,
        ingest.BENCH,
        first_picture.BENCH,
        forecast_coverage.BENCH,
        serve_memory.BENCH,
    )
}
