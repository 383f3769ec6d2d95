"""How CloudWatch is reached: boto3's clients, AWS credentials and roles, errors by name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import import_module
from threading import Lock
from typing import Any

from collectors.readers.external.refusals import quoted
from collectors.readers.prometheus.clock import Clock
from slo.errors import (
    AuthenticationFailed,
    QueryRejected,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from slo.workspace import ExternalSource

_MARGIN = timedelta(minutes=5)
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_LIMITED = frozenset(
    {
        "LimitExceededException",
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
_NO_CREDENTIALS = (
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "TokenRetrievalError",
    "ProfileNotFound",
    "SSOError",
)
_SLOW = ("ConnectTimeoutError", "ReadTimeoutError")
_SERVER_ERRORS = 500


class Access:
    """Sends requests for one source; safe to share between threads.

    The first request loads boto3. ``environ`` may name region, profile and keys; where it does
    not, boto3 looks where AWS's own tools do.
    """

    def __init__(self, source: ExternalSource, environ: Mapping[str, str], clock: Clock) -> None:
        self.source = source
        self._environ = environ
        self._clock = clock
        self._opening = Lock()
        self._client: Any = None
        self._expires: datetime | None = None
        self._masked: tuple[str, ...] = ()

    def ask(self, operation: str, request: Mapping[str, object]) -> Mapping[str, Any]:
        """Return the answer to one operation of CloudWatch; raises ``SourceError``."""
        exceptions = self._module("botocore.exceptions")
        parsing = self._module("botocore.parsers").ResponseParserError
        try:
            answer: Mapping[str, Any] = getattr(self._open(), operation)(**request)
        except exceptions.ClientError as error:
            raise self._refusal(error) from None
        except exceptions.BotoCoreError as error:
            raise self._failure(error) from None
        except (parsing, ValueError, TypeError, AttributeError, KeyError):
            # botocore has no one way to stumble over an answer of another shape.
            raise self._unavailable(
                "the answer is not that of CloudWatch", "check the source's url"
            ) from None
        except OSError as error:
            raise self._unavailable(
                f"a file of its tls settings cannot be used: {quoted(str(error))}",
                "check the source's tls settings",
            ) from None
        return answer

    def _open(self) -> Any:
        with self._opening:
            if self._client is None or self._is_expiring():
                session = self._session()
                role = self.source.settings.get("roleArn")
                if role:
                    session = self._assumed(session, role)
                self._remember(session)
                self._client = session.client("cloudwatch", **self._options(self.source.url))
            return self._client

    def _is_expiring(self) -> bool:
        return self._expires is not None and self._clock.now() >= self._expires - _MARGIN

    def _session(self) -> Any:
        settings, environ = self.source.settings, self._environ
        profile = settings.get("profile") or environ.get("AWS_PROFILE")
        keys: dict[str, str | None] = {}
        if not profile and environ.get("AWS_ACCESS_KEY_ID"):
            keys = {
                "aws_access_key_id": environ["AWS_ACCESS_KEY_ID"],
                "aws_secret_access_key": environ.get("AWS_SECRET_ACCESS_KEY"),
                "aws_session_token": environ.get("AWS_SESSION_TOKEN"),
            }
        return self._module("boto3").Session(
            region_name=self._region(), profile_name=profile or None, **keys
        )

    def _region(self) -> str | None:
        named = ("AWS_REGION", "AWS_DEFAULT_REGION")
        found = (self._environ.get(each) for each in named)
        return self.source.settings.get("region") or next(filter(None, found), None)

    def _assumed(self, session: Any, role: str) -> Any:
        """A session of the role's short-lived keys."""
        self._remember(session)
        request = {"RoleArn": role, "RoleSessionName": "headroom"}
        external = self.source.settings.get("externalId")
        if external:
            request["ExternalId"] = external
        keys = session.client("sts", **self._options(None)).assume_role(**request)["Credentials"]
        self._expires = keys["Expiration"]
        return self._module("boto3").Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            region_name=session.region_name,
        )

    def _options(self, url: str | None) -> dict[str, Any]:
        source, tls = self.source, self.source.tls
        seconds = float(source.timeout.seconds)
        settings: dict[str, Any] = {
            "connect_timeout": seconds,
            "read_timeout": seconds,
            "retries": {"mode": "standard", "total_max_attempts": source.retries + 1},
            "user_agent_extra": "headroom",
        }
        if tls.cert_file:
            settings["client_cert"] = (
                (tls.cert_file, tls.key_file) if tls.key_file else tls.cert_file
            )
        return {
            "endpoint_url": url,
            "verify": False if tls.insecure_skip_verify else (tls.ca_file or None),
            "config": self._module("botocore.config").Config(**settings),
        }

    def _remember(self, session: Any) -> None:
        keys = session.get_credentials()
        if keys is not None:
            frozen = keys.get_frozen_credentials()
            found = (frozen.access_key, frozen.secret_key, frozen.token)
            self._masked = (*self._masked, *filter(None, found))[-6:]

    def _quote(self, words: str) -> str:
        for each in self._masked:
            words = words.replace(each, "***")
        return quoted(words)

    def _refusal(self, error: Any) -> SourceError:
        """What AWS answered instead of numbers."""
        name = self.source.reference
        code = str(error.response.get("Error", {}).get("Code", ""))
        words = str(error.response.get("Error", {}).get("Message", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        said = self._quote(f"{code}: {words}")
        if code in _DENIED or status in (401, 403):
            return AuthenticationFailed(
                f"{name}: AWS refused the credentials: {said}",
                source=name,
                hint="these credentials need cloudwatch:GetMetricData"
                " (and sts:AssumeRole for a roleArn)",
            )
        if code in _LIMITED:
            return self._unavailable(
                f"AWS limits requests: {said}", "ask less often, or have the quota raised"
            )
        if status >= _SERVER_ERRORS:
            return self._unavailable(f"AWS answered {status}: {said}", None)
        return QueryRejected(f"{name}: CloudWatch refused the query: {said}", source=name)

    def _failure(self, error: Exception) -> SourceError:
        """What came to no answer of AWS, by the name that botocore has for it."""
        name = self.source.reference
        kinds = [each.__name__ for each in type(error).__mro__]
        said = self._quote(str(error))
        if any(each in _NO_CREDENTIALS for each in kinds):
            return AuthenticationFailed(
                f"{name}: there are no AWS credentials: {said}",
                source=name,
                hint="name a profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        if any(each in _SLOW for each in kinds):
            return SourceTimeout(f"{name}: no answer in time", source=name)
        if "ParamValidationError" in kinds:
            return QueryRejected(f"{name}: boto3 refused the query: {said}", source=name)
        if "NoRegionError" in kinds:
            return self._unavailable("no AWS region is named", "name it in the source's region")
        return self._unavailable(f"cannot be reached: {said}", "check region, url and tls settings")

    def _unavailable(self, what: str, hint: str | None) -> SourceUnavailable:
        name = self.source.reference
        return SourceUnavailable(f"{name}: {what}", source=name, hint=hint)

    def _module(self, name: str) -> Any:
        try:
            return import_module(name)
        except ModuleNotFoundError:
            raise self._unavailable(
                "boto3 is not installed", "pip install 'headroom[cloudwatch]'"
            ) from None
