"""Receivers of the workspace as Alertmanager writes them; secrets stay in their files."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from alerts.alertmanager.destinations import DEFAULT_RECEIVER, Directory
from slo.receivers import RECEIVER_KINDS, Form, ReceiverKind
from slo.workspace import Receiver

# Group labels are app, env and slo for our alerts, and whatever there is for those of others.
_TITLE = (
    '[{{ .CommonLabels.severity }} {{ .Status }}] {{ .GroupLabels.SortedPairs.Values | join " " }}'
)
_TEXT = (
    "{{ range .Alerts }}{{ or .Annotations.summary .Labels.alertname }}\n{{ end }}"
    '{{ range .CommonAnnotations.SortedPairs }}{{ if match "_url$" .Name }}'
    "{{ .Name }}: {{ .Value }}\n{{ end }}{{ end }}"
)
_FIRST_SUMMARY = "{{ (index .Alerts 0).Annotations.summary }}"


def _by_severity(page: str, other: str) -> str:
    return f'{{{{ if eq .CommonLabels.severity "page" }}}}{page}{{{{ else }}}}{other}{{{{ end }}}}'


_MESSAGES: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "email": {"headers": {"Subject": _TITLE}},
        "msteams": {"title": _TITLE, "text": _TEXT},
        "opsgenie": {
            "message": _TITLE,
            "description": _TEXT,
            "priority": _by_severity("P1", "P3"),
        },
        "pagerduty": {
            "description": f"{_TITLE}: {_FIRST_SUMMARY}",
            "severity": _by_severity("critical", "warning"),
        },
        "slack": {"title": _TITLE, "text": _TEXT},
        "telegram": {"message": f"{_TITLE}\n{_TEXT}", "parse_mode": ""},
        "victorops": {
            "message_type": _by_severity("CRITICAL", "WARNING"),
            "entity_display_name": _TITLE,
            "state_message": _TEXT,
        },
        "webhook": {},
    }
)

# Microsoft retired the connectors that the integration named plain msteams posts to.
_SECTIONS = {"msteams": "msteamsv2_configs"}


def receiver_configs(directory: Directory) -> list[dict[str, object]]:
    """Return every receiver by name, after a silent default one if the workspace has none."""
    written = [_receiver(each) for each in directory.receivers]
    if any(each.name == DEFAULT_RECEIVER for each in directory.receivers):
        return written
    return [{"name": DEFAULT_RECEIVER}, *written]


def _receiver(receiver: Receiver) -> dict[str, object]:
    kind = RECEIVER_KINDS.get(receiver.kind)
    if kind is None:
        return {"name": receiver.name}
    section = _SECTIONS.get(kind.name, f"{kind.name}_configs")
    integration = {
        "send_resolved": True,
        **_settings(kind, receiver.settings),
        **_MESSAGES[kind.name],
    }
    return {"name": receiver.name, section: [integration]}


def _settings(kind: ReceiverKind, settings: Mapping[str, str]) -> dict[str, object]:
    written: dict[str, object] = {}
    for setting in kind.settings:
        if setting.key not in settings:
            continue
        value = settings[setting.key]
        if setting.key == "bearerTokenFile":
            authorization = {"type": "Bearer", "credentials_file": value}
            written["http_config"] = {"authorization": authorization}
        else:
            written[_snake_case(setting.key)] = _plain(value, setting.form)
    return written


def _plain(value: str, form: Form) -> object:
    match form:
        case Form.FLAG:
            return value == "true"
        case Form.NUMBER:
            return int(value)
        case _:
            return value


def _snake_case(key: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", key)
