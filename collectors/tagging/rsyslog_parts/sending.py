"""From the spool to the destination: the queue, retries and dead letters."""

from __future__ import annotations

from collectors.tagging.model import Plan
from collectors.tagging.rsyslog_parts.records import SPOOL
from collectors.tagging.rsyslog_parts.text import quoted, ruleset, variable
from collectors.tagging.shipping import endpoint, is_elastic, path_of_intake

DEAD_LETTERS = "/dead-letters.jsonl"
REFUSED = "/refused.jsonl"
_QUEUE_BYTES = 1 << 30
_AGAIN_BYTES = 256 << 20

# One action of a request and its document, as the module writes them.
_ACTION = '^[{]"create":[{]"_index": "([^"]*)", "_id":"([^"]*)"[}][}]\n([^\n]*)\n(.*)$'

_TEMPLATES = """\
template(name="headroom_index" type="list") { property(name="$.index") }
template(name="headroom_id" type="list") { property(name="$.id") }
template(name="headroom_send" type="list") { property(name="$.document") }
template(name="headroom_again" type="list") {
  property(name="$.index") constant(value=" ") property(name="$.id") constant(value=" ")
  property(name="$.document") constant(value="\\n")
}
template(name="headroom_dead" type="list") {
  constant(value="{\\"index\\":\\"") property(name="$.index" format="json")
  constant(value="\\",\\"id\\":\\"") property(name="$.id" format="json")
  constant(value="\\",\\"answer\\":") property(name="$.answer")
  constant(value=",\\"document\\":\\"") property(name="$.document" format="json")
  constant(value="\\"}\\n")
}
"""


def sending(plan: Plan) -> str:
    """Everything behind the spool, which holds nothing secret any more."""
    return "".join((_TEMPLATES, _send(plan), _again(), _refused(), _inputs()))


def credentials(plan: Plan) -> tuple[str, str]:
    """The variables of a name and a password: this version's module knows no other way."""
    if not is_elastic(plan):
        return "HEADROOM_USERNAME", "HEADROOM_TOKEN"
    which = plan.settings.destination.value.upper()
    return f"{which}_USERNAME", f"{which}_PASSWORD"


def _queue(name: str, size: int, more: str = "") -> str:
    return (
        f'queue.type="LinkedList" queue.filename="{name}" queue.saveOnShutdown="on"\n'
        f'  queue.maxDiskSpace="{size}" queue.maxFileSize="16m" queue.size="10000"\n'
        f'  queue.dequeueBatchSize="200" queue.timeoutEnqueue="2000000000"{more}'
    )


def _send(plan: Plan) -> str:
    name, password = credentials(plan)
    body = (
        "  if $.document == '' then {\n"
        "    set $.index = field($msg, 32, 1); set $.id = field($msg, 32, 2);\n"
        "    set $.document = re_extract($msg, '^[^ ]+ [^ ]+ (.*)$', 0, 1, '');\n  }\n"
        '  action(type="omelasticsearch" '
        f"server={variable(endpoint(plan)[0], path_of_intake(plan))}\n"
        f"    uid={variable(name)} pwd={variable(password)}\n"
        '    template="headroom_send" searchIndex="headroom_index" dynSearchIndex="on"\n'
        '    searchType="" bulkMode="on" maxBytes="1m" writeOperation="create"\n'
        '    bulkId="headroom_id" dynBulkId="on" retryFailures="on"\n'
        f'    retryRuleset="headroom_retry" errorFile={variable("HEADROOM_STATE", REFUSED)}\n'
        '    action.resumeRetryCount="-1" action.resumeInterval="1"\n'
        '    action.resumeIntervalMax="60")\n'
    )
    return ruleset("headroom_send", body, parameters=_queue("headroom_send", _QUEUE_BYTES))


def _again() -> str:
    """Single documents that were refused: later again, or never."""
    slow = '\n  queue.dequeueSlowdown="200000"'
    dead = variable("HEADROOM_STATE", DEAD_LETTERS)
    body = (
        "  set $.status = cnum('' & $.omes!status);\n"
        # Our own first attempt, of which the answer was lost.
        "  if $.status == 409 then stop\n"
        "  set $.index = '' & $.omes!_index; set $.id = '' & $.omes!_id;\n"
        "  set $.document = $msg;\n"
        "  if $.status == 429 or $.status >= 500 then { call headroom_send stop }\n"
        "  set $.answer = '' & $.omes;\n"
        f'  action(type="omfile" file={dead} template="headroom_dead" fileCreateMode="0600")\n'
    )
    return ruleset(
        "headroom_retry", body, parameters=_queue("headroom_retry", _AGAIN_BYTES, slow)
    )


def _refused() -> str:
    """Whole requests that were refused, which the module itself never sends again."""
    part = [f"re_extract($.rest, {quoted(_ACTION)}, 0, {at}, '')" for at in range(5)]
    dead = variable("HEADROOM_STATE", DEAD_LETTERS)
    spool = variable("HEADROOM_STATE", SPOOL)
    body = (
        "  if parse_json($msg, '$.request') == 0 then {\n"
        "    set $.rest = '' & $.request!request!postdata;\n"
        "    set $.answer = '' & $.request!reply;\n"
        "    set $.status = '' & $.request!reply!status;\n"
        "    call headroom_split\n  }\n"
    )
    each = (
        f"  set $.index = {part[1]}; set $.id = {part[2]}; set $.document = {part[3]};\n"
        f"  set $.rest = {part[4]};\n"
        "  if $.document != '' then {\n"
        "    if $.status == ['400', '405', '413', '415'] then {\n"
        f'      action(type="omfile" file={dead} template="headroom_dead" fileCreateMode="0600")\n'
        "    } else {\n"
        f'      action(type="omfile" file={spool} template="headroom_again" '
        'fileCreateMode="0600")\n'
        "    }\n    call headroom_split\n  }\n"
    )
    slow = 'queue.type="LinkedList" queue.dequeueSlowdown="1000000" queue.dequeueBatchSize="1"'
    return ruleset("headroom_refused", body, parameters=slow) + ruleset("headroom_split", each)


def _inputs() -> str:
    common = 'tag="headroom" reopenOnTruncate="on" persistStateInterval="100"'
    return "".join(
        f'input(type="imfile" file={variable("HEADROOM_STATE", path)} '
        f'ruleset="{name}" {common})\n'
        for path, name in ((SPOOL, "headroom_send"), (REFUSED, "headroom_refused"))
    )
