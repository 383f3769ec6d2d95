"""Components that send: by OTLP through a queue on disk, and to Loki through its log."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.tagging.alloy_parts.syntax import Block, Expression, block, variable
from collectors.tagging.model import Plan

HEADROOM = "http://127.0.0.1:8501"
LOKI = "http://127.0.0.1:3100"
UNOWNED = "unattributed"
"""The Loki component for what nobody owns."""

_QUEUE_BYTES = 1 << 30


def to_headroom(plan: Plan, *, usual: bool) -> tuple[Block, ...]:
    """The exporter to Headroom, its token and its queue; the exporter is the last.

    ``usual`` says whether the endpoint of the settings is Headroom's.
    """
    token = block("otelcol.auth.bearer", label="headroom", token=variable("HEADROOM_TOKEN", "none"))
    directory = variable("HEADROOM_STATE", "/var/lib/alloy/headroom")
    queue = block(
        "otelcol.storage.file",
        block("compaction", directory=directory, on_start=True, on_rebound=True),
        label="queue",
        directory=directory,
        create_directory=True,
    )
    default = (plan.settings.endpoint if usual else None) or HEADROOM
    client = block(
        "client",
        endpoint=variable("HEADROOM_ENDPOINT", default),
        compression="gzip",
        auth=token.export("handler"),
    )
    exporter = block(
        "otelcol.exporter.otlphttp",
        client,
        _sending_queue(queue),
        block(
            "retry_on_failure",
            enabled=True,
            initial_interval="1s",
            max_interval="30s",
            max_elapsed_time="0s",
        ),
        label="headroom",
    )
    return token, queue, exporter


def _sending_queue(storage: Block) -> Block:
    return block(
        "sending_queue",
        block("batch", flush_timeout="1s", min_size=1_000_000, max_size=4_000_000, sizer="bytes"),
        enabled=True,
        storage=storage.export("handler"),
        sizer="bytes",
        queue_size=_QUEUE_BYTES,
        block_on_overflow=True,
    )


def to_loki(plan: Plan, apps: Iterable[str]) -> dict[str, Block]:
    """A writer for each application, with a tenant of its own where one is set."""
    return {app: _writer(plan, app_label(app), _tenant(app)) for app in apps} | {
        UNOWNED: _writer(plan, UNOWNED, variable("LOKI_TENANT"))
    }


def app_label(app: str) -> str:
    """An application's name as an identifier."""
    return f"app_{app.replace('-', '_')}"


def _tenant(app: str) -> Expression:
    return variable(f"LOKI_TENANT_{app.replace('-', '_').upper()}", variable("LOKI_TENANT"))


def _writer(plan: Plan, label: str, tenant: Expression) -> Block:
    base = variable("LOKI_ENDPOINT", plan.settings.endpoint or LOKI)
    endpoint = block(
        "endpoint",
        url=Expression(text=f'{base.text} + "/loki/api/v1/push"'),
        tenant_id=tenant,
        batch_wait="1s",
        batch_size="1MiB",
        min_backoff_period="1s",
        max_backoff_period="30s",
        # 0 would mean ten: there is no way to say "without end".
        max_backoff_retries=100_000,
        retry_on_http_429=True,
    )
    wal = block("wal", enabled=True, max_segment_age="12h", drain_timeout="30s")
    return block("loki.write", endpoint, wal, label=label)
