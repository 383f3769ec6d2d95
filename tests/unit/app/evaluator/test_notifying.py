"""Alerts on their way to people, over loopback."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Queue

import pytest

from alerts.alertmanager.destinations import Directory
from app.evaluator.alerting import Alert, Stage
from app.evaluator.notify.courier import Courier, Delivery, Patience
from app.evaluator.notify.message import fingerprint
from app.evaluator.notify.routing import receiver_of
from app.evaluator.notify.senders import DeliveryError
from app.evaluator.notifying import Notifying
from slo.model import Catalog
from slo.workspace import Receiver
from tests.servers.mailbox import mailbox
from tests.unit.alerts.installations import (
    AIRLINE,
    AIRLINE_ROUTES,
    AIRLINE_WORKSPACE,
    app,
    catalog,
    receiver,
    workspace,
)
from tests.unit.app.evaluator.letters import MINUTE, NOW, SECOND, alert, post_box, soon

QUICK = Patience(attempts=3, pause=0.02, longest=0.05, waiting=2)
APPS = catalog(app("ticketing", "bookings", page="people", ticket="people"))


@contextmanager
def _notifying(
    folder: Path, *receivers: Receiver, apps: Catalog = APPS, alertmanager: str | None = None
) -> Iterator[Notifying]:
    space = replace(workspace(*receivers), alertmanager_url=alertmanager)
    made = Notifying(apps, space, folder, QUICK)
    try:
        yield made
    finally:
        made.close()


def _hook(url: str) -> Receiver:
    return receiver("people", "webhook", url=url)


def _run(made: Notifying, alerts: Sequence[Alert], *seconds: int) -> list[int]:
    """How many notifications were ordered at each time after now."""
    return [made.run(alerts, NOW + each * SECOND) for each in seconds]


def test_a_page_is_told_once_for_all_its_pairs_after_ten_seconds(tmp_path: Path) -> None:
    """In the JSON that an Alertmanager posts, version 4."""
    with post_box() as post, _notifying(tmp_path, _hook(post.url)) as made:
        pairs = [alert(long="1h"), alert(long="6h")]
        assert [0, 0, 1] == _run(made, pairs, 0, 9, 10)
        soon(lambda: bool(post.bodies))
        assert [0, 0] == _run(made, pairs, 71, 3599)
    (body,) = post.bodies
    assert ("4", "firing", "people") == (body["version"], body["status"], body["receiver"])
    assert {"app": "ticketing", "env": "prod", "slo": "availability"} == body["groupLabels"]
    assert ["1h", "6h"] == [each["labels"]["long"] for each in body["alerts"]]
    assert "long" not in body["commonLabels"]
    first = body["alerts"][0]
    assert ("2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z") == (first["startsAt"], first["endsAt"])
    assert fingerprint(first["labels"]) == first["fingerprint"]


def test_a_page_is_repeated_after_an_hour_and_its_end_is_told(tmp_path: Path) -> None:
    """The timing of the generated routes."""
    with post_box() as post, _notifying(tmp_path, _hook(post.url)) as made:
        _run(made, [alert()], 0, 10)
        soon(lambda: len(post.bodies) == 1)
        assert [0, 1] == _run(made, [alert()], 3600, 3670)
        soon(lambda: len(post.bodies) == 2)
        ended = alert(stage=Stage.RESOLVED)
        assert [0, 1] == _run(made, [ended], 3700, 3740)
        soon(lambda: len(post.bodies) == 3)
        assert [0, 0] == _run(made, [ended], 3900, 9999)
    assert ["firing", "firing", "resolved"] == [each["status"] for each in post.bodies]
    assert "2026-01-01T00:01:00Z" == post.bodies[2]["alerts"][0]["endsAt"]


def test_a_page_keeps_the_tickets_about_its_budget_quiet(tmp_path: Path) -> None:
    """Tickets about data stay loud."""
    with post_box() as post, _notifying(tmp_path, _hook(post.url)) as made:
        quiet = alert(severity="ticket", long="1d")
        loud = alert(severity="ticket", name="SLIAbsent")
        assert [0, 1] == _run(made, [alert(), quiet], 0, 10)
        assert [0, 0] == _run(made, [alert(), quiet], 11, 400)
        assert [1] == _run(made, [alert(), quiet, loud], 2000)
        soon(lambda: len(post.bodies) == 2)
    assert ["SLIAbsent"] == [each["labels"]["alertname"] for each in post.bodies[1]["alerts"]]


def test_a_restart_in_the_middle_repeats_nothing(tmp_path: Path) -> None:
    """Who was told what goes on where it was."""
    with post_box() as post:
        with _notifying(tmp_path, _hook(post.url)) as made:
            _run(made, [alert()], 0, 10)
            soon(lambda: len(post.bodies) == 1)
            soon(lambda: made.dumped()[0]["told"] is not None)
            kept = made.dumped()
        with _notifying(tmp_path, _hook(post.url)) as made:
            made.restore(kept)
            assert [0, 0, 0] == _run(made, [alert()], 60, 120, 3000)
            assert [1] == _run(made, [alert(stage=Stage.RESOLVED)], 3100)
            soon(lambda: len(post.bodies) == 2)


def test_a_receiver_that_is_down_hears_of_it_when_it_is_back(tmp_path: Path) -> None:
    """Tried three times, given up, and ordered again a minute later."""
    with post_box(503, 503, 503, 503, 200) as post, _notifying(tmp_path, _hook(post.url)) as made:
        _run(made, [alert()], 0, 10)
        soon(lambda: post.attempts == 3)
        soon(lambda: _run(made, [alert()], 71) == [1] or post.attempts > 3)
        soon(lambda: bool(post.bodies))
        soon(lambda: made.failures == {})
        assert 5 == post.attempts


def test_what_will_never_be_taken_is_not_tried_at_once_again(tmp_path: Path) -> None:
    """Such as a wrong address; the reason can be asked for."""
    with post_box(404) as post, _notifying(tmp_path, _hook(post.url)) as made:
        _run(made, [alert()], 0, 10)
        soon(lambda: bool(made.failures))
        assert {"people": "it answers 404"} == made.failures
        assert 1 == post.attempts


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    """Alerts and tokens go to nobody that the workspace does not name."""
    (tmp_path / "token").write_text("secret\n")
    with post_box() as other, post_box(302) as post:
        post.elsewhere = other.url
        hook = receiver("people", "webhook", url=post.url, bearerTokenFile="token")
        with _notifying(tmp_path, hook) as made:
            _run(made, [alert()], 0, 10)
            soon(lambda: "redirect" in made.failures.get("people", ""))
    assert 0 == other.attempts
    assert "Bearer secret" == post.headers["Authorization"]


def test_chat_gets_a_title_and_text_that_is_no_markup(tmp_path: Path) -> None:
    """What Slack's incoming webhooks take; the address is a secret in a file."""
    with post_box() as post:
        (tmp_path / "hook").write_text(post.url)
        chat = receiver("people", "slack", apiUrlFile="hook", channel="#ops")
        with _notifying(tmp_path, chat) as made:
            _run(made, [alert()], 0, 10)
            soon(lambda: bool(post.bodies))
    (body,) = post.bodies
    (attachment,) = body["attachments"]
    assert "#ops" == body["channel"]
    assert "[page firing] ticketing prod availability" == attachment["title"]
    assert (
        "burns &lt;fast&gt; over 1h\nrunbook_url: https://runbooks.example.com/x\n"
        == attachment["text"]
    )


def test_mail_is_plain_text_with_the_same_title(tmp_path: Path) -> None:
    """With a login whose password is in a file."""
    (tmp_path / "password").write_text("sesame\n")
    with mailbox() as box:
        mail = receiver(
            "people",
            "email",
            to="a@example.com",
            from_="h@example.com",
            smarthost=box.address,
            authUsername="h",
            authPasswordFile="password",
            requireTls="false",
        )
        with _notifying(tmp_path, mail) as made:
            _run(made, [alert()], 0, 10)
            message = box.arrived.get(timeout=15)
    assert "[page firing] ticketing prod availability" == message["Subject"]
    assert ("h@example.com", "a@example.com") == (message["From"], message["To"])
    assert "9 % were bad" in str(message.get_payload())
    assert 1 == len(box.logins)


def test_mail_is_not_sent_in_the_clear_unless_allowed(tmp_path: Path) -> None:
    """As an Alertmanager does: TLS is required unless it is said not to be."""
    with mailbox() as box:
        mail = receiver("people", "email", to="a@b.c", from_="h@b.c", smarthost=box.address)
        with _notifying(tmp_path, mail) as made:
            _run(made, [alert()], 0, 10)
            soon(lambda: "TLS" in made.failures.get("people", ""))
        assert box.arrived.empty()


def test_other_kinds_are_said_to_need_an_alertmanager(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is sent, and it is said once."""
    pager = receiver("people", "pagerduty", routingKeyFile="key")
    with _notifying(tmp_path, pager) as made:
        assert [0, 0] == _run(made, [alert()], 0, 10)
        assert {"people": "pagerduty needs an Alertmanager"} == made.failures
    assert 1 == sum("needs an Alertmanager" in each.message for each in caplog.records)


def test_every_alert_reaches_whom_the_generated_routes_reach() -> None:
    """The airline's table, which amtool confirms for the generated configuration."""
    directory = Directory.of(AIRLINE, AIRLINE_WORKSPACE)
    found = {
        each.name: tuple(
            receiver_of(alert(app=each.name, team=each.team, severity=one).labels, directory)
            for one in ("page", "ticket")
        )
        for each in AIRLINE.apps
    }
    assert AIRLINE_ROUTES == found


def test_an_alertmanager_is_told_every_minute_and_nobody_else_is(tmp_path: Path) -> None:
    """While it fires and when it has ended; pending alerts are nobody's business."""
    with post_box() as hook, post_box() as server:
        url = server.url.removesuffix("/hook")
        with _notifying(tmp_path, _hook(hook.url), alertmanager=url) as made:
            waiting = alert(stage=Stage.PENDING, long="6h")
            assert [1] == _run(made, [alert(), waiting], 0)
            soon(lambda: len(server.bodies) == 1)
            soon(lambda: _run(made, [alert(), waiting], 59) == [0])
            assert [1] == _run(made, [alert(), waiting], 60)
            soon(lambda: len(server.bodies) == 2)
            soon(lambda: _run(made, [alert(stage=Stage.RESOLVED)], 61) == [1])
            soon(lambda: len(server.bodies) == 3)
    assert 0 == hook.attempts
    (first,), _, (last,) = server.bodies
    assert ("2026-01-01T00:00:00Z", "2026-01-01T00:04:00Z") == (first["startsAt"], first["endsAt"])
    assert "2026-01-01T00:01:00Z" == last["endsAt"]
    assert MINUTE > 0


def test_the_log_hears_of_an_outage_once_an_hour_and_of_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever reads it sees that nothing arrives, and not a line for every attempt."""
    ticks, down = [0.0], [True]

    def work() -> None:
        if down[0]:
            raise DeliveryError("nobody listens")

    def deliver() -> bool:
        ended: Queue[bool] = Queue()
        courier.take(Delivery(work=work, outcome=ended.put))
        return ended.get(timeout=10)

    courier = Courier("on-call", Patience(attempts=3, pause=0.001), lambda: ticks[0])
    with caplog.at_level(logging.WARNING, logger="headroom.notify"):
        for now in (0.0, 60.0, 3599.0, 3600.0, 3700.0):
            ticks[0] = now
            assert not deliver()
        down[0] = False
        assert deliver()
        assert deliver()
    courier.close(5)
    assert [
        "on-call does not get notifications: nobody listens",
        "on-call still misses 4 notifications: nobody listens",
        "on-call gets notifications again",
    ] == [each.getMessage() for each in caplog.records]
    assert courier.failure is None
