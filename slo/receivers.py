"""The kinds of Alertmanager receivers a workspace can define, and the settings each takes.

Field names are Alertmanager's own in camel case: ``routingKeyFile`` is ``routing_key_file``.
Source: the Alertmanager configuration reference, 0.25 to 0.31, and its changelog for ``since``.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

from slo.printable import quote
from slo.problems import Problem, Severity, Span, error
from slo.records import dataclass
from slo.suggest import did_you_mean


class Form(StrEnum):
    """What the text of a setting must look like; ``FILE`` marks a secret."""

    TEXT = "text"
    FILE = "the path of a file"
    URL = "an http or https URL without a user or password"
    HOST_PORT = "a host and a port, such as mail.example.com:587"
    FLAG = "true or false"
    NUMBER = "a whole number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of a receiver; ``since`` is the Alertmanager it needs where 0.25 is too old."""

    key: str
    form: Form = Form.TEXT
    required: bool = False
    since: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverKind:
    """One kind of receiver; exactly one of the settings in ``one_of`` must be there, if any."""

    name: str
    settings: tuple[Setting, ...]
    one_of: tuple[str, ...] = ()

    def setting(self, key: str) -> Setting | None:
        """Return the setting of that key."""
        return next((setting for setting in self.settings if setting.key == key), None)

    def file_for(self, key: str) -> str | None:
        """Return the setting that names a file instead of the inline secret of that key."""
        setting = self.setting(f"{key}File")
        return None if setting is None or setting.form is not Form.FILE else setting.key


def _secret(key: str, *, required: bool = False, since: str | None = None) -> Setting:
    return Setting(key=key, form=Form.FILE, required=required, since=since)


_KINDS = (
    ReceiverKind(
        name="email",
        settings=(
            Setting(key="to", required=True),
            Setting(key="from", required=True),
            Setting(key="smarthost", form=Form.HOST_PORT, required=True),
            Setting(key="hello"),
            Setting(key="authUsername"),
            Setting(key="authIdentity"),
            _secret("authPasswordFile"),
            Setting(key="requireTls", form=Form.FLAG),
        ),
    ),
    ReceiverKind(
        name="msteams",
        settings=(_secret("webhookUrlFile", required=True, since="0.28"),),
    ),
    ReceiverKind(
        name="opsgenie",
        settings=(_secret("apiKeyFile", required=True), Setting(key="apiUrl", form=Form.URL)),
    ),
    ReceiverKind(
        name="pagerduty",
        settings=(
            _secret("routingKeyFile"),
            _secret("serviceKeyFile"),
            Setting(key="url", form=Form.URL),
        ),
        one_of=("routingKeyFile", "serviceKeyFile"),
    ),
    ReceiverKind(
        name="slack",
        settings=(
            _secret("apiUrlFile", required=True),
            Setting(key="channel"),
            Setting(key="username"),
        ),
    ),
    ReceiverKind(
        name="telegram",
        settings=(
            _secret("botTokenFile", required=True, since="0.26"),
            Setting(key="chatId", form=Form.NUMBER, required=True),
        ),
    ),
    ReceiverKind(
        name="victorops",
        settings=(
            _secret("apiKeyFile", required=True),
            Setting(key="routingKey", required=True),
            Setting(key="apiUrl", form=Form.URL),
        ),
    ),
    ReceiverKind(
        name="webhook",
        settings=(
            Setting(key="url", form=Form.URL),
            # Alertmanager 0.26 and 0.27 know the field but crash on it.
            _secret("urlFile", since="0.28"),
            _secret("bearerTokenFile"),
        ),
        one_of=("url", "urlFile"),
    ),
)

RECEIVER_KINDS: Mapping[str, ReceiverKind] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""Every kind of receiver by its name in the workspace file."""

_HOST_PORT = re.compile(r"[^\s:]+:[0-9]{1,5}|\[[0-9a-fA-F:.]+\]:[0-9]{1,5}")
_NUMBER = re.compile(r"-?[0-9]{1,18}")

SpanOf = Callable[[str | None], Span | None]
"""Gives the place of a setting by its key, or of the receiver itself for None."""


def nowhere(_: str | None) -> None:
    """Give no place: for receivers that were not read from a file."""


def receiver_problems(
    name: str, kind: str, settings: Mapping[str, str], span_of: SpanOf = nowhere
) -> tuple[Problem, ...]:
    """Return what is wrong with a receiver; no message repeats a setting's value."""
    known = RECEIVER_KINDS.get(kind)
    if known is None:
        return (
            error(
                "alertmanager/unknown-kind",
                f"receiver {quote(name)} is of the unknown kind {quote(kind)}"
                f"{did_you_mean(kind, RECEIVER_KINDS)}",
                span_of(None),
                hint=f"the kinds are {', '.join(RECEIVER_KINDS)}",
            ),
        )
    where = f"receiver {quote(name)}"
    return (
        *_missing(known, where, settings, span_of),
        *(
            problem
            for key, value in settings.items()
            for problem in _setting(known, where, key, value, span_of(key))
        ),
    )


def _missing(
    kind: ReceiverKind, where: str, settings: Mapping[str, str], span_of: SpanOf
) -> tuple[Problem, ...]:
    # An inline secret is reported as that, and its file not as missing besides.
    given = {kind.file_for(key) or key if kind.setting(key) is None else key for key in settings}
    absent = [each.key for each in kind.settings if each.required and each.key not in given]
    problems = [
        error(
            "alertmanager/missing-setting",
            f"{where} ({kind.name}) has no {key}",
            span_of(None),
        )
        for key in absent
    ]
    chosen = [key for key in kind.one_of if key in given]
    if kind.one_of and len(chosen) != 1:
        problems.append(
            error(
                "alertmanager/missing-setting" if not chosen else "alertmanager/bad-setting",
                f"{where} ({kind.name}) needs exactly one of {' and '.join(kind.one_of)}",
                span_of(chosen[1] if chosen else None),
            )
        )
    return tuple(problems)


def _setting(
    kind: ReceiverKind, where: str, key: str, value: str, span: Span | None
) -> tuple[Problem, ...]:
    setting = kind.setting(key)
    if setting is None:
        return (_unknown(kind, where, key, span),)
    if setting.form in {Form.FILE, Form.URL} and _is_inline_secret(setting.form, value):
        return (_inline(where, key, span),)
    if not _has_form(value, setting.form):
        return (
            error(
                "alertmanager/bad-setting",
                f"{key} of {where} must be {setting.form}",
                span,
            ),
        )
    if setting.since is None:
        return ()
    return (
        Problem(
            id="alertmanager/needs-version",
            severity=Severity.NOTE,
            message=f"{key} of {where} needs Alertmanager {setting.since} or newer",
            span=span,
        ),
    )


def _unknown(kind: ReceiverKind, where: str, key: str, span: Span | None) -> Problem:
    file_key = kind.file_for(key)
    if file_key is not None:
        return _inline(where, key, span, file_key)
    keys = [setting.key for setting in kind.settings]
    return error(
        "alertmanager/unknown-setting",
        f"unknown setting {quote(key)} of {where}{did_you_mean(key, keys)}",
        span,
        hint=f"{kind.name} takes {', '.join(keys)}",
    )


def _inline(where: str, key: str, span: Span | None, file_key: str | None = None) -> Problem:
    hint = "keep the secret in a file that Alertmanager can read"
    return error(
        "alertmanager/inline-secret",
        f"{key} of {where} holds a secret",
        span,
        hint=f"{hint} and name that file" if file_key is None else f"{hint}: set {file_key}",
    )


def _is_inline_secret(form: Form, value: str) -> bool:
    if form is Form.FILE:
        return "://" in value
    return "@" in value.partition("://")[2].partition("/")[0]


def _has_form(value: str, form: Form) -> bool:
    if not value or value != value.strip():
        return False
    match form:
        case Form.URL:
            return _is_url(value)
        case Form.HOST_PORT:
            return _HOST_PORT.fullmatch(value) is not None
        case Form.FLAG:
            return value in {"true", "false"}
        case Form.NUMBER:
            return _NUMBER.fullmatch(value) is not None
        case Form.TEXT | Form.FILE:
            return True


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        # Reading the port is what checks it.
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
