"""`headroom generate --only collectors` as a process."""

from pathlib import Path

import pytest

from tests.cli.installed import contents, headroom, write

APP = """\
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings}
spec:
  environments: [{name: prod}]
  components:
    - name: api
      kind: service
      service: ticketing-api
      hosts: [tick-1]
      logs: [{path: /var/log/a.log}]
  slos:
    - {name: requests, objective: 99, indicator: {spans: {service: ticketing-api, bad: error}}}
"""


@pytest.mark.parametrize(
    "chosen",
    [
        ("--collector", "otelcol,vector"),
        ("--collector", "otelcol", "--collector", "vector"),
        ("--collector", "vector", "--only", "collectors", "--collector", "otelcol,vector"),
    ],
    ids=["a list", "repeated", "both"],
)
def test_collectors_may_be_listed_or_repeated(tmp_path: Path, chosen: tuple[str, ...]) -> None:
    """All that are named are written, each below its own folder, and nothing else."""
    write(tmp_path / "apps", ticketing=APP)
    ending = headroom("generate", "apps", "--out", "out", *chosen, cwd=tmp_path)
    assert 0 == ending.code, ending.stderr
    folders = {tuple(name.split("/")[:3]) for name in contents(tmp_path / "out") if "/" in name}
    assert {("collectors", "otelcol", "prod"), ("collectors", "vector", "prod")} == folders


def test_the_collectors_known_are_listed_without_a_workspace(tmp_path: Path) -> None:
    """One a line; a name that is none is told with the nearest."""
    listed = headroom("generate", "--only", "collectors", "--list", cwd=tmp_path)
    assert 0 == listed.code
    assert {"otelcol", "vector", "rsyslog"} <= set(listed.stdout.splitlines())
    wrong = headroom("generate", "--collector", "vectr", cwd=tmp_path)
    assert 2 == wrong.code
    assert 'did you mean "vector"' in wrong.stderr
