"""What counters need to go on after a restart, as JSON data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from app.counters.tally import Bucket, Tally
from slo.model import SloKey

FILE_NAME = "counters.json"


def dumped(tallies: Sequence[Tally]) -> dict[str, object]:
    """Tallies as data; fractions are texts, and nothing is rounded."""
    return {"counters": [_dumped(each) for each in tallies]}


def loaded(data: Mapping[str, Any]) -> dict[SloKey, Tally]:
    """Tallies out of data; raises ``KeyError``, ``TypeError`` or ``ValueError`` for other data."""
    tallies = [_loaded(each) for each in data.get("counters", ())]
    return {each.key: each for each in tallies}


def _dumped(tally: Tally) -> dict[str, object]:
    return {
        "app": tally.key.app,
        "env": tally.key.env,
        "slo": tally.key.slo,
        "step": tally.step,
        "began": tally.began,
        "position": tally.position,
        "total": str(tally.total),
        "good": str(tally.good),
        "open": [_bucket_dumped(each) for each in tally.open],
        "recent": [_bucket_dumped(each) for each in tally.recent],
    }


def _loaded(data: Mapping[str, Any]) -> Tally:
    step = int(data["step"])
    if step < 1:
        raise ValueError(f"{step} ms is no step")
    return Tally(
        key=SloKey(app=str(data["app"]), env=str(data["env"]), slo=str(data["slo"])),
        step=step,
        began=int(data["began"]),
        position=int(data["position"]),
        total=Fraction(data["total"]),
        good=Fraction(data["good"]),
        open=tuple(_bucket_loaded(each) for each in data["open"]),
        recent=tuple(_bucket_loaded(each) for each in data["recent"]),
    )


def _bucket_dumped(bucket: Bucket) -> list[object]:
    return [bucket.start, str(bucket.total), str(bucket.good)]


def _bucket_loaded(data: Sequence[Any]) -> Bucket:
    start, total, good = data
    return Bucket(start=int(start), total=Fraction(total), good=Fraction(good))
