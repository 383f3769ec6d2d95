"""What the embedded store holds, whose it is, and what belongs to nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from collectors.readers.store.asking import Asker, Question
from collectors.readers.store.conditions import Parameters, where
from collectors.readers.telemetry import Answered, TimeRange, Where
from collectors.signals import Signal
from collectors.store.stats import stats

if TYPE_CHECKING:
    import pandas as pd

_TELEMETRY = (Signal.METRICS, Signal.LOGS, Signal.SPANS)
_EXAMPLES: Mapping[Signal, str] = {
    Signal.METRICS: "name",
    Signal.LOGS: "body",
    Signal.SPANS: "name",
}


def inventory(asker: Asker, span: TimeRange) -> Answered[pd.DataFrame]:
    """Return records by owner, environment, signal and rung."""

    def sql(signal: Signal) -> str:
        series = "count(DISTINCT series)" if signal is Signal.METRICS else "NULL::BIGINT"
        return (
            f"SELECT app, env, '{signal}' AS signal, rung, count(*) AS records, "
            f"{series} AS series, min(time) AS first, max(time) AS last "
            "FROM records GROUP BY ALL ORDER BY ALL"
        )

    found = _of_all(asker, span, sql, apps=None)
    frame = found.value
    if len(frame):
        kept = stats(asker.store.snapshot()).signals
        frame["bytes"] = [
            round(kept[Signal(signal)].bytes * count / max(1, kept[Signal(signal)].records))
            for signal, count in zip(frame["signal"], frame["records"], strict=True)
        ]
    else:
        frame["bytes"] = []
    order = ["app", "env", "signal", "rung", "records", "bytes", "series", "first", "last"]
    return replace(found, value=frame[order])


def unattributed(asker: Asker, span: TimeRange) -> Answered[pd.DataFrame]:
    """Return what belongs to nobody, grouped by what it says of itself."""

    def sql(signal: Signal) -> str:
        return (
            f"SELECT '{signal}' AS signal, service, host, namespace, NULL::VARCHAR AS stream, "
            "missing, claimants, "
            "count(*) AS records, min(time) AS first, max(time) AS last, "
            f"any_value(left({_EXAMPLES[signal]}, 200)) AS example FROM records "
            "GROUP BY ALL ORDER BY records DESC LIMIT 500"
        )

    return _of_all(asker, span, sql, apps=(None,))


def versions(asker: Asker, asked: Where) -> Answered[pd.DataFrame]:
    """Return when each version of each component was first and last seen, in any signal."""
    parameters = {signal: Parameters() for signal in _TELEMETRY}

    def sql(signal: Signal) -> str:
        return (
            "SELECT coalesce(component, service) AS component, version, min(time) AS first, "
            "max(time) AS last, count(*) AS records FROM records WHERE version IS NOT NULL "
            f"AND {where(asked, signal, parameters[signal])} GROUP BY ALL"
        )

    found = _of_all(asker, asked.range, sql, apps=(asked.app,), parameters=parameters)
    frame = found.value.groupby(["component", "version"], as_index=False, dropna=False)
    merged = frame.agg({"first": "min", "last": "max", "records": "sum"})
    return replace(found, value=merged.sort_values(["first", "component"], ignore_index=True))


def deploys(asker: Asker, asked: Where) -> Answered[pd.DataFrame]:
    """Return the deploys that somebody told."""
    parameters = Parameters()
    return asker.frame(
        Question(
            signal=Signal.DEPLOYS,
            sql="SELECT time, id, component, env, version, previous, commit_id, actor, url, title "
            f"FROM records WHERE {where(asked, Signal.DEPLOYS, parameters)} ORDER BY time",
            parameters=parameters,
            apps=(asked.app,),
            range=asked.range,
        )
    )


def _of_all(
    asker: Asker,
    span: TimeRange,
    sql: Callable[[Signal], str],
    *,
    apps: tuple[str | None, ...] | None,
    parameters: Mapping[Signal, Parameters] | None = None,
) -> Answered[pd.DataFrame]:
    """Ask the same of every signal and put the answers one below the other."""
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    answers = [
        asker.frame(
            Question(
                signal=signal,
                sql=sql(signal),
                parameters=Parameters() if parameters is None else parameters[signal],
                apps=apps,
                range=span,
            )
        )
        for signal in _TELEMETRY
    ]
    filled = [each.value for each in answers if len(each.value)]
    return replace(
        answers[0],
        value=pd.concat(filled, ignore_index=True) if filled else answers[0].value,
        query="; ".join(each.query for each in answers),
        observed_at=max((e.observed_at for e in answers if e.observed_at), default=None),
        partial=tuple(dict.fromkeys(text for each in answers for text in each.partial)),
        seconds=sum(each.seconds or 0 for each in answers),
    )
