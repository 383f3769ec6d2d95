"""What services promise whoever waits for them."""

import time
from datetime import UTC, datetime
from pathlib import Path

from app import services
from app.project import open_project
from slo.ports import NoData, NoDataReason
from slo.units import Duration
from tests.servers.loopback import Loopback, Reply

APP = """\
apiVersion: headroom/v1
kind: App
metadata: {name: slow, team: t}
spec:
  slos:
    - {name: strict, objective: 99.9, indicator: {events: {total: a_total, bad: b_total}}}
    - {name: mild, objective: 90, indicator: {events: {total: a_total, bad: b_total}}}
    - {name: milder, objective: 80, indicator: {events: {total: a_total, bad: b_total}}}
    - {name: short, objective: 99, window: 1d, indicator: {events: {total: a_total, bad: b_total}}}
"""


def test_one_deadline_holds_for_service_levels_of_all_kinds(tmp_path: Path) -> None:
    """SLOs that need different windows do not each get the whole time: a gate has ten seconds."""
    (tmp_path / "app.yaml").write_text(APP)
    with Loopback([Reply(delay=30)]) as server:
        project = open_project([str(tmp_path)], environment={}, prometheus=server.url)
        began = time.monotonic()
        found = services.evaluations(
            project,
            project.levels(None, None),
            datetime(2026, 11, 21, tzinfo=UTC),
            deadline=Duration.parse("2s"),
        )
        took = time.monotonic() - began

    reasons = {one.no_data.reason for one in found if isinstance(one.no_data, NoData)}
    assert {NoDataReason.SOURCE_FAILED} == reasons
    assert 4 == len(found)
    assert 3.5 > took
