"""Whether a latency threshold is a boundary of its histogram's buckets."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from slo.fields import Fields
from slo.loader.intake import Intake
from slo.model import Latency, TimeUnit
from slo.units import Duration


def check_boundary(latency: Latency, fields: Fields, intake: Intake) -> Latency | None:
    """Return the indicator with the buckets that are known of it, its threshold among them.

    A threshold between two boundaries cannot be counted: it is an error that names the nearest.
    """
    if latency.native:
        if latency.buckets:
            message = (
                '"buckets" cannot be set for a native histogram, which has none that are fixed'
            )
            intake.error("spec/exclusive-keys", message, fields.key_span("buckets"))
        return latency
    latency = replace(latency, buckets=latency.buckets or _known_buckets(latency, intake))
    if not latency.buckets or latency.bound in latency.buckets:
        return latency
    below, above = nearest(latency.buckets, latency.bound)
    choices = [_duration(each, latency.unit) for each in (below, above) if each is not None]
    plural = "boundaries are" if len(choices) > 1 else "boundary is"
    intake.error(
        "spec/bucket-boundary",
        f"{latency.threshold} is no bucket boundary of this histogram, "
        "so faster and slower requests cannot be told apart there",
        fields.span("threshold"),
        hint=f"the nearest {plural} {' and '.join(choices)}",
    )
    return None


def nearest(buckets: Sequence[Decimal], bound: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """Return the nearest boundary below and the nearest above."""
    below = max((each for each in buckets if each < bound), default=None)
    above = min((each for each in buckets if each > bound), default=None)
    return below, above


def _known_buckets(latency: Latency, intake: Intake) -> tuple[Decimal, ...]:
    metric = latency.histogram.metrics[0] if latency.histogram.metrics else ""
    return tuple(sorted(intake.defaults.buckets.get(metric, ())))


def _duration(bound: Decimal, unit: TimeUnit) -> str:
    """Return a boundary as the threshold is written, or as a number when that is too fine."""
    milliseconds = bound if unit is TimeUnit.MILLISECONDS else bound * 1000
    whole = int(milliseconds)
    return str(Duration(milliseconds=whole)) if whole == milliseconds else f"{bound} {unit}"
