"""One and the same SLO in the words of each tool: 99.9 % of a job's requests over 30 days."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from slo.model import ServiceLevel
from tests.builders import events, level, slo

SLO = "availability"
OBJECTIVE = "99.9"
WINDOW = "30d"
PERIOD_SECONDS = 30 * 86_400
SLO_GENERATOR_WINDOWS = (3600, 12 * 3600, 7 * 86_400, 28 * 86_400)
"""The steps of its default policy. We read the period and seven windows more."""


def total(job: str) -> str:
    """The selector of every request."""
    return f'http_requests_total{{job="{job}"}}'


def bad(job: str) -> str:
    """The selector of failed requests."""
    return f'http_requests_total{{job="{job}",code=~"5.."}}'


def good(job: str) -> str:
    """The selector of the other requests, for tools that count those."""
    return f'http_requests_total{{job="{job}",code!~"5.."}}'


def service(job: str, *, scrape: str = "15s", env: str = "default") -> ServiceLevel:
    """The SLO as our model has it."""
    counted = events(total(job), bad=bad(job))
    measured = slo(counted, name=SLO, target=OBJECTIVE, window=WINDOW, scrape=scrape)
    return level(measured, app=job, env=env)


def names(count: int) -> list[str]:
    """Names of applications, which are their jobs too."""
    return [f"app-{number:04d}" for number in range(1, count + 1)]


def app_file(job: str) -> str:
    """An application's file."""
    return f"""\
apiVersion: headroom/v1
kind: App
metadata: {{name: {job}, team: bookings}}
spec:
  slos:
    - name: {SLO}
      objective: {OBJECTIVE}
      window: {WINDOW}
      indicator:
        scrapeInterval: 15s
        proven: true
        events:
          total: '{total(job)}'
          bad: '{bad(job)}'
"""


def sloth_file(job: str) -> str:
    """Sloth's specification, with the two alerts that it knows."""
    return f"""\
version: prometheus/v1
service: {job}
labels: {{team: bookings}}
slos:
  - name: {SLO}
    objective: {OBJECTIVE}
    description: Requests that do not fail.
    sli:
      events:
        error_query: sum(rate({_windowed(bad(job))}))
        total_query: sum(rate({_windowed(total(job))}))
    alerting:
      name: {job}-{SLO}
      page_alert: {{labels: {{severity: page}}}}
      ticket_alert: {{labels: {{severity: ticket}}}}
"""


def slo_generator_file(job: str) -> str:
    """slo-generator's specification."""
    return json.dumps(
        {
            "apiVersion": "sre.google.com/v2",
            "kind": "ServiceLevelObjective",
            "metadata": {
                "name": f"{job}-{SLO}",
                "labels": {"service_name": job, "feature_name": "http", "slo_name": SLO},
            },
            "spec": {
                "description": "Requests that do not fail.",
                "backend": "prometheus",
                "method": "good_bad_ratio",
                "exporters": [],
                "service_level_indicator": {
                    "filter_good": f"{good(job)}[window]",
                    "filter_bad": f"{bad(job)}[window]",
                },
                "goal": 0.999,
            },
        },
        indent=1,
    )


def slo_generator_config(url: str, windows: Sequence[int] = SLO_GENERATOR_WINDOWS) -> str:
    """slo-generator's shared configuration; its policy asks for each window in seconds."""
    steps = [
        {
            "name": f"{window} s",
            "window": window,
            "burn_rate_threshold": 1,
            "alert": False,
            "message_alert": "over budget",
            "message_ok": "within budget",
        }
        for window in windows
    ]
    return json.dumps(
        {
            "backends": {"prometheus": {"url": url}},
            "exporters": {},
            "error_budget_policies": {"default": {"steps": steps}},
        },
        indent=1,
    )


def write_all(
    folder: Path, jobs: Sequence[str], text: Callable[[str], str], *, suffix: str = "yaml"
) -> Path:
    """Write a file per application into a new folder."""
    folder.mkdir(parents=True)
    for job in jobs:
        (folder / f"{job}.{suffix}").write_text(text(job), encoding="utf-8")
    return folder


def _windowed(selector: str) -> str:
    return f"{selector}[{{{{.window}}}}]"
