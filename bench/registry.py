"""Every benchmark by name; a new one is a module and a line here."""

from collections.abc import Mapping

from bench import (
    accuracy,
    budgets,
    gate_start,
    generate,
    page_delay,
    rule_cost,
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
        gate_start.BENCH,
        budgets.BENCH,
        validate_scaling.BENCH,
    )
}
