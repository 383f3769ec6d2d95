"""Texts that users may write, and a plan in which one stands wherever they may."""

from dataclasses import replace

from hypothesis import strategies as st

from collectors.tagging.model import (
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    Stream,
    SyslogSource,
)
from tests.unit.collectors.tagging.examples import airline

HOSTILE = st.text(
    st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S", "Zs")), min_size=1
).filter(lambda text: text.isprintable() and bool(text.strip())) | st.sampled_from(
    ["${env:HOME}", "$$", "$1", "%{x}", "{{ .Values }}", "a'b\"c\\d", "%s", "# no", "a]b", " x "]
)
"""Any printable text, and what means something to one program or another."""


def hostile(text: str, host: str) -> Plan:
    """A plan of one stream in which a text stands wherever a user may have written one."""
    plan = airline()
    (first, *_) = plan.streams
    sources = (
        FileSource(path=f"/var/{text}", format="logfmt", trace_id=text, hosts=(host,)),
        FileSource(path=f"/log/{text}", format="json", time=text),
        JournalSource(unit=text, format="json", multiline="^x"),
        SyslogSource(program=text, format="json", hosts=(host,)),
        OtlpSource(service=text),
        PodSource(namespace=text, labels={"a": text}, container=text),
        PodSource(namespace=text, workload=text, workload_kind="deployment", pods="^x$"),
    )
    values = {**first.values, "team": text, "component": text, "criticality": text}
    stream = Stream(
        values=values,
        dataset=first.dataset,
        namespace=first.namespace,
        identifier=first.identifier,
        component=replace(first.component, hosts=(host,)),
        sources=sources,
    )
    return replace(plan, streams=(stream,))
