"""Clusters as few sets of matchers as possible."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.clusters import matcher_sets, pattern, source_of
from slo.model import Cluster
from slo.promql import Matcher


def _cluster(name: str, source: str | None = None, **match: str) -> Cluster:
    return Cluster(name=name, match=match, source=source)


def test_no_clusters_select_everything() -> None:
    """An environment without any has one empty set of matchers."""
    assert ((),) == matcher_sets(())


def test_one_cluster_is_matched_as_it_stands() -> None:
    """In the order of the labels' names, so that equal files give equal rules."""
    one = _cluster("eu", zone="b", env="prod")
    assert ((Matcher(name="env", value="prod"), Matcher(name="zone", value="b")),) == matcher_sets(
        [one]
    )


def test_clusters_that_differ_in_one_label_share_a_pattern() -> None:
    """One selector reads them all."""
    eu, us = (_cluster(name, env="prod", cluster=name) for name in ("us", "eu"))
    assert (
        (Matcher(name="cluster", op="=~", value="eu|us"), Matcher(name="env", value="prod")),
    ) == matcher_sets([eu, us])


@pytest.mark.parametrize(
    "clusters",
    [
        [_cluster("a", region="r1", zone="z1"), _cluster("b", region="r2", zone="z2")],
        [_cluster("a", region="r1"), _cluster("b", cluster="b")],
    ],
    ids=["two labels differ", "other labels"],
)
def test_clusters_that_share_no_pattern_keep_their_own(clusters: list[Cluster]) -> None:
    """A pattern over two labels would match places that nobody named."""
    assert 2 == len(matcher_sets(clusters))


def test_equal_clusters_are_one() -> None:
    """The same matchers twice select nothing more."""
    assert 1 == len(matcher_sets([_cluster("a", x="1"), _cluster("b", x="1")]))


def test_special_characters_stand_for_themselves_in_a_pattern() -> None:
    """`us.1` does not match `usx1`."""
    ((matcher,),) = matcher_sets([_cluster(name, cluster=name) for name in ("us.1", "a|b", "x+")])
    found = re.compile(matcher.value)
    assert all(found.fullmatch(name) for name in ("us.1", "a|b", "x+"))
    assert not any(found.fullmatch(name) for name in ("usx1", "a", "b", "xx", "us.1|a|b"))


@given(st.lists(st.text(max_size=8), min_size=1, max_size=4), st.text(max_size=8))
def test_a_pattern_matches_its_values_and_no_other(values: list[str], other: str) -> None:
    """Whatever characters are in them."""
    found = re.compile(pattern(values), re.DOTALL)
    assert all(found.fullmatch(value) for value in values)
    assert bool(found.fullmatch(other)) == (other in values)


def test_a_source_holds_its_own_clusters_and_the_default_those_without() -> None:
    """A reader asks each source for its part only."""
    clusters = (_cluster("eu", "prometheus/eu", c="eu"), _cluster("us", c="us"))
    eu, us = ((Matcher(name="c", value="eu"),),), ((Matcher(name="c", value="us"),),)
    assert eu == matcher_sets(clusters, "prometheus/eu", "prometheus/us")
    assert us == matcher_sets(clusters, "prometheus/us", "prometheus/us")
    assert () == matcher_sets(clusters[:1], "prometheus/us", "prometheus/us")


def test_a_cluster_without_a_source_is_in_the_default_one() -> None:
    """Its own source goes first."""
    assert "prometheus/x" == source_of(_cluster("a"), "prometheus/x")
    assert "prometheus/y" == source_of(_cluster("a", "prometheus/y"), "prometheus/x")
    assert source_of(_cluster("a"), None) is None
