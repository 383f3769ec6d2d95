"""What is stored and whose it is, as far as one asker may see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from app.access import Scope
from app.project import Project
from app.services.world import World
from collectors.readers.telemetry import Answered, TimeRange

if TYPE_CHECKING:
    import pandas as pd

    from collectors.readers.telemetry import TelemetryReader

T = TypeVar("T")


def reshaped(found: Answered[Any], value: T, *, notes: Sequence[str] = ()) -> Answered[T]:
    """Return an answer of another shape with the origin of the one it was made from."""
    return Answered(
        value=value,
        source=found.source,
        query=found.query,
        range=found.range,
        observed_at=found.observed_at,
        partial=found.partial,
        notes=(*found.notes, *notes),
        seconds=found.seconds,
    )


def holdings(world: World, scope: Scope, range_: TimeRange) -> Answered[pd.DataFrame]:
    """Return `TelemetryReader.inventory` of what the asker sees.

    Telemetry that names no environment is that of the app's only one. What belongs to nobody is
    for those who see all apps. Raises ``SourceError``.
    """
    return held_by(world.reader("telemetry"), world.project, scope, range_)


def held_by(
    reader: TelemetryReader, project: Project, scope: Scope, range_: TimeRange
) -> Answered[pd.DataFrame]:
    """Return what one source holds of what the asker sees, as `holdings` does."""
    found = reader.inventory(range_)
    frame = found.value.copy()
    only = _only_environments(project)
    unnamed = frame["env"].isna()
    frame["env"] = frame["env"].astype("object")
    frame.loc[unnamed, "env"] = frame.loc[unnamed, "app"].map(only).astype("object")
    frame["env"] = frame["env"].where(frame["env"].notna(), None)
    seen = np.array(
        [
            sees(scope, _text(app), _text(env))
            for app, env in zip(frame["app"], frame["env"], strict=True)
        ],
        dtype=np.bool_,
    )
    return reshaped(found, frame[seen].reset_index(drop=True))


def sees(scope: Scope, app: str | None, env: str | None) -> bool:
    """Whether what is an application's, or nobody's, in an environment may be shown."""
    if app is None:
        return scope.apps is None
    # Nobody knows which environment it is of: it may be one that is not to be seen.
    if env is None and scope.environments is not None:
        return False
    return scope.sees(app, env)


def _only_environments(project: Project) -> dict[str, str]:
    return {
        app.name: app.environments[0].name
        for app in project.catalog.apps
        if len(app.environments) == 1
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
