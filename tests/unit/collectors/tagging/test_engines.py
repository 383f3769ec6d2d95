"""Engines are found however they are spelled, and know what names a share."""

import pytest

from collectors.tagging.engines import ENGINES, engine_of, share_labels


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        ("PostgreSQL", "postgresql"),
        ("postgres", "postgresql"),
        ("MariaDB", "mysql"),
        ("kube_state_metrics", "kube-state-metrics"),
        ("node-exporter", "node"),
    ],
)
def test_spellings_of_an_engine(name: str, engine: str) -> None:
    """Case, separators and usual other names."""
    assert ENGINES[engine] is engine_of(name)


def test_engines_of_others_are_not_known() -> None:
    """No engine is better than a wrong port."""
    assert engine_of("oracle") is None
    assert engine_of(None) is None


@pytest.mark.parametrize(
    ("engine", "share", "labels"),
    [
        ("postgresql", "database", ["datname"]),
        ("postgresql", "schema", ["schemaname"]),
        ("mysql", "database", ["schema"]),
        ("kafka", "consumer-group", ["consumergroup"]),
        ("rabbitmq", "vhost", ["vhost"]),
        ("haproxy", "backend", ["proxy", "backend"]),
        ("cadvisor", "namespace", ["namespace"]),
    ],
)
def test_the_label_that_names_a_share(engine: str, share: str, labels: list[str]) -> None:
    """As the engine's usual exporter has it."""
    assert labels == [each.name for each in share_labels(ENGINES[engine], share)]


def test_a_share_of_an_unknown_engine_has_its_usual_labels() -> None:
    """Those under which joining looks for it, as far as they can be labels."""
    assert {"topic"} == {each.name for each in share_labels(None, "topic")}
    assert ["index"] == [each.name for each in share_labels(None, "index")]
