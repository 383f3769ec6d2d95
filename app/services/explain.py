"""Which few combinations explain bad events: disjoint ones, the most telling first.

Given counts by every combination of dimensions, the combination is sought that splits bad from good
best (the log-likelihood of two error ratios over that of one, less a price for each dimension),
named as fully as its bad events agree, taken away, and sought again in what is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slo.records import dataclass

Floats = NDArray[np.float64]

MOST_ROWS = 20
"""How many combinations an explanation has."""

LEFT_OVER = 0.04
"""The share of bad events that may stay unexplained."""

_AGREE = 0.95
"""The share of a combination's bad events that must have one value for it to be named."""

_TELLING = 8.0
"""The gain that a combination needs beyond the price of its dimensions."""

_SMALLEST = 0.005
"""Combinations below this share of bad events are not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One combination: the values it is named by, and the events it covers."""

    named: Mapping[str, str]
    bad: float
    total: float


def explain(counts: pd.DataFrame, dimensions: Sequence[str]) -> list[Cause]:
    """Return disjoint combinations, the most telling first.

    ``counts`` has the dimensions' columns, ``total`` and ``bad``. What no combination covers is
    the difference between the sum of ``bad`` and that of the causes.
    """
    whole = float(counts["bad"].sum())
    rest = counts[["total", "bad", *dimensions]].reset_index(drop=True)
    causes: list[Cause] = []
    while len(causes) < MOST_ROWS and rest["bad"].sum() > LEFT_OVER * whole:
        values = _most_telling(rest, dimensions, whole) or _largest(rest, dimensions)
        if not values:
            break
        values = _named_fully(rest, values, dimensions)
        mine = _covered(rest, values)
        causes.append(
            Cause(
                named=values,
                bad=float(rest.loc[mine, "bad"].sum()),
                total=float(rest.loc[mine, "total"].sum()),
            )
        )
        rest = rest[~mine].reset_index(drop=True)
    return causes


def _most_telling(
    counts: pd.DataFrame, dimensions: Sequence[str], whole: float
) -> dict[str, str] | None:
    bad, total = float(counts["bad"].sum()), float(counts["total"].sum())
    price = np.log(max(2.0, float(len(counts))))
    best: tuple[float, dict[str, str]] | None = None
    for chosen, groups in _groups(counts, dimensions):
        large = groups[groups["bad"] >= max(_SMALLEST * whole, 1.0)]
        if large.empty:
            continue
        gains = _gain(
            large["bad"].to_numpy(float), large["total"].to_numpy(float), bad, total
        ) - price * len(chosen)
        place = int(np.argmax(gains))
        if gains[place] > _TELLING and (best is None or gains[place] > best[0]):
            row = large.iloc[place]
            best = (float(gains[place]), {name: str(row[name]) for name in chosen})
    return None if best is None else best[1]


def _gain(bad: Floats, total: Floats, all_bad: float, all_total: float) -> Floats:
    """How much likelier two error ratios are than one; nothing where the part fails less."""
    rest_bad, rest_total = all_bad - bad, all_total - total
    gain = (
        _likelihood(bad, total)
        + _likelihood(rest_bad, rest_total)
        - _likelihood(np.array([all_bad]), np.array([all_total]))
    )
    worse = bad * np.maximum(rest_total, 1e-12) > rest_bad * total
    found: Floats = np.where(worse, gain, -np.inf)
    return found


def _likelihood(bad: Floats, total: Floats) -> Floats:
    """The log-likelihood of so many bad events among a total, at their own ratio."""
    good = np.maximum(total - bad, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(bad > 0, bad * np.log(bad / total), 0.0) + np.where(
            good > 0, good * np.log(good / total), 0.0
        )
    return found


def _largest(counts: pd.DataFrame, dimensions: Sequence[str]) -> dict[str, str] | None:
    """The single value with most bad events, when nothing tells them apart from good ones."""
    best: tuple[float, dict[str, str]] | None = None
    for name in dimensions:
        known = counts[counts[name].notna()]
        if known.empty:
            continue
        sums = known.groupby(name)["bad"].sum()
        if sums.max() > 0 and (best is None or sums.max() > best[0]):
            best = (float(sums.max()), {name: str(sums.idxmax())})
    return None if best is None else best[1]


def _groups(
    counts: pd.DataFrame, dimensions: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """The counts by every set of dimensions; values that are not known form no group."""
    for size in range(1, len(dimensions) + 1):
        for chosen in combinations(dimensions, size):
            sums = counts.groupby(list(chosen), dropna=True, observed=True)[["bad", "total"]]
            yield chosen, sums.sum().reset_index()


def _named_fully(
    counts: pd.DataFrame, values: dict[str, str], dimensions: Sequence[str]
) -> dict[str, str]:
    """Add the dimensions in which the bad events agree, unless good ones agree there as well.

    A value that nearly every event has says nothing of the bad ones.
    """
    found = dict(values)
    for name in dimensions:
        if name in found:
            continue
        mine = counts[_covered(counts, found)]
        sums = mine.groupby(name, dropna=True, observed=True)[["bad", "total"]].sum()
        if sums.empty or sums["bad"].max() < _AGREE * mine["bad"].sum():
            continue
        value = sums["bad"].idxmax()
        everywhere = counts.loc[counts[name] == value, "total"].sum() / counts["total"].sum()
        if everywhere < _AGREE:
            found[name] = str(value)
    return {name: found[name] for name in dimensions if name in found}


def _covered(counts: pd.DataFrame, values: Mapping[str, str]) -> pd.Series[bool]:
    mine = pd.Series(data=True, index=counts.index)
    for name, value in values.items():
        mine &= (counts[name].astype("string") == value).fillna(value=False)
    return mine.astype(bool)
