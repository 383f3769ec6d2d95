"""Output folders with a manifest, as `generate` leaves them, and waits that are short."""

from collections.abc import Mapping
from pathlib import Path

from app import artefacts
from app.publishing import OutputFile, Wait, read_rules
from slo.units import Duration
from slo.workspace import PrometheusSource

NAME = "prod.ticketing.rules.yaml"
PATH = "prometheus/prod/ticketing.rules.yaml"


def rules_text(*names: str, expr: str = "vector(1)", interval: str = "1s") -> str:
    """Return a rule file with a group of one recording rule for each name."""
    groups = "".join(
        f"- name: {name}/base\n  interval: {interval}\n  rules:\n"
        f"  - record: {name}\n    expr: {expr}\n"
        for name in names
    )
    return f"groups:\n{groups}"


def generated(out: Path, files: Mapping[str, str]) -> Path:
    """Make the folder hold these files and no others, as `generate` does."""
    artefacts.apply(artefacts.plan(out, {"rules": files}))
    return out


def rules_in(out: Path, files: Mapping[str, str]) -> tuple[OutputFile, ...]:
    """Generate the files and read them back for publishing."""
    return read_rules(generated(out, files), below="prometheus", allow_empty=True)


def server_at(url: str, *, tenant: str | None = None) -> PrometheusSource:
    """Return how to reach a server on loopback."""
    timeout = Duration.of(seconds=5)
    return PrometheusSource(name="here", url=url, timeout=timeout, tenant=tenant, retries=0)


def wait(seconds: int = 20) -> Wait:
    """Return a wait of so many seconds on the real clock."""
    return Wait(timeout=Duration.of(seconds=seconds))
