"""The identity of a series: its name and labels, and a number that stands for both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from collectors.joining import facts as names
from collectors.receive.groups import Source, columns_of
from collectors.receive.limits import LEFT_OUT, MARK, Limits
from collectors.receive.prometheus_names import label_name
from collectors.receive.values import Attributes, Values, dumps
from slo.naming import TAGS
from slo.records import dataclass

_TAG_LABELS: Mapping[str, tuple[str, ...]] = {
    tag.label: tuple(dict.fromkeys((tag.otel, tag.ecs, tag.label)))
    for tag in TAGS
    if tag.label is not None
}
RESOURCE_LABELS: Mapping[str, tuple[str, ...]] = {
    **_TAG_LABELS,
    "env": names.ENVIRONMENT_TAG,
    "cluster": names.CLUSTER,
    "namespace": names.NAMESPACE,
    "pod": names.POD,
    "node": ("k8s.node.name", "node"),
    "container": ("k8s.container.name", "container"),
}
"""The labels that a resource gives to its series, and the attributes that hold them."""

_MOST = 33_554_432
"""How many characters of labels are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series of OTLP; ``digest`` is the same for the same name and labels everywhere."""

    digest: int
    labels: str
    attributes: str | None
    columns: tuple[str | None, ...]
    values: Values


def digest_of(name: str, labels: str) -> int:
    """A 64-bit digest of a series; ``labels`` is a JSON object with sorted keys."""
    hashed = hashlib.blake2b(f"{name}\0{labels}".encode(), digest_size=8).digest()
    return int.from_bytes(hashed, "big")


def labels_text(labels: Mapping[str, str]) -> str:
    """Write labels as they are stored: a JSON object with sorted keys."""
    return dumps(dict(sorted(labels.items())))


def with_app(labels: Mapping[str, str], app: str | None) -> Mapping[str, str]:
    """Labels that name their application, if any is known; those that name one are as they were."""
    return labels if app is None or labels.get("app") else {**labels, "app": app}


class SeriesBook:
    """Series by what they were sent as; remembers those seen, up to a number.

    ``app`` is the label of series that have none.
    """

    def __init__(self, attributes: Attributes, limits: Limits, *, app: str | None = None) -> None:
        self._app = app
        self._attributes = attributes
        self._limits = limits
        self._seen: dict[tuple[Source, str, tuple[bytes, ...], str], Series] = {}
        self._labels: dict[Source, Mapping[str, str]] = {}
        self._held = 0

    def series(
        self, source: Source, name: str, raws: Iterable[bytes], quantile: str = ""
    ) -> Series:
        """Find a point's series; raises ``ValueError`` for labels that make none."""
        key = (source, name, tuple(raws), quantile)
        found = self._seen.get(key)
        if found is None:
            found = self._make(*key)
            self._held += len(found.labels)
            if self._held > _MOST:
                self._seen.clear()
                self._labels.clear()
                self._held = 0
            self._seen[key] = found
        return found

    def _make(self, source: Source, name: str, raws: tuple[bytes, ...], quantile: str) -> Series:
        text, values = self._attributes.read(raws)
        _refuse_cut(values, self._limits)
        given = self._labels.get(source)
        if given is None:
            given = self._labels[source] = resource_labels(source.values)
        labels = _joined(given, _point_labels(values))
        if quantile:
            labels["quantile"] = quantile
        written = labels_text(with_app(labels, self._app))
        own = columns_of(values, self._limits)
        return Series(
            digest=digest_of(name, written),
            labels=written,
            attributes=text,
            columns=tuple(
                first if first is not None else second
                for first, second in zip(source.columns, own, strict=True)
            ),
            values=values,
        )


def resource_labels(values: Mapping[str, object]) -> dict[str, str]:
    """The labels that all series of a resource have."""
    labels = {}
    for label, keys in RESOURCE_LABELS.items():
        for key in keys:
            value = values.get(key)
            if isinstance(value, str) and value:
                labels[label] = value
                break
    name, space = values.get("service.name"), values.get("service.namespace")
    if isinstance(name, str) and name:
        labels["job"] = f"{space}/{name}" if isinstance(space, str) and space else name
    instance = values.get("service.instance.id", values.get("instance"))
    if isinstance(instance, str) and instance:
        labels["instance"] = instance
    return labels


def _refuse_cut(values: Values, limits: Limits) -> None:
    """Refuse labels that were shortened: two series would become one."""
    if LEFT_OUT in values:
        raise ValueError(f"a point has more than {limits.attributes} attributes")
    for key, value in values.items():
        if key.endswith(MARK):
            raise ValueError(f"a label's name is longer than {limits.name} characters")
        if isinstance(value, str) and value.endswith(MARK):
            raise ValueError(f"a label's value is longer than {limits.value} characters")


def _point_labels(values: Values) -> dict[str, str]:
    """Labels of a point's attributes; those whose names become one are joined by ``;``."""
    labels: dict[str, str] = {}
    for key in sorted(values):
        value = values[key]
        text = value if isinstance(value, str) else dumps(value)
        if not text:  # an empty label is no label
            continue
        name = label_name(key)
        labels[name] = f"{labels[name]};{text}" if name in labels else text
    return labels


def _joined(resource: Mapping[str, str], point: Mapping[str, str]) -> dict[str, str]:
    """Who sent a series is not overwritten by what it says; see ``honor_labels`` of Prometheus."""
    labels = dict(resource)
    for name, value in point.items():
        if name in resource and resource[name] != value:
            labels[f"exported_{name}"] = value
        else:
            labels[name] = value
    return labels
