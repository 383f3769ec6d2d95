"""The destination: documents in bulk, kept on disk until they are taken."""

from __future__ import annotations

from collectors.tagging.model import Plan
from collectors.tagging.shipping import endpoint, is_elastic, path_of_intake
from collectors.tagging.syslog_ng_parts.records import STATE
from collectors.tagging.syslog_ng_parts.text import variable
from slo.collecting import Destination

QUEUE_BYTES = 1 << 30

_AGAIN = (401, 403, 404, 408, 429, *range(500, 512))
_NEVER = (400, 405, 413, 415)


def credentials(plan: Plan) -> tuple[str, ...]:
    """The variables of what a sender shows."""
    if not is_elastic(plan):
        return ("HEADROOM_TOKEN",)
    if plan.settings.destination is Destination.OPENSEARCH:
        return ("OPENSEARCH_USERNAME", "OPENSEARCH_PASSWORD")
    return ("ELASTICSEARCH_API_KEY",)


def sending(plan: Plan) -> str:
    """The destination; what it answers for single documents is not looked at."""
    body = (
        f'{{"create":{{"_index":"${{{STATE}index}}","_id":"${{UNIQID}}"}}}}\\n'
        "$(format-json --scope none --key .ecs.* --shift-levels 2 --key .json.* --shift-levels 2"
        f" --pair @timestamp=${{{STATE}time}} --pair message=$MESSAGE)"
    )
    actions = ", ".join(
        [f"{status} => disconnect" for status in _AGAIN]
        + [f"{status} => drop" for status in _NEVER]
    )
    name = endpoint(plan)[0]
    return (
        "destination d_headroom {\n"
        f'  http(url({variable(name, after=path_of_intake(plan) + "/_bulk")}) method("POST")\n'
        f"    {_shown(plan)}\n"
        f'    delimiter("\\n") body-suffix("\\n")\n'
        f"    body({_body(body)})\n"
        "    batch-lines(500) batch-bytes(1048576) batch-timeout(1000) timeout(60) workers(1)\n"
        f"    response-action({actions})\n"
        '    time-reopen(5) persist-name("headroom")\n'
        f"    disk-buffer(disk-buf-size({QUEUE_BYTES}) mem-buf-size(16777216) reliable(yes)\n"
        # Without it what was overwritten, a secret, is still in what is written.
        "      compaction(yes)"
        f" dir({variable('HEADROOM_STATE')})));\n"
        "};\n"
    )


def _body(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _shown(plan: Plan) -> str:
    kind = '"Content-Type: application/x-ndjson"'
    first, *others = credentials(plan)
    if others:
        return f"headers({kind}) user({variable(first)}) password({variable(*others)})"
    scheme = "ApiKey " if is_elastic(plan) else "Bearer "
    return f"headers({kind} {variable(first, before=f'Authorization: {scheme}')})"
