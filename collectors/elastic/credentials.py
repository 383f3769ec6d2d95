"""How requests prove who sends them: an API key, a token or a password, out of files.

A file is read when a request needs it, so that rotated secrets work; no message quotes one.
"""

from __future__ import annotations

import base64
from pathlib import Path

from slo.errors import AuthenticationFailed
from slo.workspace import ElasticsearchSource

_LONGEST = 64 * 1024
_ENCODED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_")


def authorization(source: ElasticsearchSource) -> str | None:
    """The value of the Authorization header, ``None`` where the source asks for none.

    An API key may stand in its file as ``id:key`` or in the encoded form that Elasticsearch
    shows once. Raises ``AuthenticationFailed``.
    """
    if source.api_key_file:
        key = _secret(source.api_key_file, source)
        return f"ApiKey {key if _ENCODED.issuperset(key) else _base64(key)}"
    if source.bearer_token_file:
        return f"Bearer {_secret(source.bearer_token_file, source)}"
    if source.basic_auth:
        password = _secret(source.basic_auth.password_file, source)
        return f"Basic {_base64(f'{source.basic_auth.username}:{password}')}"
    return None


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _secret(file: str, source: ElasticsearchSource) -> str:
    name = source.reference
    try:
        with Path(file).open("rb") as handle:
            text = handle.read(_LONGEST + 1).decode().strip("\r\n\t ")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise AuthenticationFailed(f"{name}: cannot read {file}: {reason}", source=name) from None
    problem = None
    if not text:
        problem = "is empty"
    elif len(text) > _LONGEST:
        problem = f"is longer than {_LONGEST} bytes"
    elif not text.isprintable():
        problem = "holds characters that no secret has"
    if problem:
        raise AuthenticationFailed(f"{name}: the secret in {file} {problem}", source=name)
    return text
