"""Installations that every page is drawn over; opened once, since pages change nothing."""

import pytest

from app.services.world import World
from collectors.signals import Signal
from tests.console.stage import lines, request
from tests.unit.app.services.installation import (
    APPS,
    COSTS,
    WORKSPACE,
    deploy,
    hits,
    install,
    logs,
    lost_logs,
    requests,
    series,
)

NO_STORE = WORKSPACE.replace(
    "{store: {path: store}}", '{prometheus: {eu: {url: "http://127.0.0.1:9"}}}'
)

BOTH = WORKSPACE.replace(
    "sources: {store: {path: store}}",
    'sources: {store: {path: store}, prometheus: {eu: {url: "http://127.0.0.1:9"}},'
    " metrics: prometheus/eu}",
)
"""Records in the store, metrics in a Prometheus that is down."""


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Ticketing burns since a deploy, cargo and loyalty are well, crew says nothing."""
    return install(
        tmp_path_factory.mktemp("full"),
        [
            (Signal.SPANS, requests(version={0: "1.0", 570: "1.1"})),
            (Signal.SPANS, requests("cargo", bad={})),
            (Signal.SPANS, request()),
            (Signal.LOGS, logs()),
            (Signal.LOGS, lines()),
            (Signal.LOGS, lost_logs()),
            (Signal.METRICS, series()),
            (Signal.METRICS, hits()),
            (Signal.DEPLOYS, deploy("1.1", 1_760_183_400_000_000_000)),
        ],
        workspace=WORKSPACE + COSTS,
    )


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Apps are declared, and nothing was ever recorded."""
    return install(tmp_path_factory.mktemp("empty"), [(Signal.LOGS, logs("other", count=1))])


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> World:
    """No app is declared."""
    return install(tmp_path_factory.mktemp("bare"), [(Signal.LOGS, lost_logs())], apps={})


@pytest.fixture(scope="session")
def down(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The only source is a Prometheus that nobody runs."""
    return install(
        tmp_path_factory.mktemp("down"),
        workspace=NO_STORE,
        apps={"loyalty": APPS["loyalty"]},
        store=False,
    )


@pytest.fixture(scope="session")
def partial(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One of two sources is down."""
    return install(
        tmp_path_factory.mktemp("partial"),
        [(Signal.SPANS, requests()), (Signal.LOGS, logs())],
        workspace=BOTH,
    )
