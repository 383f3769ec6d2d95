"""Rulesets that tell a record's fields apart and write it as a document.

They work on variables of one message: ``$.line`` goes in, ``$.k`` and ``$.v`` are the field at
hand, ``$.json`` its value as JSON unless it is a text, ``$.fields`` what becomes of all of them.
"""

from __future__ import annotations

from collectors.tagging.model import LIFTED_FIELDS, TIME_FIELDS, Plan
from collectors.tagging.rsyslog_parts.secrets import masked_field, masking
from collectors.tagging.rsyslog_parts.text import listed, quoted, regex, ruleset, variable
from collectors.tagging.shipping import (
    CLAIMED_PREFIXES,
    LEVEL,
    LEVEL_WITHIN,
    LEVELS,
    MESSAGES,
    RESERVED,
    TIME,
    claims,
)
from collectors.tagging.syslog_daemons import LIFTED, SENDER
from slo.portable_regex import escaped

MOST_FIELDS = 256
LONGEST_MESSAGE = 131_072
LONGEST_FIELDS = 262_144
SPOOL = "/spool.jsonl"
SPOOL_BYTES = 64 << 20

_DIGITS = {"trace": 32, "span": 16}
_ISO = (
    "^([0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))[T ]"
    "(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])([.,]([0-9]{1,9})[0-9]*)?"
    "(Z|([+-][0-9]{2}):?([0-9]{2}))$"
)
_EPOCH = "^[12][0-9]{9}([.][0-9]+|[0-9]{3}|[0-9]{6}|[0-9]{9})?$"
_PAIR = r'^[[:space:]]*([^[:space:]="]+)=("(([^"\]|\\.)*)"|([^[:space:]"]*))(.*)$'
_PAIRS = r'^([[:space:]]*[^[:space:]="]+=("([^"\]|\\.)*"|[^[:space:]"]*))+[[:space:]]*$'

_TEMPLATES = """\
template(name="headroom_text" type="list") {
  constant(value=",\\"") property(name="$.name" format="json")
  constant(value="\\":\\"") property(name="$.v" format="json") constant(value="\\"")
}
template(name="headroom_json" type="list") {
  constant(value=",\\"") property(name="$.name" format="json")
  constant(value="\\":") property(name="$.json")
}
template(name="headroom_read_at" type="list") {
  property(name="timegenerated" dateFormat="rfc3339")
}
template(name="headroom_said_at" type="list") {
  property(name="timereported" dateFormat="rfc3339")
}
template(name="headroom_document" type="list") {
  constant(value="{\\"@timestamp\\":\\"") property(name="$.time" format="json")
  constant(value="\\"") property(name="$.tags") property(name="$.fields") constant(value="}")
}
template(name="headroom_spool" type="list") {
  property(name="$.index") constant(value=" ") property(name="$.id") constant(value=" ")
  property(name="$.document") constant(value="\\n")
}
"""


def library(plan: Plan) -> str:
    """Templates and rulesets that all sources share."""
    return "\n".join(
        (
            _TEMPLATES,
            masking(plan),
            _clock(),
            _field(plan),
            _objects(),
            _pairs(),
            _plain(),
            _finish(),
        )
    )


def _clock() -> str:
    iso = quoted(_ISO)
    part = [f"re_extract($.v, {iso}, 0, {at}, '')" for at in range(11)]
    return ruleset(
        "headroom_time",
        "  set $.at = '';\n"
        f"  if re_match($.v, {iso}) then {{\n"
        f"    set $.at = {part[1]} & 'T' & {part[4]};\n"
        f"    if {part[7]} != '' then set $.at = $.at & '.' & {part[7]};\n"
        f"    if {part[8]} == 'Z' then set $.at = $.at & 'Z';\n"
        f"    else set $.at = $.at & {part[9]} & ':' & {part[10]};\n"
        f"  }} else if re_match($.v, {quoted(_EPOCH)}) then {{\n"
        "    set $.at = substring(format_time(cnum(substring($.v, 0, 10)), 'date-rfc3339'), 0, 19)"
        " & '.' & re_extract($.v, '^[0-9]{10}[.]?([0-9]{1,9})', 0, 1, '0') & 'Z';\n"
        "  }\n",
    )


def _field(plan: Plan) -> str:
    """What becomes of one field: dropped, lifted to its place, or kept without secrets."""
    names = "|".join(map(escaped, (*claims(), *SENDER)))
    prefixes = "|".join(map(escaped, CLAIMED_PREFIXES))
    lifted = "".join(_identifier(concept) for concept in _DIGITS)
    return ruleset(
        "headroom_field",
        f"  if not re_match($.k, {regex(f'^(({names})$|({prefixes}))')}) then {{\n"
        f"    set $.done = 0;\n{lifted}{_time_field()}{_kept(plan)}  }}\n",
    )


def _identifier(concept: str) -> str:
    digits, names = _DIGITS[concept], listed(LIFTED_FIELDS[concept])
    return (
        f"    if ($.k == $.own_{concept} or $.k == {names}) and "
        f"re_match($.v, '^[0-9a-fA-F]{{{digits}}}$') and re_match($.v, '[1-9a-fA-F]') then {{\n"
        f"      if $.{concept} == '' or $.k == $.own_{concept} then "
        f"set $.{concept} = tolower($.v);\n"
        "      set $.done = 1;\n    }\n"
    )


def _time_field() -> str:
    usual = f"$.own_time == '' and $.k == {listed(TIME_FIELDS)}"
    return (
        f"    if $.time == '' and ($.k == $.own_time or ({usual})) then {{\n"
        "      call headroom_time\n"
        "      if $.at != '' then { set $.time = $.at; set $.done = 1; }\n    }\n"
    )


def _kept(plan: Plan) -> str:
    version = listed(LIFTED_FIELDS["version"])
    return (
        "    if $.done == 0 then {\n"
        f"{masked_field(plan)}"
        f"      if $.level == '' and $.k == {listed(LEVELS)} then set $.level = tolower($.v);\n"
        f"      else if $.version == '' and $.k == {version} then set $.version = $.v;\n"
        f"      else if $.message == '' and $.json == '' and $.k == {listed(MESSAGES)} "
        "then set $.message = $.v;\n"
        f"      else if $.count < {MOST_FIELDS} and "
        f"strlen($.fields) + strlen($.v) < {LONGEST_FIELDS} then {{\n"
        "        set $.count = $.count + 1;\n"
        "        set $.name = $.k;\n"
        # A field that is no object cannot have the name of one, nor a second field a name twice.
        f"        if $.k == {listed((*RESERVED, *LIFTED, 'message', '@timestamp'))} then "
        "set $.name = 'labels.' & $.k;\n"
        "        if $.json == '' then set $.fields = $.fields & exec_template('headroom_text');\n"
        "        else set $.fields = $.fields & exec_template('headroom_json');\n"
        "      }\n    }\n"
    )


_DEPTH = (("f", "doc", ""), ("g", "f!value", "$.of_f"), ("h", "g!value", "$.of_g"))


def _objects() -> str:
    """Objects of JSON, flattened as far as anybody nests fields; deeper ones stay JSON in text."""
    found = ruleset(
        "headroom_object",
        "  set $.read = 1;\n"
        "  if re_match($.line, '^[[:space:]]*[{].*[}][[:space:]]*$') then "
        "set $.read = parse_json($.line, '$.doc');\n"
        "  if $.read == 0 then { call headroom_object_f }\n",
    )
    for at, (name, collection, prefix) in enumerate(_DEPTH):
        deeper = at + 1 < len(_DEPTH)
        nested = (
            f"    {{ set $.of_{name} = $.k & '.'; call headroom_object_{_DEPTH[at + 1][0]} }}\n"
            if deeper
            else "    { set $.json = ''; call headroom_field }\n"
        )
        joined = f"{prefix} & $.{name}!key" if prefix else f"'' & $.{name}!key"
        found += ruleset(
            f"headroom_object_{name}",
            f"  foreach ($.{name} in $.{collection}) do {{\n"
            f"    set $.k = {joined};\n"
            f"    set $.v = '' & $.{name}!value;\n"
            # What a value ends with tells its type: the pair is written as JSON.
            f"    set $.type = re_extract('' & $.{name}, '(.) ?[}}]$', 0, 1, '');\n"
            f"    if $.type == '}}' then\n{nested}"
            "    else if $.type == '\"' then { set $.json = ''; call headroom_field }\n"
            "    else if re_match($.v, '^(-?[0-9][0-9.eE+-]*|true|false|[[].*)$') then\n"
            "    { set $.json = $.v; call headroom_field }\n"
            "  }\n",
        )
    return found


def _pairs() -> str:
    part = [f"re_extract($.rest, {quoted(_PAIR)}, 0, {at}, '')" for at in range(7)]
    return ruleset(
        "headroom_logfmt",
        "  set $.read = 1;\n"
        f"  if re_match($.line, {quoted(_PAIRS)}) then {{\n"
        f"    set $.read = 0; set $.rest = $.line; set $.pairs = {MOST_FIELDS};\n"
        "    call headroom_pair\n  }\n",
    ) + ruleset(
        "headroom_pair",
        f"  set $.k = {part[1]};\n"
        f"  set $.v = replace(replace({part[3]}, {quoted(chr(92) + chr(34))}, '\"'), "
        f"{quoted(chr(92) * 2)}, {quoted(chr(92))}) & {part[5]};\n"
        f"  set $.rest = {part[6]};\n"
        "  set $.json = ''; set $.pairs = $.pairs - 1;\n"
        "  if $.k != '' then { call headroom_field }\n"
        "  if $.k != '' and $.rest != '' and $.pairs > 0 then { call headroom_pair }\n",
    )


def _plain() -> str:
    return ruleset(
        "headroom_plain",
        "  set $.message = $.line;\n"
        f"  set $.v = re_extract($.line, {regex(TIME)}, 0, 1, '');\n"
        "  if $.v != '' then { call headroom_time set $.time = $.at; }\n",
    ) + ruleset(
        "headroom_level",
        f"  set $.level = tolower(re_extract(substring($.line, 0, {LEVEL_WITHIN}), "
        f"{regex(LEVEL)}, 0, 2, ''));\n",
    )


def _finish() -> str:
    """The document: what was lifted, the owner's tags, and the fields that are left."""
    optional = {
        "message": "message",
        "log.level": "level",
        "trace.id": "trace",
        "span.id": "span",
        "service.version": "version",
        "host.hostname": "host",
        "log.file.path": "path",
        "systemd.unit": "unit",
        "log.syslog.appname": "program",
        "kubernetes.namespace": "namespace",
        "kubernetes.pod.name": "pod",
        "kubernetes.pod.uid": "uid",
        "kubernetes.container.name": "container",
    }
    steps = "".join(
        f"  if $.{name} != '' then {{ set $.name = '{field}'; set $.v = $.{name}; "
        "set $.tags = $.tags & exec_template('headroom_text'); }\n"
        for field, name in optional.items()
    )
    return ruleset(
        "headroom_finish",
        "  set $.v = $.message; call headroom_mask\n"
        f"  if strlen($.v) > {LONGEST_MESSAGE} then "
        f"set $.v = substring($.v, 0, {LONGEST_MESSAGE});\n"
        "  set $.message = $.v;\n"
        # A record's own severity is surer than the journal's or syslog's.
        "  if $.level == '' then set $.level = $.severity;\n"
        "  if $.time == '' then set $.time = $.said;\n"
        "  if $.time == '' then set $.time = exec_template('headroom_read_at');\n"
        f"{steps}"
        "  set $.id = $uuid; set $.document = exec_template('headroom_document');\n"
        "  call headroom_keep\n",
    ) + ruleset("headroom_keep", _spooled())


def _spooled() -> str:
    """The one action that writes the spool: another would go on with a file that is removed."""
    path = variable("HEADROOM_STATE", SPOOL)
    return (
        f'  action(type="omfile" file={path} template="headroom_spool" fileCreateMode="0600"\n'
        f'    rotation.sizeLimit="{SPOOL_BYTES}" '
        f"rotation.sizeLimitCommand=`echo /bin/rm $HEADROOM_STATE{SPOOL}`)\n"
    )
