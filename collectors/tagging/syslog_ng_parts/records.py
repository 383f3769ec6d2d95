"""What becomes of a record: fields told apart, secrets out, everything to its place."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.tagging.model import LIFTED_FIELDS, Plan, Source
from collectors.tagging.shipping import (
    LEVEL,
    LEVELS,
    MESSAGES,
    RESERVED,
    Reading,
    claims,
    in_text,
    stream_name,
)
from collectors.tagging.syslog_daemons import LIFTED, SENDER
from collectors.tagging.syslog_ng_parts.text import (
    ECS,
    JSON,
    block,
    matches,
    pcre,
    quoted,
    regex,
    rewritten,
    sets,
    template,
)
from slo.collecting import MASK

STATE = ".headroom."
"""What stands before the names of what a document is made from but does not hold."""

_HEX = {"trace": "^([0-9a-fA-F]{32})$", "span": "^([0-9a-fA-F]{16})$"}
_SOME = "[1-9a-fA-F]"
_DATE = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_START = f"^({_DATE})[T ]({_CLOCK})(?:[.,]([0-9]{{1,9}})[0-9]*)?"
_EPOCH = "^([12][0-9]{9})[.]?([0-9]{0,9})[0-9]*$"
_EPOCH_FORM = "^[12][0-9]{9}(?:[.][0-9]+|[0-9]{3}|[0-9]{6}|[0-9]{9})?$"
_OBJECT = "^[ \\t]*[{](?:.|\\n)*[}][ \\t\\r]*$"
_PAIRS = '^(?:[ ]*[^ ="]+=(?:"(?:[^"\\\\]|\\\\.)*"|[^ "]*))+[ ]*$'
_PRIVATE = ("password", "passwd", "secret", "api_key", "api-key", "apikey")
_PRIVATE_TOKENS = ("access_token", "access-token", "accesstoken")


def library(plan: Plan) -> str:
    """Rewrite rules and parsers that all sources share."""
    return "".join(
        (
            block("rewrite", "r_mask_message", _message_masks(plan, "MESSAGE")),
            block("rewrite", "r_mask_fields", _field_masks(plan)),
            block("rewrite", "r_claims", _claims()),
            block("rewrite", "r_once", _once()),
            _objects(),
        )
    )


def _message_masks(plan: Plan, value: str) -> str:
    return (
        "".join(
            f"  subst({regex(secret.pattern)} {template(MASK)} value({quoted(value)})\n"
            "    type(pcre) flags(global));\n"
            for secret in plan.secrets
        )
        or f'  set("${{{value}}}" value({quoted(value)}));\n'
    )


def _field_masks(plan: Plan) -> str:
    """Secrets in fields: taken out of those that become the message, else the whole value."""
    rules = "".join(_message_masks(plan, JSON + name) for name in MESSAGES if plan.secrets)
    if plan.secrets:
        found = "|".join(f"(?:{pcre(secret.pattern)})" for secret in plan.secrets)
        choice = f"$(if match('{found}' template('$_') type('pcre')) '{MASK}' '$_')"
        rules += f"  groupset({quoted(choice)} values({quoted(JSON + '*')}));\n"
    if plan.settings.redact_builtin:
        names = [case for name in (*_PRIVATE, *_PRIVATE_TOKENS) for case in _cases(name)]
        values = " ".join(quoted(f"{JSON}*{name}") for name in names)
        rules += f"  groupset({template(MASK)} values({values}));\n"
    return rules or f'  unset(value("{STATE}none"));\n'


def _cases(name: str) -> tuple[str, ...]:
    camel = "".join(part.capitalize() for part in name.replace("-", "_").split("_"))
    return tuple(dict.fromkeys((name, name.upper(), name.capitalize(), camel)))


def _claims() -> str:
    """What a record may say of its owner; a field that is no object cannot be called like one."""
    named = [
        *(JSON + name for name in (*claims(), *SENDER)),
        f"{JSON}data_stream.*",
        f"{JSON}elasticsearch.*",
    ]
    rules = f"  groupunset(values({' '.join(map(quoted, named))}));\n"
    for name in RESERVED:
        full = JSON + name
        if name != "labels":
            rules += (
                f'  set("${{{full}}}" value({quoted(f"{ECS}labels.{name}")})'
                f' condition("${{{full}}}" ne ""));\n'
            )
        rules += f"  unset(value({quoted(full)}));\n"
    return rules


def _once() -> str:
    """Fields that would be called like those that were lifted."""
    rules = "".join(
        f'  unset(value({quoted(JSON + name)}) condition("${{{ECS}{name}}}" ne ""));\n'
        for name in LIFTED
    )
    time = f"{JSON}@timestamp"
    return rules + (
        f'  set("${{{time}}}" value("{ECS}labels.@timestamp") condition("${{{time}}}" ne ""));\n'
        f"  unset(value({quoted(time)}));\n"
    )


def _objects() -> str:
    return (
        'parser p_object { json-parser(prefix(".json.") marker("")); };\n'
        'parser p_pairs { kv-parser(prefix(".json.") value-separator("=")); };\n'
    )


def owner(reading: Reading) -> str:
    """The rewrite rules that say whose a record is."""
    own = {f"{ECS}{name}": value for name, value in reading.tags.items()}
    return block(
        "rewrite",
        f"r_owner_{reading.name}",
        sets({**own, f"{STATE}index": stream_name(reading.stream)}),
    )


def steps(reading: Reading) -> str:
    """The part of a log path that reads a line; it ends with a record that can be sent."""
    plain = _plain(reading)
    fields = _fields(reading.source)
    start = f"  rewrite(r_owner_{reading.name});\n"
    if reading.source.format == "plain":
        return start + plain
    form, parser = {"json": (_OBJECT, "p_object"), "logfmt": (_PAIRS, "p_pairs")}[
        reading.source.format
    ]
    condition = f'match({quoted(form)} value("MESSAGE") type(pcre))'
    return (
        f"{start}  if {{\n    filter {{ {condition} }};\n    parser({parser});\n{fields}"
        f"  }} else {{\n{plain}  }};\n"
    )


def _choose(cases: Sequence[tuple[str, str]]) -> str:
    """The first case whose condition holds."""
    text = ""
    for at, (condition, body) in enumerate(cases):
        text += f"    {'if' if at == 0 else 'elif'} ({condition}) {{ {body} }}\n"
    return f"{text}    else {{ }};\n" if cases else ""


def _fields(source: Source) -> str:
    """Identifiers and time lifted, then secrets out, then what remains to its place."""
    text = ""
    for concept in ("trace", "span"):
        text += _choose(
            [
                (
                    _both(quoted(_SOME), regex(_HEX[concept]), JSON + name),
                    rewritten(
                        f'set("$(lowercase $1)" value("{ECS}{concept}.id"));',
                        f"unset(value({quoted(JSON + name)}));",
                    ),
                )
                for name in _nameable(source.fields_of(concept))
            ]
        )
    text += "".join(_clock(JSON + name) for name in _nameable(source.time_fields))
    text += "    rewrite(r_mask_fields);\n"
    text += _moved(LIFTED_FIELDS["version"], f"{ECS}service.version")
    text += _moved(LEVELS, f"{ECS}log.level", lower=True)
    text += "    rewrite(r_once);\n    " + rewritten('set("" value("MESSAGE"));') + "\n"
    return text + _moved(MESSAGES, "MESSAGE") + "    rewrite(r_claims);\n"


def _nameable(names: Sequence[str]) -> tuple[str, ...]:
    # A name with this sign is taken for a template wherever a value is named.
    return tuple(name for name in names if "$" not in name)


def _both(first: str, then: str, value: str) -> str:
    return f"{matches(first, value)} and {matches(then, value)}"


def _moved(names: Sequence[str], place: str, *, lower: bool = False) -> str:
    cases = []
    for name in names:
        value = f"${{{JSON}{name}}}"
        taken = f"$(lowercase {value})" if lower else value
        cases.append(
            (
                f'"{value}" ne ""',
                rewritten(
                    f"set({quoted(taken)} value({quoted(place)}));",
                    f"unset(value({quoted(JSON + name)}));",
                ),
            )
        )
    return _choose(cases)


def _clock(value: str, *, keep: bool = False) -> str:
    """A record's own time, unless an earlier field had one; of a line it stays in the text."""
    forget = "" if keep else f"unset(value({quoted(value)}));"
    start, end = (f"^[^0-9]{{0,3}}{_START[1:]}", "") if keep else (_START, "$")
    place = f'value("{STATE}time")'
    at = "${1}T${2}.${3:-0}"
    none = f'"${{{STATE}time}}" eq ""'
    cases = [
        (
            f"{none} and {matches(regex(start + 'Z' + end), value)}",
            rewritten(f'set("{at}Z" {place});', forget),
        ),
        (
            f"{none} and {matches(regex(start + '([+-][0-9]{2}):?([0-9]{2})' + end), value)}",
            rewritten(f'set("{at}$4:$5" {place});', forget),
        ),
    ]
    if not keep:
        stamp = "${S_YEAR}-${S_MONTH}-${S_DAY}T${S_HOUR}:${S_MIN}:${S_SEC}.${2:-0}${S_TZOFFSET}"
        cases.append(
            (
                f"{none} and {_both(regex(_EPOCH_FORM), regex(_EPOCH), value)}",
                'parser { date-parser(format("%s") template("$1")); }; '
                + rewritten(f'set("{stamp}" {place});', forget),
            )
        )
    return _choose(cases)


def _plain(reading: Reading) -> str:
    text = ""
    for concept in ("trace", "span"):
        pattern = regex(in_text(reading.source, concept))
        text += _choose(
            [
                (
                    matches(pattern, "MESSAGE"),
                    f'if (match({quoted(_SOME)} template("$1") type(pcre))) {{ '
                    + rewritten(f'set("$(lowercase $1)" value("{ECS}{concept}.id"));')
                    + " };",
                )
            ]
        )
    text += _clock("MESSAGE", keep=True)
    if reading.searches_level:
        level = f"^.{{0,80}}?{LEVEL}"
        text += _choose(
            [
                (
                    matches(quoted(level), "MESSAGE"),
                    rewritten(f'set("$(lowercase $1)" value("{ECS}log.level"));'),
                )
            ]
        )
    return text + "    rewrite(r_mask_message);\n"
