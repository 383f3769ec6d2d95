"""The blackbox exporter: its modules, and the jobs that probe for an application's objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.tagging.header import header
from collectors.tagging.model import Plan
from collectors.tagging.probing import EXPORTER, MODULES, Probed, probes
from collectors.tagging.relabeling import static
from collectors.tagging.texts import yaml_text

_NAME = "blackbox"


def files(plan: Plan) -> Mapping[str, str]:
    """The exporter's modules and the scrape jobs, where any objective is of kind ``probe``."""
    found, left_out = probes(plan)
    if not found:
        return {}
    used = dict.fromkeys(probe.module for probe in found)
    notes = [f"Not probed here: {each}." for each in left_out]
    notes += [f"Add the module {name} of your own." for name in used if name not in MODULES]
    modules = {name: MODULES[name] for name in used if name in MODULES}
    jobs: dict[tuple[str, str], list[Probed]] = {}
    for probe in found:
        jobs.setdefault((probe.module, probe.interval), []).append(probe)
    return {
        "blackbox.yml": yaml_text({"modules": modules}, header(plan, _NAME, *notes)),
        "scrape.yaml": yaml_text(
            {"scrape_configs": [_job(plan, *key, each) for key, each in jobs.items()]},
            header(plan, _NAME, f"The exporter answers at {EXPORTER}.", *notes),
        ),
    }


def _job(plan: Plan, module: str, interval: str, found: Sequence[Probed]) -> Mapping[str, object]:
    return {
        "job_name": f"{plan.env}-{_NAME}-{module}-{interval}",
        "honor_labels": False,
        "metrics_path": "/probe",
        "params": {"module": [module]},
        "scrape_interval": interval,
        "static_configs": [
            {"targets": [probe.target], "labels": dict(probe.labels)} for probe in found
        ],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            static("__address__", EXPORTER),
        ],
    }
