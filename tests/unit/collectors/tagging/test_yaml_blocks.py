"""Configuration as YAML: PyYAML's own bytes, and the same values when they are read again."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from collectors.tagging.yaml_blocks import block, dumped

_TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        *("", "on", "No", "1_0", "0o7", "1:30", "null", "~", "=", "<<", "2026-01-01", "x" * 200),
        *(
            "a\nb",
            "a\n\nb\n",
            " a\nb",
            "\na",
            "a \nb",
            "a\n\tb",
            "a\n\n",
            "\n",
            "é\nü",
            "\U0001f600\nx",
            "\xa0x\ny",
            "a\x85\nb",
        ),
        *("it's", "a: b", "# x", "- x", "tab\t", "\x7f", "²", "Ωmega", "\ufeff", "{{ x }}", "%y"),
    ]
)
_SCALARS = _TEXTS | st.booleans() | st.integers() | st.none() | st.floats(allow_nan=False)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(_VALUES) | st.dictionaries(_TEXTS, _VALUES))
def test_a_value_is_read_again_as_it_was(value: Any) -> None:
    """Whatever a user has called something."""
    assert value == yaml.safe_load(block(value))


@given(st.lists(_VALUES) | st.dictionaries(_TEXTS, _VALUES))
def test_the_bytes_are_those_of_pyyaml(value: Any) -> None:
    """But for the mark that it puts behind a document which ends in empty lines."""
    assert dumped(value).removesuffix("...\n") == block(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [{"b": 1, "c": {}}, []]}, "a:\n  - b: 1\n    c: {}\n  - []\n"),
        ({"a": "x\n\ny\n"}, "a: |\n  x\n\n  y\n"),
        ([["on", "x y", "x"], None], "- - 'on'\n  - 'x y'\n  - x\n- null\n"),
        ({"k" * 123: {"a": True}}, f"? {'k' * 123}\n: a: true\n"),
    ],
)
def test_items_stand_deeper_than_their_key(value: Any, expected: str) -> None:
    """As collectors' own examples have it."""
    assert expected == block(value)


def test_a_line_is_never_folded() -> None:
    """A regular expression of every application's names may be long."""
    long = "a b " * 5000 + "\t"
    assert 2 == len(block({"a": long, "b": long.strip()}).splitlines())


def test_what_is_no_part_of_a_configuration_is_refused() -> None:
    """An object would be written as what only Python reads."""
    with pytest.raises(yaml.representer.RepresenterError):
        block({"a": object()})
