"""What telemetry amounts to, and what that costs by the workspace's own prices."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from app.access import Scope
from app.services.holdings import holdings, reshaped
from app.services.results import Cost
from app.services.world import World
from collectors.readers.telemetry import Answered, TimeRange
from slo.records import dataclass
from slo.serving import Price
from slo.units import Duration

if TYPE_CHECKING:
    import pandas as pd

MONTH = Duration.of(days=30)
"""The month that series are charged by."""

COLUMNS = ("app", "signal", "records", "bytes", "series", "price")

_GIBIBYTE, _MILLION, _THOUSAND = 2**30, 10**6, 10**3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Amount:
    """What one application has of one signal; ``series`` is ``None`` where there are none."""

    app: str | None
    signal: str
    records: int
    bytes: int
    series: int | None


def cost(world: World, scope: Scope, range_: TimeRange, app: str | None = None) -> Answered[Cost]:
    """Return records, bytes and active series by application and signal, with their price.

    Without ``app`` of all that the asker sees; what belongs to nobody has the app ``None``. Bytes
    and records cost what was stored in the range; series are charged by the month, and so by the
    range's part of one. ``price`` is NaN for a signal without a price. Raises ``Forbidden``,
    ``UsageError`` and ``SourceError``.
    """
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    if app is not None:
        scope.check(app)
        world.project.levels(app, None)
    found = holdings(world, scope, range_)
    amounts = _amounts(found.value if app is None else found.value[found.value["app"] == app])
    table = world.project.workspace.costs
    prices: Mapping[str, Price] = {} if table is None else table.prices
    share = Fraction(range_.length, MONTH.milliseconds * 1_000_000)
    rows, total = [], Fraction(0)
    for each in amounts:
        price = prices.get(each.signal)
        amount = None if price is None else _price(each, price, share)
        total += amount or 0
        rows.append(
            {
                "app": each.app,
                "signal": each.signal,
                "records": each.records,
                "bytes": each.bytes,
                "series": each.series,
                "price": float("nan") if amount is None else float(amount),
            }
        )
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["series"] = frame["series"].astype("Int64")
    currency = None if table is None else table.currency
    value = Cost(rows=frame, currency=currency, total=None if table is None else total)
    unpriced = sorted({each.signal for each in amounts} - set(prices))
    notes = _notes(unpriced, priced=table is not None)
    return reshaped(found, value, notes=notes)


def _amounts(frame: pd.DataFrame) -> list[_Amount]:
    return [
        _Amount(
            app=app if isinstance(app, str) else None,
            signal=str(signal),
            records=int(group["records"].sum()),
            bytes=int(group["bytes"].sum()),
            series=None if group["series"].isna().all() else int(group["series"].sum()),
        )
        for (app, signal), group in frame.groupby(["app", "signal"], dropna=False, sort=True)
    ]


def _price(amount: _Amount, price: Price, month: Fraction) -> Fraction:
    return (
        Fraction(amount.bytes, _GIBIBYTE) * Fraction(price.per_gibibyte)
        + Fraction(amount.records, _MILLION) * Fraction(price.per_million_records)
        + Fraction(amount.series or 0, _THOUSAND) * Fraction(price.per_thousand_series) * month
    )


def _notes(unpriced: list[str], *, priced: bool) -> list[str]:
    if not priced:
        return ["no prices: give them under costs in headroom.yaml"]
    return [f"no price for {', '.join(unpriced)}"] if unpriced else []
