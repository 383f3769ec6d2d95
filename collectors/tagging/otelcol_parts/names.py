"""What components are called in a version: the Collector renamed them during 2026."""

from __future__ import annotations

from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names of components; the new ones do not load in older versions."""

    otlp_http: str
    k8s_attributes: str
    file_log: str


def names_of(version: tuple[int, ...]) -> Names:
    """The names that a version knows."""
    return Names(
        otlp_http="otlp_http" if version >= (0, 144) else "otlphttp",
        k8s_attributes="k8s_attributes" if version >= (0, 146) else "k8sattributes",
        file_log="file_log" if version >= (0, 149) else "filelog",
    )


def release(version: tuple[int, ...]) -> str:
    """A version as images and packages spell it, with all three numbers."""
    return ".".join(str(part) for part in (*version, 0, 0)[:3])
