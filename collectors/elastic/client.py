"""Requests to one cluster: the real client, its time, retries where they may help, and errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import quote

from collectors.elastic.completeness import incomplete, lost_shards
from collectors.elastic.connection import connect
from collectors.elastic.credentials import authorization
from collectors.elastic.failures import from_exception
from collectors.elastic.flavors import Flavor, Version, version_of
from collectors.elastic.refusal import Refusal
from collectors.elastic.transient import PassingError
from collectors.readers.prometheus.clock import Clock, Deadline, within
from slo.errors import AuthenticationFailed, SourceError, SourceTimeout, SourceUnavailable
from slo.units import Duration
from slo.workspace import ElasticsearchSource

__all__ = ["Cluster", "PointInTime", "connect"]

T = TypeVar("T")

_JSON = "application/json"
_LINES = "application/x-ndjson"
_RETRIES = 2
_FIRST_PAUSE = 0.2
_NOT_FOUND = 404
_MISSING_IS_NONE = {"ignore_unavailable": "true", "allow_no_indices": "true"}
# The server should give up first, so that it can say what it found until then.
_SERVER_SHARE = 0.9


class Cluster:
    """One Elasticsearch or OpenSearch cluster; safe to share between threads.

    Every failure is a ``SourceError`` that names the source. ``client`` is the official client
    for what has no method here, such as its bulk helpers; wrap its calls in `answered`.
    """

    def __init__(
        self,
        source: ElasticsearchSource,
        *,
        environ: Mapping[str, str] | None = None,
        timeout: Duration | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.source = source
        self.flavor = Flavor(source.flavor)
        self.timeout = timeout or source.timeout
        self.clock = clock or Clock()
        self.client = connect(source, environ=environ, timeout=timeout)
        self._version: Version | None = None
        self._asking = Lock()

    @property
    def reference(self) -> str:
        """How the workspace names the cluster."""
        return self.source.reference

    @property
    def version(self) -> Version:
        """The version of its oldest node, asked for once. Raises ``SourceError``."""
        with self._asking:
            if self._version is None:
                self._version = self._ask_version()
            return self._version

    def answered(
        self, call: Callable[[], T], *, retry: bool = False, timeout: Duration | None = None
    ) -> T:
        """What a call of the client returns, within ``timeout``; ``retry`` is for pure reads.

        Raises ``SourceError``.
        """
        length = timeout or self.timeout
        until = Deadline(self.clock, length)
        pause, tries = _FIRST_PAUSE, _RETRIES if retry else 0
        while True:
            try:
                return self._once(call, until.remaining(), length)
            except PassingError as passing:
                if not tries or until.remaining() <= pause:
                    raise passing.error from None
            self.clock.sleep(pause * (0.5 + self.clock.jitter()))
            pause, tries = pause * 2, tries - 1

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        params: Mapping[str, str] | None = None,
        timeout: Duration | None = None,
        retry: bool | None = None,
    ) -> Any:
        """The body of the answer to one request; ``retry`` is by default for GET and HEAD alone.

        ``path`` is encoded already. A body that is a list or bytes is sent as JSON lines. Raises
        ``Refusal`` when the cluster refuses the request, and other ``SourceError``.
        """
        length = timeout or self.timeout
        headers = {"accept": _JSON}
        if body is not None:
            headers["content-type"] = _LINES if isinstance(body, list | bytes) else _JSON
        client = self.client.options(request_timeout=float(length.seconds))

        def send() -> Any:
            # A secret may have been rotated since the client was made.
            proof = authorization(self.source)
            mine = headers if proof is None else {**headers, "authorization": proof}
            return client.perform_request(method, path, params=params, headers=mine, body=body).body

        again = method in {"GET", "HEAD"} if retry is None else retry
        return self.answered(send, retry=again, timeout=length)

    def get(self, path: str, *, params: Mapping[str, str] | None = None) -> Any | None:
        """The body of what stands under a path, ``None`` where nothing does."""
        try:
            return self.call("GET", path, params=params)
        except Refusal as refusal:
            if refusal.status == _NOT_FOUND:
                return None
            raise

    def put(self, path: str, body: object) -> Any:
        """Put a resource under a path."""
        return self.call("PUT", path, body)

    def search(
        self,
        index: str | None,
        body: Mapping[str, Any],
        *,
        timeout: Duration | None = None,
        partial: bool = True,
    ) -> Mapping[str, Any]:
        """The answer to a search of index patterns, separated by commas; of none there is nothing.

        ``index`` is ``None`` where the body names a point in time. With ``partial``, an answer
        that lacks shards or ran out of time is returned, and `incomplete` says what it lacks;
        without, that raises ``SourceTimeout`` or ``SourceUnavailable``.
        """
        length = timeout or self.timeout
        milliseconds = max(1, int(length.milliseconds * _SERVER_SHARE))
        found = self.call(
            "POST",
            "/_search" if index is None else f"/{quote(index, safe='*,')}/_search",
            {"timeout": f"{milliseconds}ms", **body},
            params=None if index is None else _MISSING_IS_NONE,
            timeout=length,
            retry=True,
        )
        self._expect_object(found, "hits")
        return dict(found) if partial else self.whole(found)

    def whole(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """An answer that lacks nothing; else raises ``SourceTimeout`` or ``SourceUnavailable``."""
        lacking = incomplete(found)
        if lacking:
            kind = SourceTimeout if found.get("timed_out") else SourceUnavailable
            raise kind(f"{self.reference}: {'; '.join(lacking)}", source=self.reference)
        return dict(found)

    @contextmanager
    def point_in_time(self, index: str, *, keep_alive: Duration) -> Iterator[PointInTime]:
        """Hold a view of index patterns still while it is paged through."""
        kept = f"{keep_alive.milliseconds}ms"
        identifier, shards = self._open(index, kept)
        point = PointInTime(self, index, identifier, kept, shards)
        try:
            yield point
        finally:
            # It ends by itself soon; a failure here must not hide what was found.
            with suppress(SourceError):
                self._close(point.identifier)

    def bulk(
        self,
        lines: Sequence[Mapping[str, Any]] | bytes,
        *,
        params: Mapping[str, str] | None = None,
        timeout: Duration | None = None,
    ) -> Mapping[str, Any]:
        """Send actions and documents in turn, never twice; each item of the answer has a fate."""
        body = lines if isinstance(lines, bytes) else list(lines)
        answer = self.call("POST", "/_bulk", body, params=params, timeout=timeout)
        self._expect_object(answer, "items")
        return dict(answer)

    def close(self) -> None:
        """Close its connections."""
        self.client.close()

    def _once(self, call: Callable[[], T], seconds: float, length: Duration) -> T:
        try:
            return within(seconds, call)
        except TimeoutError:
            raise SourceTimeout(
                f"{self.reference}: no complete answer within {length}",
                source=self.reference,
                hint="is the cluster overloaded? raise the source's timeout if it needs longer",
            ) from None
        except Exception as error:
            known = from_exception(error, self.reference)
            if known is error:
                raise
            raise known from error

    def _ask_version(self) -> Version:
        # The nodes themselves, since GET / may be made to tell the version of another product.
        refused: SourceError | None = None
        for path, wanted in (("/_nodes/_all/http", "nodes.*.version"), ("/", "version")):
            try:
                found = version_of(self.call("GET", path, params={"filter_path": wanted}))
            except (Refusal, AuthenticationFailed) as error:
                refused = error
                continue
            if found is not None:
                return found
        raise refused or SourceUnavailable(
            f"{self.reference}: the server does not say which version it is",
            source=self.reference,
            hint="does the url lead to Elasticsearch or OpenSearch itself?",
        )

    def _open(self, index: str, keep_alive: str) -> tuple[str | None, Mapping[str, Any]]:
        """A view's identifier, ``None`` where OpenSearch has no index to view, and its shards."""
        path = f"/{quote(index, safe='*,')}"
        if self.flavor is Flavor.ELASTICSEARCH:
            params = {"keep_alive": keep_alive, "ignore_unavailable": "true"}
            answer = self.call("POST", f"{path}/_pit", params=params, retry=True)
            self._expect_object(answer, "id")
            return str(answer["id"]), answer.get("_shards") or {}
        try:
            answer = self.call(
                "POST",
                f"{path}/_search/point_in_time",
                params={"keep_alive": keep_alive},
                retry=True,
            )
        except Refusal as refusal:
            # What it says of a pattern that meets no index, as it then has nothing to number.
            if refusal.status == _NOT_FOUND or "invalid id: [null]" in refusal.reason:
                return None, {}
            raise
        self._expect_object(answer, "pit_id")
        return str(answer["pit_id"]), answer.get("_shards") or {}

    def _close(self, identifier: str | None) -> None:
        if identifier is None:
            return
        if self.flavor is Flavor.ELASTICSEARCH:
            self.call("DELETE", "/_pit", {"id": identifier})
        else:
            self.call("DELETE", "/_search/point_in_time", {"pit_id": [identifier]})

    def _expect_object(self, answer: object, key: str) -> None:
        if not isinstance(answer, Mapping) or key not in answer:
            raise SourceUnavailable(
                f"{self.reference}: the answer is not one of Elasticsearch's ({key} is missing)",
                source=self.reference,
                hint="does the url lead to Elasticsearch or OpenSearch itself?",
            )


class PointInTime:
    """A view of indices that stays as it is; ``identifier`` is ``None`` if there were none."""

    def __init__(
        self,
        cluster: Cluster,
        index: str,
        identifier: str | None,
        keep_alive: str,
        shards: Mapping[str, Any],
    ) -> None:
        self.identifier = identifier
        self._index = index
        self._cluster = cluster
        self._keep_alive = keep_alive
        self._lost = lost_shards(shards)
        self._total = shards.get("total")

    def search(
        self, body: Mapping[str, Any], *, timeout: Duration | None = None, partial: bool = True
    ) -> Mapping[str, Any]:
        """The answer to a search of this view, as `Cluster.search` gives it."""
        if self.identifier is None:
            return self._cluster.search(self._index, body, timeout=timeout, partial=partial)
        pit = {"id": self.identifier, "keep_alive": self._keep_alive}
        found = self._cluster.search(None, {**body, "pit": pit}, timeout=timeout)
        self.identifier = str(found.get("pit_id") or self.identifier)
        if self._lost:
            # OpenSearch makes views without shards that are nowhere; searches do not know of them.
            lost = self._lost + lost_shards(found.get("_shards") or {})
            found = {**found, "_shards": {"total": self._total, "failed": lost}}
        return found if partial else self._cluster.whole(found)
