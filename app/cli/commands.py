"""A command as the registry knows it, and the page that lists them all."""

from collections.abc import Mapping

from slo.records import dataclass

_EXAMPLES = (
    ("validate apps/", "check every app file in a folder"),
    ("generate --out generated", "write rules, routes and dashboards"),
    ("status --app ticketing", "show the error budgets of an app"),
    ("gate --app ticketing --env prod", "ask whether the app may ship now"),
)

_FLAGS = """\
options:
  -h, --help   show this page, or a command's own after its name
  --version    show the version
  --no-color   write plain text
  --debug      show a traceback on errors
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command before it is called: its module, its line in the help, and where that stands."""

    module: str
    summary: str
    group: str


def overview(program: str, commands: Mapping[str, Command]) -> str:
    """Return the page of `headroom --help`: the commands by group, in the registry's order.

    Examples are shown for the commands that exist.
    """
    parts = [f"usage: {program} COMMAND [OPTIONS]\n"]
    width = max((len(name) for name in commands), default=0)
    for group in dict.fromkeys(command.group for command in commands.values()):
        lines = [
            f"  {name.ljust(width)}  {command.summary}"
            for name, command in commands.items()
            if command.group == group
        ]
        parts.append("\n".join([f"{group}:", *lines, ""]))
    parts.append(_FLAGS)
    examples = [pair for pair in _EXAMPLES if pair[0].split()[0] in commands]
    if examples:
        column = max(len(line) for line, _ in examples)
        lines = [f"  {program} {line.ljust(column)}  {why}" for line, why in examples]
        parts.append("\n".join(["examples:", *lines, ""]))
    parts.append(f"`{program} COMMAND --help` explains a command.\n")
    return "\n".join(parts)
