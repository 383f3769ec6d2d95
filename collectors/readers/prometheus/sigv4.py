"""AWS Signature Version 4 for requests to a managed Prometheus.

Source: AWS, "Create a signed AWS API request"; tested with the values of its published test suite.
"""

from __future__ import annotations

import configparser
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

from slo.records import dataclass

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsKeys:
    """An access key with its secret, and a session token where the key is temporary."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def find_keys(environ: Mapping[str, str], profile: str | None) -> AwsKeys | None:
    """Take keys from the environment, or a profile's from the shared credentials file.

    A profile that is named in the workspace wins over keys in the environment.
    """
    access, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if profile is None and access and secret:
        token = environ.get("AWS_SESSION_TOKEN")
        return AwsKeys(access_key=access, secret_key=secret, session_token=token or None)
    default = Path(environ.get("HOME", "~"), ".aws", "credentials")
    file = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or default)
    # Secrets may hold a percent sign, which interpolation would stumble over.
    parser = configparser.RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
        section = parser[profile or environ.get("AWS_PROFILE") or "default"]
        return AwsKeys(
            access_key=section["aws_access_key_id"],
            secret_key=section["aws_secret_access_key"],
            session_token=section.get("aws_session_token"),
        )
    except (configparser.Error, KeyError, UnicodeDecodeError):
        return None


def signed_headers(
    *,
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    keys: AwsKeys,
    scope: tuple[str, str],
    now: datetime,
) -> dict[str, str]:
    """Return the headers to add to a request; ``headers`` are signed besides the host.

    ``scope`` is region and service; ``now`` is in UTC.
    """
    address, stamp = urlsplit(url), f"{now:%Y%m%dT%H%M%SZ}"
    added = {"X-Amz-Date": stamp}
    if keys.session_token:
        added["X-Amz-Security-Token"] = keys.session_token
    signed = {"host": address.netloc.rpartition("@")[2]}
    signed |= {name.lower(): " ".join(text.split()) for name, text in {**headers, **added}.items()}
    names = ";".join(sorted(signed))
    canonical = "\n".join(
        (
            method,
            quote(address.path or "/", safe="/-_.~"),
            _canonical_query(address.query),
            *(f"{name}:{signed[name]}" for name in sorted(signed)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    credential = f"{stamp[:8]}/{'/'.join(scope)}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signature = _hmac(
        _signing_key(keys.secret_key, credential), f"{_ALGORITHM}\n{stamp}\n{credential}\n{digest}"
    )
    added["Authorization"] = (
        f"{_ALGORITHM} Credential={keys.access_key}/{credential}, "
        f"SignedHeaders={names}, Signature={signature.hex()}"
    )
    return added


def _canonical_query(query: str) -> str:
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(text, safe="-_.~"))
        for name, text in parse_qsl(query, keep_blank_values=True)
    )
    return "&".join(f"{name}={text}" for name, text in pairs)


def _signing_key(secret: str, credential: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in credential.split("/"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
