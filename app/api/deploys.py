"""``POST /v1/deploys``: a pipeline tells what it has shipped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from os import urandom
from typing import TypeVar

from starlette.responses import JSONResponse, Response

from app.api.bodies import media_type, read_body, single
from app.api.problems import HttpProblem
from app.api.receivers import intake_of
from app.api.site import address_of
from app.api.table import Call, Endpoint
from app.ulid import ulid
from collectors.receive import Refused, digest
from collectors.receive.json_text import read_json
from collectors.signals import Signal, table
from collectors.store import nanoseconds, rfc3339
from slo.model import App, Component
from slo.printable import quote
from slo.records import dataclass
from slo.suggest import did_you_mean
from slo.units import UnitError, parse_time

_T = TypeVar("_T")

_LARGEST = 64 * 1024
_DEPTH = 4
_LONGEST = 1024
_MILLISECOND = 1_000_000

_TEXT = {"type": "string", "minLength": 1, "maxLength": _LONGEST}
BODY: Mapping[str, object] = {
    "type": "object",
    "required": ["app", "version"],
    "additionalProperties": False,
    "properties": {
        "app": {**_TEXT, "description": "The application's name."},
        "component": {**_TEXT, "description": "Its component; all of it without."},
        "env": {**_TEXT, "description": "The environment; needed when the app has several."},
        "version": {**_TEXT, "description": "What runs now."},
        "previous": {**_TEXT, "description": "What ran before."},
        "commit": {**_TEXT, "description": "The commit it was built from."},
        "actor": {**_TEXT, "description": "Who shipped it."},
        "url": {**_TEXT, "format": "uri", "description": "The pipeline's page."},
        "title": {**_TEXT, "description": "What it changes."},
        "at": {
            "type": ["string", "number"],
            "description": "When: RFC 3339 or Unix seconds; now without.",
        },
    },
}
_KEYS: tuple[str, ...] = tuple(BODY["properties"])  # type: ignore[arg-type]  # a mapping, above


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deploy:
    app: App
    env: str | None
    component: Component | None
    at: datetime | None
    texts: Mapping[str, str]


async def _take(call: Call) -> Response:
    request = call.request
    sender = call.site.tokens.sender(single(request, "authorization"), address_of(request))
    intake = intake_of(call)
    if media_type(request) != "application/json":
        raise HttpProblem(415, "a deploy is application/json")
    with intake.room() as room:
        body = await read_body(request, _LARGEST, room.take, patience=intake.sizing.patience)
        apps = {app.name: app for app in call.site.world.project.catalog.apps}
        deploy = _read(_object(body), apps)
        if sender.app not in {None, deploy.app.name}:
            raise HttpProblem(403, f"the token is for {sender.app}, not for {deploy.app.name}")
        now = call.site.clock()
        time = now if deploy.at is None else nanoseconds(deploy.at)
        entropy = urandom(10) if deploy.at is None else digest(body)[:10]
        name = ulid(time // _MILLISECOND, entropy)
        row = _row(deploy, time, name)
        batch = name.encode()
        await asyncio.to_thread(
            intake.writer.append,
            Signal.DEPLOYS,
            table(Signal.DEPLOYS, {key: [value] for key, value in row.items()}),
            batch=batch,
        )
    return JSONResponse({"id": name, "at": rfc3339(time)}, 201)


def _object(body: bytes) -> Mapping[str, object]:
    try:
        found = read_json(body, _DEPTH)
        pairs = json.loads(body, object_pairs_hook=list)
    except Refused as error:
        raise HttpProblem(error.status, str(error)) from error
    if not isinstance(found, dict):
        raise HttpProblem(400, "a deploy is a JSON object")
    if len(pairs) != len(found):
        raise HttpProblem(400, "a key is given twice")
    return found


def _read(value: Mapping[str, object], apps: Mapping[str, App]) -> _Deploy:
    """Check a deploy against the catalogue; raises ``HttpProblem`` (400)."""
    for key in value:
        if key not in _KEYS:
            raise HttpProblem(
                400,
                f"unknown key {quote(key)}{did_you_mean(key, _KEYS)}",
                hint=f"known are: {', '.join(_KEYS)}",
            )
    texts = {
        key: _text(key, part) for key, part in value.items() if key != "at" and part is not None
    }
    for key in ("app", "version"):
        if key not in texts:
            raise HttpProblem(400, f"{key} is missing")
    if not texts.get("url", "https://").startswith(("http://", "https://")):
        raise HttpProblem(400, "url begins with http:// or https://")
    app = _named(texts["app"], apps, "app")
    components = {each.name: each for each in app.components}
    component = texts.get("component")
    return _Deploy(
        app=app,
        env=_environment(app, texts.get("env")),
        component=None if component is None else _named(component, components, "component"),
        at=_instant(value.get("at")),
        texts=texts,
    )


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise HttpProblem(400, f"{key} is no text of 1 to {_LONGEST} characters")
    if "\x00" in value or any(0xD800 <= ord(each) <= 0xDFFF for each in value):  # noqa: PLR2004
        raise HttpProblem(400, f"{key} holds a NUL or half a character")
    return value


def _named(name: str, known: Mapping[str, _T], what: str) -> _T:
    if name not in known:
        raise HttpProblem(
            400,
            f"there is no {what} {quote(name)}{did_you_mean(name, known)}",
            hint=f"known are: {', '.join(known)}" if known else f"the app declares no {what}",
        )
    return known[name]


def _environment(app: App, name: str | None) -> str | None:
    known = {each.name: each.name for each in app.environments}
    if name is not None:
        return _named(name, known, "environment") if known else name
    if len(known) > 1:
        raise HttpProblem(400, "env is missing", hint=f"one of: {', '.join(known)}")
    return next(iter(known), None)


def _instant(value: object) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise HttpProblem(400, "at is RFC 3339 or Unix seconds")
    try:
        return parse_time(str(value))
    except UnitError as error:
        raise HttpProblem(400, f"at: {error}", hint=error.hint) from error


def _row(deploy: _Deploy, time: int, name: str) -> dict[str, object]:
    component = deploy.component
    return {
        "time": time,
        "app": deploy.app.name,
        "env": deploy.env,
        "component": None if component is None else component.name,
        "rung": 1,
        "team": deploy.app.team,
        "service": None if component is None else component.service,
        "version": deploy.texts["version"],
        "id": name,
        "previous": deploy.texts.get("previous"),
        "commit_id": deploy.texts.get("commit"),
        **{key: deploy.texts.get(key) for key in ("actor", "url", "title")},
    }


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/deploys",
        operation="tellDeploy",
        summary="Tell that something was shipped",
        handler=_take,
        answers={
            201: "on disk",
            400: "it makes no sense; the detail says what",
            401: "no token, or a wrong one",
            403: "the token is another app's",
            413: "the body is too long",
            415: "not JSON",
            429: "no room; tell it again",
        },
        schema={
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "at": {"type": "string", "format": "date-time"},
            },
        },
        body=BODY,
    ),
)
