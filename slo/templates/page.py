"""The page of a template library, for people who look for an indicator."""

from collections.abc import Iterator

import yaml

from slo.nodes import Node, to_plain
from slo.templates.library import TemplateLibrary
from slo.templates.parameters import Parameter, ParameterType
from slo.templates.template import Template

_HEAD = """\
# Indicator templates

A template is an indicator with parameters. An app file names it and gives the parameters; what
the template holds then takes the indicator's place:

```yaml
indicator:
  template: istio-availability
  with: {destination: ticketing}
```

A text that is given is taken literally, also in a regex matcher; parameters marked *regex* are
regular expressions in RE2's syntax. The environment's matchers are added to every selector.

This page is written from the templates themselves.
"""

_OWN = """\
## Templates of your own

A file in one of the workspace's `templates` folders adds templates; none may have the name of one
above. Placeholders are replaced in values only, never in keys:

```yaml
apiVersion: headroom/v1
kind: IndicatorTemplate
metadata: {name: queue-jobs, title: Jobs of a queue, description: Every job; failed ones are bad.}
spec:
  parameters:
    queue: {description: The queue's name., required: true}
    kind: {description: The kinds of jobs., regex: true, default: ".*"}
  indicator:
    events:
      total: jobs_total{queue="${queue}",kind=~"${kind}"}
      bad: jobs_total{queue="${queue}",kind=~"${kind}",result="failed"}
  examples:
    - with: {queue: bookings}
```

- `text`, which is meant without a `type`, stands in double quotes and is escaped there. `pattern`
  says what form it has; with `regex: true` it stands after `=~` or `!~` only.
- `duration` (`300ms`, `5m`) stands anywhere, as it was given.
- `seconds` is given as a duration too and becomes a number of seconds.
- `buckets` is a list of numbers, which is all of a value.

A value that is nothing but a placeholder becomes what was given, whatever its type.
"""

_TYPES = {
    ParameterType.TEXT: "text",
    ParameterType.DURATION: "duration",
    ParameterType.SECONDS: "duration",
    ParameterType.BUCKETS: "list of numbers",
}


def library_markdown(library: TemplateLibrary) -> str:
    """Return the page as Markdown: every template with its parameters, queries and an example."""
    names = library.names()
    contents = [f"- [{name}](#{name}): {library.describe(name).title}" for name in names]
    sections = [_section(library.describe(name)) for name in names]
    return "\n".join([_HEAD, *contents, "", *sections, _OWN])


def _section(template: Template) -> str:
    lines = [f"## {template.name}", "", _paragraphs(template.description), ""]
    if template.parameters:
        lines += ["| parameter | takes | default | |", "|---|---|---|---|"]
        lines += [_row(parameter) for parameter in template.parameters.values()]
        lines.append("")
    lines += ["It stands for:", "", *_code(template.indicator), ""]
    for example in template.examples:
        lines += [f"{example.title or 'Example'}:", ""]
        lines += [*_code_of({"template": template.name, "with": to_plain(example.values)}), ""]
    return "\n".join(lines)


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


def _row(parameter: Parameter) -> str:
    kind = "regex" if parameter.regex else _TYPES[parameter.type]
    if parameter.pattern is not None:
        kind = f"{kind} {_inline(parameter.pattern)}"
    default = "*required*" if parameter.default is None else _inline(_short(parameter.default))
    description = parameter.description.replace("|", "\\|")
    return f"| `{parameter.name}` | {kind} | {default} | {description} |"


def _short(node: Node) -> str:
    value = to_plain(node)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _inline(text: str) -> str:
    # A table's cell ends at a bar even within code, unless it is escaped.
    return f"`{text}`".replace("|", "\\|")


def _code(node: Node) -> Iterator[str]:
    return _code_of(to_plain(node))


def _code_of(value: object) -> Iterator[str]:
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000)
    yield from ("```yaml", text.rstrip("\n"), "```")
