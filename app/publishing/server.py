"""What publishing rules asks a Prometheus, besides the rules themselves."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import yaml

from app.artefacts import MANIFEST_NAME
from app.publishing.files import compose, entry, strings
from app.publishing.http import Http
from app.publishing.report import Wait
from collectors.readers.prometheus import PrometheusClient
from collectors.readers.prometheus.metadata import PrometheusMetadata, RuleGroup
from slo.errors import PublishError, SourceError
from slo.units import UnitError, parse_time
from slo.workspace import PrometheusSource

_LIFECYCLE_HINT = "start the server with --web.enable-lifecycle"
_NO_LIFECYCLE = (403, 405)


def last_part(path: str) -> str:
    """Return the name of a file, which the server may know by another folder's path."""
    return PurePosixPath(path.replace("\\", "/")).name


class PrometheusServer:
    """One server that rules are published to."""

    def __init__(self, source: PrometheusSource, wait: Wait) -> None:
        self._http = Http(source, wait.clock)
        self._client = PrometheusClient(source, clock=wait.clock)
        self._metadata = PrometheusMetadata(source, deadline=wait.timeout, clock=wait.clock)
        self._wait = wait
        self.url = source.url
        self.without_lifecycle = False

    def check(self, folder: Path) -> None:
        """Raise if the server is down, or would read more of the folder than rules.

        Raises ``SourceError`` or ``PublishError``.
        """
        self.groups()
        self._check_patterns(folder, str(self._status("config").get("yaml", "")))

    def check_reload(self) -> None:
        """Raise ``PublishError`` if the server says that it takes no reload requests."""
        if self._status("flags").get("web.enable-lifecycle") == "false":
            raise PublishError(
                f"{self.url}: the server takes no reload requests; nothing was changed",
                hint=_LIFECYCLE_HINT,
            )

    def groups(self) -> tuple[RuleGroup, ...]:
        """Return the groups of rules that are loaded. Raises ``SourceError``."""
        return self._metadata.rules()

    def reload(self) -> None:
        """Make the server read its files. Raises ``PublishError`` with what it said."""
        answer = self._http.send(
            "POST", "/-/reload", body="", timeout=float(self._wait.timeout.seconds)
        )
        if answer.status in _NO_LIFECYCLE:
            self.without_lifecycle = True
            raise PublishError(
                f"{self.url}: the server takes no reload requests ({answer.said})",
                hint=_LIFECYCLE_HINT,
            )
        if not answer.ok:
            raise PublishError(f"{self.url}: the server refused the reload ({answer.said})")
        if self._status("runtimeinfo").get("reloadConfigSuccess") is False:
            raise PublishError(f"{self.url}: the server says that its last reload failed")

    def is_older_than(self, folder: Path, names: Iterable[str]) -> bool:
        """Tell whether a file changed after the server last read its configuration."""
        present = (folder / name for name in names)
        newest = max((int(path.stat().st_mtime) for path in present if path.exists()), default=0)
        try:
            read = parse_time(str(self._status("runtimeinfo").get("lastConfigTime")))
        except UnitError:
            return False
        return newest > read.timestamp()

    def _status(self, what: str) -> dict[str, object]:
        # Thanos and proxies answer only some of these; what is not known is not held against them.
        try:
            data, _ = self._client.get(f"status/{what}", self._wait.deadline())
        except SourceError:
            return {}
        return data if isinstance(data, dict) else {}

    def _check_patterns(self, folder: Path, config: str) -> None:
        try:
            patterns = strings(entry(compose(config), "rule_files")) if config else ()
        except yaml.YAMLError:
            return
        for pattern in patterns:
            path = PurePosixPath(pattern)
            if path.parent.name == folder.resolve().name and fnmatchcase(MANIFEST_NAME, path.name):
                raise PublishError(
                    f'{self.url}: its rule_files pattern "{pattern}" would read {MANIFEST_NAME}, '
                    "too, which is no rule file",
                    hint=f"write it as {path.parent}/*.rules.yaml",
                )
