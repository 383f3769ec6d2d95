"""Rule files as text: the same bytes as PyYAML's, or none at all."""

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from alerts.prometheus.yaml_text import block

WORDS = st.text(alphabet="abnyo019 .:#-'\"?{}[]&*!|>%@`~=<,é\u20ac\n\t\\/()_+", max_size=12)
TEXTS = WORDS | st.text(max_size=20) | st.sampled_from(["yes", "null", "1e3", "0x1F", "12:30", "~"])
KEYS = st.sampled_from(["expr", "record", "on", "null", "n", "severity"]) | WORDS
LABELS = st.dictionaries(KEYS, TEXTS, max_size=3)
RULES = st.fixed_dictionaries({"alert": TEXTS, "expr": TEXTS, "labels": LABELS})
GROUPS = st.fixed_dictionaries({"name": TEXTS, "rules": st.lists(RULES, max_size=3)})


@given(data=st.fixed_dictionaries({"groups": st.lists(GROUPS, max_size=2)}))
@example(data={"groups": [{"name": "x", "rules": [{"expr": "a " * 4100}]}]})
@example(data={"groups": [{"name": "2026-11-21", "rules": [{"expr": "---"}]}]})
def test_the_text_is_what_pyyaml_writes(data: dict[str, object]) -> None:
    """Whatever the texts, ours is PyYAML's own document, and it reads back as the same data."""
    text = block(data)

    if text is not None:
        expected = yaml.dump(
            data,
            Dumper=yaml.CSafeDumper,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=False,
            width=10_000,
        )
        assert expected == text
        assert data == yaml.safe_load(text)


def test_rules_as_they_are_need_no_pyyaml() -> None:
    """The texts of ordinary rules are all written here, each in the form that it needs."""
    rule = {"alert": "A", "expr": 'sum(rate(x{job="a: b"}[5m])) > 0', "labels": {"slo": "1"}}

    text = block({"groups": [{"name": "g", "rules": [rule]}]})

    assert text == (
        "groups:\n- name: g\n  rules:\n  - alert: A\n"
        "    expr: 'sum(rate(x{job=\"a: b\"}[5m])) > 0'\n    labels:\n      slo: '1'\n"
    )


def test_what_only_pyyaml_can_write_has_no_text() -> None:
    """Texts of several lines, numbers and unusual keys are left to PyYAML."""
    for other in ({"a": "x\ny"}, {"a": 1}, {"a b": "x"}, {"yes": "x"}, {"a": ["x"]}):
        assert block(other) is None
