"""Questions about applications: what the services answer, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar, cast

import anyio
from starlette.responses import JSONResponse, Response

from app.access import Scope
from app.api import shapes
from app.api.parameters import Parameter, Values, choice, duration, instant, number, text
from app.api.problems import HttpProblem
from app.api.table import Call, Endpoint, Handler
from app.services.alerts import active_alerts
from collectors.readers.telemetry import LogQuery, TimeRange, TraceOrder, TraceQuery, Where
from collectors.store import nanoseconds, rfc3339
from slo import naming
from slo.errors import SourceError
from slo.model import App, ServiceLevel
from slo.suggest import did_you_mean
from slo.units import Duration

_T = TypeVar("_T")

_HOUR = Duration.of(hours=1)
_DAY = Duration.of(days=1)
_WEEK = Duration.of(days=7)
_MOST = 1000
_LIST: Mapping[str, object] = {"type": "array", "items": {"type": "object"}}
_LEVELS = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}

_APP = text("app", "The application's name.", place="path")
_ENV = text("env", "The environment.")
_AT = instant("at", "Judge at this time; now without.")
_RANGE = (
    instant("from", "From this time on."),
    instant("to", "Before this time; now without."),
    duration("range", "This long before `to`, in the place of `from`."),
)


class Desk:
    """Where questions wait their turn: services block, and only so many may run at once."""

    def __init__(self, at_once: int = 8) -> None:
        self._limiter: anyio.CapacityLimiter | None = None
        self._at_once = at_once

    async def ask(self, call: Call, what: str, question: Callable[[], _T]) -> _T:
        """Ask in a thread, and measure it."""
        if self._limiter is None:  # belongs to the event loop that runs now
            self._limiter = anyio.CapacityLimiter(self._at_once)

        def timed() -> _T:
            telemetry = call.site.telemetry
            try:
                with telemetry.timed("headroom_query_duration_seconds", query=what):
                    return question()
            except SourceError:
                telemetry.count("headroom_query_failures_total", query=what)
                raise

        return await anyio.to_thread.run_sync(timed, limiter=self._limiter)


def endpoints() -> tuple[Endpoint, ...]:
    """The routes that ask; they share one desk."""
    asked = _Questions(Desk())
    return (*_of_catalogue(asked), *_of_budgets(asked), *_of_records(asked))


def _of_catalogue(asked: _Questions) -> tuple[Endpoint, ...]:
    return (
        _get("/v1/apps", "listApps", "Every application that you may see", asked.apps, "apps"),
        _get("/v1/apps/{app}", "getApp", "One application", asked.app, "name", parameters=(_APP,)),
        _get(
            "/v1/join-health",
            "getJoinHealth",
            "How telemetry is joined to its applications, what is missing, and what would mend it",
            asked.join_health,
            "shares",
            parameters=(text("app", "Only this application."), *_RANGE),
        ),
    )


def _of_budgets(asked: _Questions) -> tuple[Endpoint, ...]:
    return (
        _get(
            "/v1/apps/{app}/budget",
            "getBudget",
            "Its error budgets, as `headroom status --format json` tells them",
            asked.budget,
            "slos",
            parameters=(_APP, _ENV, text("slo", "Only this SLO."), _AT),
        ),
        _get(
            "/v1/apps/{app}/attribution",
            "getAttribution",
            "Which requests spend a budget; shares of the rows and the remainder add up to 1",
            asked.attribution,
            "rows",
            parameters=(
                _APP,
                _ENV,
                text("slo", "The SLO; that with the least budget."),
                _AT,
                *_RANGE,
            ),
        ),
    )


def _of_records(asked: _Questions) -> tuple[Endpoint, ...]:
    return (
        _get(
            "/v1/apps/{app}/alerts",
            "listAlerts",
            "Its alerts that are pending or fire now, the gravest first",
            asked.alerts,
            "alerts",
            parameters=(
                _APP,
                _ENV,
                text("slo", "Only those of this SLO."),
                choice("state", "Only those in this state.", ("pending", "firing")),
            ),
        ),
        _get(
            "/v1/apps/{app}/logs",
            "searchLogs",
            "Its log records, newest first",
            asked.logs,
            "logs",
            parameters=(
                _APP,
                _ENV,
                text("text", "A log query; words that must all occur."),
                choice("level", "This level or a graver one.", tuple(_LEVELS)),
                text("trace", "Only records of this trace."),
                number("limit", "At most this many; 200 without.", least=1, most=_MOST),
                *_RANGE,
            ),
        ),
        _get(
            "/v1/apps/{app}/traces",
            "listTraces",
            "Its traces, one row for each",
            asked.traces,
            "traces",
            parameters=(
                _APP,
                _ENV,
                choice("failed", "Only those in error.", ("true", "false")),
                duration("atLeast", "Only those that took this long or longer."),
                choice("order", "Which come first.", tuple(str(each) for each in TraceOrder)),
                number("limit", "At most this many; 100 without.", least=1, most=_MOST),
                *_RANGE,
            ),
        ),
        _get(
            "/v1/apps/{app}/deploys",
            "listDeploys",
            "What was shipped, and what changed after it",
            asked.deploys,
            "deploys",
            parameters=(_APP, _ENV, *_RANGE),
        ),
    )


class _Questions:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def apps(self, call: Call) -> Response:
        scope = call.site.scope(call.request)
        known = call.site.world.project.catalog.apps
        found = [app for app in known if scope.sees(app.name)]
        return JSONResponse({"apps": [_summary(app, scope) for app in found]})

    async def app(self, call: Call) -> Response:
        scope = call.site.scope(call.request)
        app = _app(call, scope)
        return JSONResponse(shapes.app_detail(app, _seen(app, scope)))

    async def join_health(self, call: Call) -> Response:
        from app.reports.join_json import join_json  # noqa: PLC0415 - loads readers
        from app.services.joins import health  # noqa: PLC0415 - as above

        scope, name = call.site.scope(call.request), call.values["app"]
        if name is not None:
            _app(call, scope)
        span = _range(call, _at(call), _DAY)
        found = await self._desk.ask(
            call, "joins", lambda: health(call.site.world, scope, span, name)
        )
        said = join_json(found.value, rfc3339)
        return JSONResponse({"app": name, **said, **shapes.answered(found)})

    async def budget(self, call: Call) -> Response:
        from app import services  # noqa: PLC0415 - loads readers
        from app.reports.status_json import status_json  # noqa: PLC0415 - as above

        scope, at = call.site.scope(call.request), _at(call)
        app = _app(call, scope)
        levels = call.site.world.project.levels(app.name, call.values["env"])
        wanted = call.values["slo"]
        _check_slo(wanted, levels)
        chosen = [
            level
            for level in levels
            if scope.sees(app.name, level.environment.name) and wanted in {None, level.slo.name}
        ]
        world = call.site.world
        found = await self._desk.ask(
            call,
            "budget",
            lambda: services.evaluations(
                world.project,
                chosen,
                at,
                deadline=world.deadline,
                environ=world.environ,
                stored=world.stored,
            ),
        )
        return JSONResponse(status_json(found, at))

    async def alerts(self, call: Call) -> Response:
        scope, values, site = call.site.scope(call.request), call.values, call.site
        app = _app(call, scope)
        env = values["env"] or _first_environment(app, scope)
        _check_slo(values["slo"], site.world.project.levels(app.name, env))
        found = await self._desk.ask(
            call,
            "alerts",
            lambda: active_alerts(site.world, scope, app.name, env, _now(call), site.board),
        )
        wanted = {naming.SLO: values["slo"], "state": values["state"]}
        rows = [shapes.alert_json(each) for each in found.value]
        rows = [r for r in rows if all(v in {None, r[k]} for k, v in wanted.items())]
        return JSONResponse({"app": app.name, "env": env, "alerts": rows, **shapes.answered(found)})

    async def attribution(self, call: Call) -> Response:
        from app.services.attribution import attribution  # noqa: PLC0415 - loads pandas

        scope, at, values = call.site.scope(call.request), _at(call), call.values
        app = _app(call, scope)
        env = _first_environment(app, scope) if values["env"] is None else values["env"]
        _check_slo(values["slo"], call.site.world.project.levels(app.name, env))
        named = any(values[name] is not None for name in ("from", "to", "range"))
        window = _range(call, at, _WEEK) if named else None
        found = await self._desk.ask(
            call,
            "attribution",
            lambda: attribution(
                call.site.world, scope, app.name, env, values["slo"], at=at, window=window
            ),
        )
        why = found.value
        return JSONResponse(
            {
                "app": app.name,
                "env": env,
                "slo": why.slo,
                "bad": shapes.plain(why.bad),
                "total": shapes.plain(why.total),
                "basis": why.basis,
                "factor": shapes.plain(why.factor),
                "rows": shapes.records(why.rows),
                "remainder": {"share": shapes.plain(why.remainder)},
                **shapes.answered(found, why.window),
                "notes": [*why.notes, *found.notes],
            }
        )

    async def logs(self, call: Call) -> Response:
        from app.services.logs import search  # noqa: PLC0415 - loads pandas

        scope, values = call.site.scope(call.request), call.values
        app = _app(call, scope)
        level = values["level"]
        query = LogQuery(
            where=_where(call, app),
            text=values["text"] or "",
            min_severity=None if level is None else _LEVELS[level],
            trace_id=values["trace"],
            limit=values["limit"] or 200,
        )
        found = await self._desk.ask(call, "logs", lambda: search(call.site.world, scope, query))
        rows = shapes.records(found.value, leave_out=("cursor",))
        return JSONResponse({"app": app.name, "logs": rows, **shapes.answered(found)})

    async def traces(self, call: Call) -> Response:
        from app.services.traces import traces  # noqa: PLC0415 - loads pandas

        scope, values = call.site.scope(call.request), call.values
        app = _app(call, scope)
        least = cast("Duration | None", values["atLeast"])
        query = TraceQuery(
            where=_where(call, app),
            failed=values["failed"] == "true",
            at_least=None if least is None else least.milliseconds * 1_000_000,
            order=TraceOrder(values["order"] or TraceOrder.NEWEST),
            limit=values["limit"] or 100,
        )
        found = await self._desk.ask(call, "traces", lambda: traces(call.site.world, scope, query))
        rows = shapes.records(found.value)
        return JSONResponse({"app": app.name, "traces": rows, **shapes.answered(found)})

    async def deploys(self, call: Call) -> Response:
        from app.services.deploys import deploys  # noqa: PLC0415 - loads pandas

        scope = call.site.scope(call.request)
        app = _app(call, scope)
        env = call.values["env"] or _first_environment(app, scope)
        span = _range(call, _at(call), _WEEK)
        found = await self._desk.ask(
            call, "deploys", lambda: deploys(call.site.world, scope, app.name, env, span)
        )
        rows = [shapes.deploy_json(each) for each in found.value]
        return JSONResponse(
            {"app": app.name, "env": env, "deploys": rows, **shapes.answered(found, span)}
        )


def _app(call: Call, scope: Scope) -> App:
    """The application of a path, in the environment that is named.

    Raises ``Forbidden`` before it tells whether there is one, and ``HttpProblem`` (404).
    """
    name, env = call.values["app"], call.values["env"]
    scope.check(name, env)
    catalog = call.site.world.project.catalog
    app = catalog.app(name)
    names = [each.name for each in catalog.apps if scope.sees(each.name)]
    if app is None:
        raise HttpProblem(
            404,
            f'there is no app "{name[:60]}"{did_you_mean(name, names)}',
            hint=f"known are: {', '.join(names[:50])}" if names else None,
        )
    if env is not None and env not in (known := [each.name for each in app.environments]):
        raise HttpProblem(
            404,
            f'{app.name} has no environment "{env[:60]}"{did_you_mean(env, known)}',
            hint=f"known are: {', '.join(known)}",
        )
    return app


def _check_slo(wanted: str | None, levels: Sequence[ServiceLevel]) -> None:
    """Raises ``HttpProblem`` (404) when none of the levels is of this SLO."""
    names = [level.slo.name for level in levels]
    if wanted is not None and wanted not in names:
        raise HttpProblem(404, f'there is no SLO "{wanted[:60]}"{did_you_mean(wanted, names)}')


def _seen(app: App, scope: Scope) -> list[str]:
    return [each.name for each in app.environments if scope.sees(app.name, each.name)]


def _summary(app: App, scope: Scope) -> dict[str, object]:
    return {**shapes.app_summary(app), "environments": _seen(app, scope)}


def _first_environment(app: App, scope: Scope) -> str:
    seen = _seen(app, scope)
    if not seen:
        scope.check(app.name, app.environments[0].name)
    return seen[0]


def _now(call: Call) -> datetime:
    return datetime.fromtimestamp(call.site.clock() / 1e9, UTC)


def _at(call: Call) -> datetime:
    at = call.values["at"]
    return _now(call) if at is None else cast("datetime", at)


def _range(call: Call, at: datetime, otherwise: Duration) -> TimeRange:
    """The range of a question; raises ``HttpProblem`` (400) for one that ends before it begins."""
    values: Values = call.values
    start, end, length = values["from"], values["to"] or at, values["range"]
    if start is not None and length is not None:
        raise HttpProblem(400, "from and range exclude each other")
    until = nanoseconds(end)
    since = (
        until - (length or otherwise).milliseconds * 1_000_000
        if start is None
        else nanoseconds(start)
    )
    if since >= until:
        raise HttpProblem(400, "the range ends before it begins")
    return TimeRange(start=max(0, since), end=until)


def _where(call: Call, app: App) -> Where:
    span = _range(call, _now(call), _HOUR)
    return Where(app=app.name, range=span, env=call.values["env"])


def _get(
    path: str,
    operation: str,
    summary: str,
    handler: Handler,
    key: str,
    *,
    parameters: tuple[Parameter, ...] = (),
) -> Endpoint:
    answers = {
        200: "the answer",
        400: "a parameter makes no sense",
        403: "you may not see it",
        404: "there is no such app, environment or SLO",
        502: "a source refused the question",
        503: "a source cannot be reached",
        504: "a source did not answer in time",
    }
    held: Mapping[str, object] = {"type": "string"} if key == "name" else _LIST
    return Endpoint(
        method="GET",
        path=path,
        operation=operation,
        summary=summary,
        handler=handler,
        parameters=parameters,
        answers=answers if parameters else {200: answers[200], 403: answers[403]},
        schema={"type": "object", "required": [key], "properties": {key: held}},
    )
