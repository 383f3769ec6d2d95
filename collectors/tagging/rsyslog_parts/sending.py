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
template(name="headroom_refused" type="list") { property(name="$!all-json-plain") }
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
    """A queue on disk only: of one in memory, the batch at hand is lost when the daemon stops."""
    return (
        f'queue.type="Disk" queue.filename="{name}" queue.checkpointInterval="1"\n'
        f'  queue.maxDiskSpace="{size}" queue.maxFileSize="16m" queue.size="2000000"\n'
        f'  queue.dequeueBatchSize="200" queue.timeoutEnqueue="2000000000"\n'
        f'  queue.timeoutShutdown="100" queue.timeoutActionCompletion="8000"{more}'
    )


def _send(plan: Plan) -> str:
    name, password = credentials(plan)
    body = (
        "  set $.index = field($msg, 32, 1); set $.id = field($msg, 32, 2);\n"
        "  set $.document = re_extract($msg, '^[^ ]+ [^ ]+ (.*)$', 0, 1, '');\n"
        '  action(type="omelasticsearch" '
        f"server={variable(endpoint(plan)[0], path_of_intake(plan))}\n"
        f"    uid={variable(name)} pwd={variable(password)}\n"
        '    template="headroom_send" searchIndex="headroom_index" dynSearchIndex="on"\n'
        '    searchType="" bulkMode="on" maxBytes="1m" writeOperation="create"\n'
        '    bulkId="headroom_id" dynBulkId="on" retryFailures="on"\n'
        f'    retryRuleset="headroom_retry" errorFile={variable("HEADROOM_STATE", REFUSED)}\n'
        '    action.resumeRetryCount="-1" action.resumeInterval="1"\n'
        '    action.resumeIntervalMax="5"\n'
        f"    {_queue('headroom_send', _QUEUE_BYTES)})\n"
    )
    return ruleset("headroom_send", body, parameters='queue.type="Direct"')


def _again() -> str:
    """Single documents that were refused: later again, or never."""
    slow = '\n  queue.dequeueSlowdown="200000"'
    body = (
        "  set $.status = cnum('' & $.omes!status);\n"
        # Of a request with one failure the module gives back everything. What is a duplicate
        # came of our own first attempt, whose answer was lost.
        "  if $.status < 300 or $.status == 409 then stop\n"
        "  set $.index = '' & $.omes!_index; set $.id = '' & $.omes!_id;\n"
        "  set $.document = exec_template('headroom_refused'); set $.answer = '' & $.omes;\n"
        "  if $.status == 429 or $.status >= 500 then { call headroom_keep }\n"
        "  else { call headroom_dead }\n"
    )
    dead = variable("HEADROOM_STATE", DEAD_LETTERS)
    return ruleset(
        "headroom_retry", body, parameters=_queue("headroom_retry", _AGAIN_BYTES, slow)
    ) + ruleset(
        "headroom_dead",
        f'  action(type="omfile" file={dead} template="headroom_dead" fileCreateMode="0600")\n',
    )


def _refused() -> str:
    """Whole requests that were refused, which the module itself never sends again."""
    part = [f"re_extract($.rest, {quoted(_ACTION)}, 0, {at}, '')" for at in range(5)]
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
        "    if $.status == ['400', '405', '413', '415'] then { call headroom_dead }\n"
        "    else { call headroom_keep }\n"
        "    call headroom_split\n  }\n"
    )
    # A short queue: when it is full no input reads on, so that nothing piles up meanwhile.
    slow = (
        'queue.type="LinkedList" queue.size="20" queue.dequeueBatchSize="1"\n'
        '  queue.dequeueSlowdown="1000000" queue.timeoutEnqueue="2000000000"'
    )
    return ruleset("headroom_refused", body, parameters=slow) + ruleset("headroom_split", each)


def _inputs() -> str:
    common = 'tag="headroom" reopenOnTruncate="on" persistStateAfterSubmission="on"'
    return "".join(
        f'input(type="imfile" file={variable("HEADROOM_STATE", path)} ruleset="{name}" {common})\n'
        for path, name in ((SPOOL, "headroom_send"), (REFUSED, "headroom_refused"))
    )
