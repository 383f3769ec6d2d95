"""Templates of alerts, expanded as Prometheus expands them."""

import pytest

from alerts.prometheus.wording import literal
from app.evaluator.templates import Context, expand

CONTEXT = Context(labels={"app": "ticketing"}, value=0.0123456, external_url="https://c/")


def _expand(template: str, value: float = 0.0123456, *answer: float) -> str:
    context = Context(labels=CONTEXT.labels, value=value, external_url=CONTEXT.external_url)
    return expand(template, context, lambda _: answer)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("no template", "no template"),
        ("{{ $value }}", "0.0123456"),
        ("{{ .Value | humanizePercentage }}", "1.235%"),
        ("{{ $labels.app | toUpper }} {{ .Labels.app | title }}", "TICKETING Ticketing"),
        ("{{ $labels.missing }}!", "!"),
        ("{{ $externalURL }}x", "https://c/x"),
        ("a {{- $labels.app }} b", "aticketing b"),
        ("a {{- $labels.app -}} b", "aticketingb"),
        ('{{ $value | printf "%.3f|" }}', "0.012|"),
        ('{{ $value | printf "%d" }}', "%!d(float64=0.0123456)"),
        ('{{ $labels.app | printf "%8s" }}', "ticketing"),
    ],
)
def test_a_template_prints_labels_and_the_value(template: str, expected: str) -> None:
    """Piped into functions, trimmed where asked."""
    assert expected == _expand(template)


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        ("humanize", 1234567.0, "1.235M"),
        ("humanize", 0.00012, "120u"),
        ("humanize", 0.0, "0"),
        ("humanize", float("inf"), "+Inf"),
        ("humanize1024", 1048576.0, "1Mi"),
        ("humanizeDuration", 0.0, "0s"),
        ("humanizeDuration", 59.5, "59.5s"),
        ("humanizeDuration", 3599.0, "59m 59s"),
        ("humanizeDuration", -90061.0, "-1d 1h 1m 1s"),
        ("humanizeDuration", 0.004, "4ms"),
        ("humanizePercentage", 0.5, "50%"),
        ("humanizeTimestamp", 1435065584.128, "2015-06-23 13:19:44.128 +0000 UTC"),
        ('printf "%v"', 1e21, "1e+21"),
        ('printf "%v"', 123456789.0, "1.23456789e+08"),
    ],
)
def test_numbers_are_written_as_prometheus_writes_them(
    function: str, value: float, expected: str
) -> None:
    """The examples of its documentation and of Go's."""
    assert expected == _expand(f"{{{{ $value | {function} }}}}", value)


def test_a_query_gives_its_first_value_or_says_that_it_is_unknown() -> None:
    """The form that the wording of burn alerts has."""
    template = (
        'left {{ with query `x{app="a"} > 0` }}{{ . | first | value | humanizePercentage }}'
        "{{ else }}unknown{{ end }}."
    )
    assert "left 25%." == _expand(template, 1.0, 0.25, 0.5)
    assert "left unknown." == _expand(template, 1.0)


def test_text_of_the_users_own_stays_what_it_is() -> None:
    """Braces that the wording has made literal come out as they went in."""
    hostile = "{{7*7}} ${jndi:x} {{ $labels.app"
    assert hostile == _expand(literal(hostile))
