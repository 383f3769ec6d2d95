"""Sending one notification to one receiver: webhook, Slack-compatible chat, or mail.

Secrets are read from their files when they are needed, and never told.
"""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol

import requests

from app.evaluator.notify.message import FIRING, Notification
from slo.records import dataclass
from slo.workspace import Receiver

TIMEOUT = 10.0
"""Seconds that a receiver may take to answer."""

_TLS_FROM_THE_START = 465
_OK, _REDIRECTS, _BUSY, _BROKEN = range(200, 300), range(300, 400), 429, 500
_PERMANENT_SMTP = range(500, 600)
_COLOURS = {FIRING: "danger"}


class DeliveryError(Exception):
    """A notification did not arrive; ``lasting`` when trying again soon makes no sense."""

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        self.lasting = lasting
        super().__init__(message)


class Sender(Protocol):
    """What brings notifications to a receiver."""

    def send(self, notification: Notification) -> None:
        """Deliver a notification; raises ``DeliveryError``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Where secrets are: files whose relative paths start at ``root``."""

    root: Path

    def read(self, path: str) -> str:
        """Return the text of a secret's file; raises ``DeliveryError``."""
        try:
            return (self.root / path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as cause:
            reason = cause.strerror if isinstance(cause, OSError) else "it is no text"
            raise DeliveryError(f"{path} cannot be read: {reason}", lasting=True) from cause


def sender_for(receiver: Receiver, secrets: Secrets) -> Sender | None:
    """Return what sends to a receiver; ``None`` for kinds that only an Alertmanager can reach."""
    make = _SENDERS.get(receiver.kind)
    return None if make is None else make(receiver.settings, secrets)


def post(url: str, body: object, *, headers: Mapping[str, str] | None = None) -> None:
    """Post JSON to an address, which is followed nowhere else; raises ``DeliveryError``.

    No message repeats the address: those of webhooks are secrets.
    """
    data = json.dumps(body, ensure_ascii=False).encode()
    sent = {"Content-Type": "application/json", "User-Agent": "headroom", **(headers or {})}
    try:
        with requests.post(
            url, data=data, headers=sent, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as answer:
            status = answer.status_code
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as cause:
        raise DeliveryError("the address is none", lasting=True) from cause
    except requests.RequestException as cause:
        raise DeliveryError(f"no answer: {type(cause).__name__}") from cause
    if status in _REDIRECTS:
        raise DeliveryError(f"it answers {status}, a redirect, which is not followed", lasting=True)
    if status not in _OK:
        lasting = status != _BUSY and status < _BROKEN
        raise DeliveryError(f"it answers {status}", lasting=lasting)


class Webhook:
    """Posts what Alertmanager's webhooks post."""

    def __init__(self, settings: Mapping[str, str], secrets: Secrets) -> None:
        self._settings = settings
        self._secrets = secrets

    def send(self, notification: Notification) -> None:
        """Deliver a notification; raises ``DeliveryError``."""
        settings, headers = self._settings, {}
        url = settings["url"] if "url" in settings else self._secrets.read(settings["urlFile"])
        if "bearerTokenFile" in settings:
            token = self._secrets.read(settings["bearerTokenFile"])
            headers["Authorization"] = f"Bearer {token}"
        post(url, notification.body, headers=headers)


class Slack:
    """Posts a message with one attachment to an incoming webhook of Slack or its likes."""

    def __init__(self, settings: Mapping[str, str], secrets: Secrets) -> None:
        self._settings = settings
        self._secrets = secrets

    def send(self, notification: Notification) -> None:
        """Deliver a notification; raises ``DeliveryError``."""
        title = _slack_text(notification.title)
        message: dict[str, object] = {
            "attachments": [
                {
                    "title": title,
                    "text": _slack_text(notification.text),
                    "fallback": title,
                    "color": _COLOURS.get(notification.status, "good"),
                }
            ]
        }
        for setting in ("channel", "username"):
            if setting in self._settings:
                message[setting] = self._settings[setting]
        post(self._secrets.read(self._settings["apiUrlFile"]), message)


class Email:
    """Mails plain text by SMTP."""

    def __init__(self, settings: Mapping[str, str], secrets: Secrets) -> None:
        self._settings = settings
        self._secrets = secrets

    def send(self, notification: Notification) -> None:
        """Deliver a notification; raises ``DeliveryError``."""
        settings = self._settings
        message = mail(notification, settings["from"], settings["to"])
        try:
            with self._connected() as server:
                self._secure(server)
                if "authUsername" in settings and "authPasswordFile" in settings:
                    password = self._secrets.read(settings["authPasswordFile"])
                    server.login(settings["authUsername"], password)
                server.send_message(message)
        except smtplib.SMTPResponseException as cause:
            lasting = cause.smtp_code in _PERMANENT_SMTP
            raise DeliveryError(
                f"the mail server says {cause.smtp_code}", lasting=lasting
            ) from cause
        except (smtplib.SMTPException, OSError) as cause:
            raise DeliveryError(f"no mail was taken: {type(cause).__name__}") from cause

    def _connected(self) -> smtplib.SMTP:
        host, _, port = self._settings["smarthost"].rpartition(":")
        hello = self._settings.get("hello", "localhost")
        make = smtplib.SMTP_SSL if int(port) == _TLS_FROM_THE_START else smtplib.SMTP
        return make(host.strip("[]"), int(port), local_hostname=hello, timeout=TIMEOUT)

    def _secure(self, server: smtplib.SMTP) -> None:
        """Encrypt the connection, as Alertmanager does unless told that it need not be."""
        if isinstance(server, smtplib.SMTP_SSL):
            return
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif self._settings.get("requireTls", "true") == "true":
            raise DeliveryError("the mail server offers no TLS, which is required", lasting=True)


def mail(notification: Notification, sender: str, to: str) -> EmailMessage:
    """Write a notification as a mail."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = " ".join(notification.title.split())
    message["From"] = sender
    message["To"] = to
    message["Auto-Submitted"] = "auto-generated"
    newest = max((each.resolved_at or each.fired_at or 0) for each in notification.alerts)
    message["Date"] = format_datetime(datetime.fromtimestamp(newest / 1000, UTC))
    described = [each.annotations.get("description", "") for each in notification.alerts]
    message.set_content("\n\n".join([notification.text, *filter(None, described)]))
    return message


def _slack_text(text: str) -> str:
    """Text that is not markup to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_SENDERS: Mapping[str, Callable[[Mapping[str, str], Secrets], Sender]] = {
    "webhook": Webhook,
    "slack": Slack,
    "email": Email,
}
