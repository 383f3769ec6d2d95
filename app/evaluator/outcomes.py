"""What rules make of an answer: samples of a series, or what an alert is made from."""

from __future__ import annotations

from collections.abc import Iterable

from alerts.prometheus.rules import Alerting, Recording
from app.evaluator.alerting import Found, Key, key_of
from app.evaluator.head import NAME, Sample
from app.evaluator.templates import Ask, Context, expand
from collectors.promql import PromqlError, Samples, Vector
from slo import naming


def recorded(rule: Recording, vectors: Iterable[Vector]) -> tuple[Sample, ...]:
    """Return what a recording rule makes of an answer: one sample for each of its values.

    Raises ``PromqlError`` where two series would be one.
    """
    return samples_of(recorded_series(rule, vectors))


def recorded_series(rule: Recording, vectors: Iterable[Vector]) -> tuple[Samples, ...]:
    """Return what a recording rule makes of an answer, series by series.

    Raises ``PromqlError`` where two series would be one.
    """
    found: dict[Key, Samples] = {}
    for vector in vectors:
        labels = {**vector.labels, **rule.labels, NAME: rule.record}
        kept = {name: labels[name] for name in sorted(labels) if labels[name]}
        key = tuple(kept.items())
        if key in found:
            raise PromqlError("several results have the same labels once the rule's are added")
        found[key] = Samples(labels=kept, times=vector.times, values=vector.values)
    return tuple(found.values())


def samples_of(series: Iterable[Samples]) -> tuple[Sample, ...]:
    """Return series sample by sample."""
    return tuple(
        Sample(labels=one.labels, time_ms=time, value=value)
        for one in series
        for time, value in zip(one.times.tolist(), one.values.tolist(), strict=True)
    )


def alerted(
    rule: Alerting, vectors: Iterable[Vector], ask: Ask, external_url: str
) -> tuple[Found, ...]:
    """Return what an alerting rule makes of an answer: a possible alert for each of its series.

    Raises ``PromqlError`` where two alerts would be one.
    """
    found = tuple(_found(rule, vector, ask, external_url) for vector in vectors)
    if len({key_of(each.labels) for each in found}) < len(found):
        raise PromqlError("several results have the same labels once the alert's are added")
    return found


def _found(rule: Alerting, vector: Vector, ask: Ask, external_url: str) -> Found:
    value = float(vector.values[-1])
    own = {name: text for name, text in vector.labels.items() if name != NAME}
    context = Context(labels=own, value=value, external_url=external_url)
    given = {name: expand(text, context, ask) for name, text in rule.labels.items()}
    labels = {**own, **given, naming.ALERT_NAME: rule.alert}
    return Found(
        labels={name: text for name, text in labels.items() if text},
        annotations={name: expand(text, context, ask) for name, text in rule.annotations.items()},
        value=value,
    )
