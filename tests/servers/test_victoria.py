"""VictoriaMetrics answers queries, and vmagent knows a scrape configuration from another text."""

import json
import time
from pathlib import Path
from typing import Any

from tests.servers.victoria import VictoriaMetrics, vmagent_check


def test_what_was_loaded_is_answered(victoria_metrics_bin: Path) -> None:
    """The Prometheus API gives a value, and a rate over its own samples."""
    # Its answers leave out the newest 30 seconds, which may still be arriving.
    now = int(time.time()) - 100
    samples = [
        f'requests_total{{app="air"}} {count} {(now - 300 + 30 * count) * 1000}\n'
        for count in range(11)
    ]
    with VictoriaMetrics(victoria_metrics_bin) as server:
        server.load("".join(samples))

        assert 10 == server.number('requests_total{app="air"}', now)
        assert 10 == server.number('increase(requests_total{app="air"}[301s])', now)


def test_vmagent_refuses_a_key_that_no_scrape_configuration_has(
    victoria_metrics_bin: Path, tmp_path: Path
) -> None:
    """Its acceptance means something: unknown keys are named."""
    job: dict[str, Any] = {
        "job_name": "air",
        "static_configs": [{"targets": ["127.0.0.1:9"], "labels": {"app": "air"}}],
    }
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(json.dumps({"scrape_configs": [job]}))
    bad.write_text(json.dumps({"scrape_configs": [{**job, "relabel_confs": []}]}))

    accepted = vmagent_check(victoria_metrics_bin, good)
    refused = vmagent_check(victoria_metrics_bin, bad)

    assert accepted.ok, accepted.output
    assert not refused.ok
    assert "relabel_confs" in refused.output
