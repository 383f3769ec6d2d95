"""Plans and lines that the tests of the shippers of documents share."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from collectors.tagging.model import (
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    Source,
    Stream,
    SyslogSource,
)
from slo.collecting import MASK, Collecting
from tests.unit.collectors.tagging.examples import airline

TRACE = "4BF92F3577B34DA6A3CE929D0E0E4736"
SPAN = "00F067AA0BA902B7"

HOSTILE = st.text(
    st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S", "Zs")), min_size=1
).filter(lambda text: text.isprintable() and bool(text.strip())) | st.sampled_from(
    [
        *("${env:HOME}", "${HOME}", "$HOME", "$$", "#{`id`}", "%{[host][name]}", "%{+YYYY}"),
        *("{{ .Values }}", "a'b\"c\\d", "\\", "'", '"', "\\'", '\\"', "]]", "--]]", "%s", "#x"),
        *("a # b", "}", "x}${HOME}", "=>", "@include x", "</source>", "{{ text }}", "*/", "]==]"),
    ]
)
"""Texts that mean something to one syntax or another."""


def hostile(text: str, host: str) -> Plan:
    """A plan in which a text stands wherever a user may have written one."""
    plan = airline()
    (first, *_) = plan.streams
    return replace(
        plan,
        streams=(
            replace(
                first,
                values={**first.values, "team": text, "component": text, "criticality": text},
                component=replace(first.component, hosts=(host,)),
                sources=(
                    FileSource(path=f"/var/{text}", format="logfmt", trace_id=text, hosts=(host,)),
                    FileSource(path=f"/log/{text}", format="plain", time=text, span_id=text),
                    JournalSource(unit=text, format="json", multiline="^[[{]x'\""),
                    SyslogSource(program=text, format="json", hosts=(host,)),
                    OtlpSource(service=text),
                    PodSource(namespace="cargo", labels={"a": text}, container=text),
                    PodSource(namespace=text, workload=text, workload_kind="pod", pods="^x$"),
                ),
            ),
        ),
    )


def plan_for(source: Source, **settings: Any) -> tuple[Plan, Stream]:
    """A plan of one stream with one source."""
    plan = airline(Collecting(**settings))
    stream = replace(plan.streams[0], sources=(source,))
    return replace(plan, streams=(stream,)), stream


JSON_LINE = json.dumps(
    {
        "ts": "2026-03-04T05:06:07.123+02:00",
        "level": "ERROR",
        "msg": "card 4111 1111 1111 1111, Bearer abc.def",
        "trace_id": TRACE,
        "span_id": SPAN,
        "version": "1.2.3",
        "service": {"name": "spoof", "environment": "spoof"},
        "labels": {"app": "spoof", "route": "/pay"},
        "data_stream": {"dataset": "spoof"},
        "host": "a scalar",
        "user": {"password": "hunter2", "note": "://joe:pw@db", "tries": 3},
        "list": [{"secret": "s"}, "Basic dXNlcjpwYXNz"],
    }
)
"""A record that claims another owner, holds secrets everywhere, and has all that is lifted."""

PLAIN_LINE = f"2026-03-04 05:06:07.123+02:00 WARN paid trace_id={TRACE} span_id={SPAN} password=x1"
LOGFMT_LINE = f'when=2026-03-04T03:06:07Z level=warn msg="said \\"no\\"" trace_id={TRACE} a=1'


def at(document: Mapping[str, Any], name: str) -> Any:
    """A field of a document by its dotted name, whether it is nested or not."""
    if name in document:
        return document[name]
    found: Any = document
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def check_json(document: Mapping[str, Any], tags: Mapping[str, str]) -> None:
    """The document of ``JSON_LINE`` has its owner's tags, what was lifted, and no secret."""
    assert dict(tags) == {name: at(document, name) for name in tags}
    assert TRACE.lower() == at(document, "trace.id")
    assert SPAN.lower() == at(document, "span.id")
    assert "1.2.3" == at(document, "service.version")
    assert "error" == str(at(document, "log.level")).lower()
    assert f"card {MASK}, {MASK}" == document["message"]
    assert "2026-03-04T03:06:07.123Z" == document["@timestamp"]
    assert MASK == at(document, "user.password")
    assert f"{MASK}db" == at(document, "user.note")
    assert 3 == at(document, "user.tries")
    assert [{"secret": MASK}, MASK] == at(document, "list")
    assert "/pay" == at(document, "labels.route")
    assert "a scalar" == at(document, "labels.host")
    assert "spoof" not in json.dumps(document)


def check_plain(document: Mapping[str, Any], tags: Mapping[str, str]) -> None:
    """The document of ``PLAIN_LINE`` has what its text says."""
    assert dict(tags) == {name: at(document, name) for name in tags}
    assert TRACE.lower() == at(document, "trace.id")
    assert SPAN.lower() == at(document, "span.id")
    assert "warn" == str(at(document, "log.level")).lower()
    assert "2026-03-04T03:06:07.123Z" == document["@timestamp"]
    assert document["message"].endswith(f"span_id={SPAN} {MASK}")


def check_logfmt(document: Mapping[str, Any], tags: Mapping[str, str]) -> None:
    """The document of ``LOGFMT_LINE`` has its fields, its time from the field of its own."""
    assert dict(tags) == {name: at(document, name) for name in tags}
    assert 'said "no"' == document["message"]
    assert "1" == str(at(document, "a"))
    assert TRACE.lower() == at(document, "trace.id")
    assert str(document["@timestamp"]).startswith("2026-03-04T03:06:07")
