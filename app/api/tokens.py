"""Who may send telemetry: bearer tokens from files, some of them bound to an application."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from pathlib import Path

from app.api.problems import HttpProblem
from slo.errors import UsageError
from slo.model import Catalog
from slo.records import dataclass
from slo.serving import Serving
from slo.suggest import did_you_mean

_SHORTEST = 16
_LARGEST_FILE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends; what they send is stored as ``app``, when that is given."""

    app: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    digest: bytes
    app: str | None


class Tokens:
    """The tokens of a server.

    Without any, everybody may send who reaches a server that is open; where people sign in, those
    on the same machine.
    """

    def __init__(self, tokens: Mapping[str, str | None], *, open_to_all: bool) -> None:
        self._tokens = [_Token(digest=_digest(text), app=app) for text, app in tokens.items()]
        self._open = open_to_all

    def sender(self, authorization: str | None, address: str | None) -> Sender:
        """Tell who sends; raises ``HttpProblem``: 401 for no token or a wrong one."""
        if not self._tokens:
            if self._open or _is_loopback(address):
                return Sender()
            raise HttpProblem(
                403,
                "this server takes telemetry from its own machine only",
                hint="name a token under serve.ingestTokens in headroom.yaml",
            )
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise _unauthorized("a token is needed: Authorization: Bearer TOKEN")
        digest = _digest(text.strip())
        # Every token is compared, so that the time tells nothing about which one was close.
        found = [each for each in self._tokens if hmac.compare_digest(each.digest, digest)]
        if not found:
            raise _unauthorized("the token is not one of this server's")
        return Sender(app=found[0].app)


def read_tokens(serving: Serving, root: Path, catalog: Catalog) -> Tokens:
    """Read the files of a workspace's tokens.

    Raises ``UsageError`` for a file that cannot be read, a token that is short or given twice,
    and an application that is not in the catalogue.
    """
    found: dict[str, str | None] = {}
    names = [app.name for app in catalog.apps]
    for each in serving.ingest_tokens:
        text = _text(root / each.file, each.file)
        if text in found:
            raise UsageError(f"{each.file} holds the same token as another file")
        if each.app is not None and each.app not in names:
            raise UsageError(
                f'the token in {each.file} is for "{each.app}", which is no app'
                f"{did_you_mean(each.app, names)}"
            )
        found[text] = each.app
    return Tokens(found, open_to_all=serving.open)


def _text(path: Path, shown: str) -> str:
    try:
        content = path.read_bytes()[: _LARGEST_FILE + 1]
        text = content.decode("ascii").strip()
    except OSError as error:
        raise UsageError(f"the token file {shown} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the token in {shown} is not plain ASCII") from error
    if not _SHORTEST <= len(text) <= _LARGEST_FILE or any(char.isspace() for char in text):
        raise UsageError(
            f"the token in {shown} is no single word of at least {_SHORTEST} characters",
            hint="openssl rand -hex 32 makes one",
        )
    return text


def _unauthorized(detail: str) -> HttpProblem:
    return HttpProblem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="headroom"'})


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _is_loopback(address: str | None) -> bool:
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
