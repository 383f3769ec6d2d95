"""The ways of records through a Splunk forwarder's apps."""

import re
from collections.abc import Mapping

from tests.unit.collectors.tagging.graphs.model import Path

_FIELD = re.compile(r'([a-z_]+)::(?:"((?:[^"\\]|\\.)*)"|(\S+))(?: |$)')
_CONCEPTS = {"trace_id": "trace", "span_id": "span", "version": "version"}

Stanzas = dict[str, dict[str, str]]


def stanzas(text: str) -> Stanzas:
    """A .conf file as Splunk reads it: a backslash at the end takes the next line in."""
    found: Stanzas = {}
    current: dict[str, str] = {}
    for line in re.sub(r"\\\n", "\n", text).split("\n"):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("[") and stripped.endswith("]"):
            assert stripped[1:-1] not in found, f"{stripped} twice"
            current = found.setdefault(stripped[1:-1], {})
            continue
        key, _, value = stripped.partition("=")
        assert key.strip() not in current, f"{key} twice"
        current[key.strip()] = value.strip()
    return found


def fields(meta: str) -> dict[str, str]:
    """Indexed fields by name."""
    found = {}
    at = 0
    while at < len(meta):
        match = _FIELD.match(meta, at)
        assert match is not None, meta[at:]
        held = match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
        found[match[1]] = held
        at = match.end()
    return found


def paths(files: Mapping[str, str]) -> tuple[Path, ...]:
    """Every way from an input to the indexers; an input is called by its app and stanza."""
    found = []
    base = min((name.partition("/")[0] for name in files if "/" in name), key=len)
    props, transforms, outputs = (
        stanzas(files[f"{base}/default/{name}.conf"]) for name in ("props", "transforms", "outputs")
    )
    output = f"tcpout:{outputs['tcpout']['defaultGroup']}"
    assert output in outputs
    for name, text in files.items():
        if not name.endswith("/inputs.conf"):
            continue
        app = name.partition("/")[0]
        for stanza, settings in stanzas(text).items():
            parsing = props[settings["sourcetype"]]
            steps = [each.strip() for each in parsing["TRANSFORMS-headroom"].split(",")]
            lifted = _lifted(transforms, steps)
            if "_meta" in settings:
                tags = {**fields(settings["_meta"]), "index": settings["index"]}
                found.append(Path(source=stanza, tags=tags, lifted=lifted, output=output))
                continue
            for step in steps:
                if step.endswith("_tags"):
                    index = transforms[step.removesuffix("tags") + "index"]
                    assert transforms[step]["REGEX"] == index["REGEX"]
                    tags = {**fields(transforms[step]["FORMAT"]), "index": index["FORMAT"]}
                    source = f"{stanza} {step.removesuffix('_tags')}"
                    found.append(Path(source=source, tags=tags, lifted=lifted, output=output))
        assert f"{app}/default/app.conf" in files
    return tuple(found)


def _lifted(transforms: Stanzas, steps: list[str]) -> frozenset[str]:
    found = set()
    for step in steps:
        name = transforms[step].get("FORMAT", "").partition("::")[0]
        if name in _CONCEPTS and transforms[step].get("WRITE_META") == "true":
            assert 1 == re.compile(transforms[step]["REGEX"]).groups
            found.add(_CONCEPTS[name])
    return frozenset(found)
