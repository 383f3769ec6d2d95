"""Opening a source that counts by queries of its own, whichever product it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import cast

from collectors.readers.external.port import Adapter
from collectors.readers.prometheus.clock import Clock
from slo.workspace import EXTERNAL_KINDS, ExternalSource

Opener = Callable[[ExternalSource, Mapping[str, str], Clock], Adapter]
"""Opens a source of its kind: with the environment's variables, and the time requests live in."""

# Each is a module of its own, so that nobody loads what only another product needs.
_OPENERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {kind: (f"collectors.readers.external.{kind}", f"open_{kind}") for kind in EXTERNAL_KINDS}
)


def open_adapter(
    source: ExternalSource, environ: Mapping[str, str], clock: Clock | None = None
) -> Adapter:
    """Return what asks a source; raises ``SourceError`` where it cannot even be set up."""
    module, name = _OPENERS[source.kind]
    opener = cast("Opener", getattr(import_module(module), name))
    return opener(source, environ, clock or Clock())
