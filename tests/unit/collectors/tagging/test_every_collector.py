"""What all generators have in common, so that a new one cannot forget it."""

from pathlib import PurePosixPath

import pytest

from collectors.tagging.model import STATIC_CONCEPTS, Convention, Plan, name_of
from collectors.tagging.registry import GENERATORS, generator
from slo.collecting import COLLECTORS
from slo.naming import TAGS
from tests.unit.collectors.tagging.examples import airline

_HAS_NO_LABELS = {"blackbox", "kustomize", "yace"}
"""Those that tag by what their targets are called, or by annotations of another convention."""


def texts(name: str, plan: Plan) -> str:
    """Everything one generator writes for an environment."""
    return "\n".join(generator(name)(plan).values())


@pytest.fixture(scope="module")
def prod() -> Plan:
    """An environment with every kind of source."""
    return airline()


def test_the_tag_table_is_split_into_what_is_known_and_what_is_lifted() -> None:
    """A new concept must be put into one of both, or no generator would write it."""
    lifted = {"version", "trace", "span"}
    assert {tag.concept for tag in TAGS} == {*STATIC_CONCEPTS, *lifted}


@pytest.mark.parametrize("name", COLLECTORS)
def test_the_same_plan_gives_the_same_bytes(name: str, prod: Plan) -> None:
    """Committed files can be compared with generated ones."""
    assert dict(generator(name)(prod)) == dict(generator(name)(prod))


@pytest.mark.parametrize("name", COLLECTORS)
def test_files_stay_below_their_folder(name: str, prod: Plan) -> None:
    """Whatever hosts and units are called."""
    for path in generator(name)(prod):
        parts = PurePosixPath(path).parts
        assert not path.startswith("/")
        assert ".." not in parts
        assert path == path.strip()


@pytest.mark.parametrize("name", sorted(set(GENERATORS) - _HAS_NO_LABELS))
@pytest.mark.parametrize("concept", STATIC_CONCEPTS)
def test_every_known_concept_is_written(name: str, concept: str, prod: Plan) -> None:
    """Under the name that one of the conventions gives it, in any of its spellings."""
    whole = texts(name, prod)
    spelled = [name_of(concept, each) for each in Convention]
    found = [
        way
        for way in spelled
        if way is not None
        and any(
            form in whole
            for form in (
                way,
                way.replace(".", "_"),
                f"[{way.replace('.', '][')}]",
                way.rpartition(".")[2],
            )
        )
    ]
    assert found, f"{name} writes {concept} under none of {spelled}"


@pytest.mark.parametrize("name", sorted(set(GENERATORS) - {"blackbox", "kustomize", "yace"}))
def test_every_application_is_written(name: str, prod: Plan) -> None:
    """Each has something that every one of these collectors reads: no cloud, cluster or probe."""
    whole = texts(name, prod)
    assert {stream.app for stream in prod.streams} == {
        stream.app for stream in prod.streams if stream.app in whole
    }
