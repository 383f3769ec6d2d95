"""What rule types share: their common keys, and which SLOs a rule covers."""

from fnmatch import fnmatchcase

from slo.shape import Choice, Field, ListOf, Text

RULE_ID = Text(
    pattern=r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?",
    form="a rule id: letters, digits, dots, hyphens and underscores",
    max_length=40,
)

ID = Field(shape=RULE_ID, required=True, description="The rule's name in decisions.")

EFFECT = Field(
    shape=Choice(choices=("deny", "warn")),
    default="deny",
    description="What a failure of the rule amounts to.",
)

SLOS = Field(
    shape=ListOf(
        shape=Text(
            pattern=r"!?[A-Za-z0-9_*?.-]+",
            form='an SLO\'s name, with * and ? as wildcards, or "!" and a name to leave out',
            max_length=100,
        ),
        min_items=1,
        unique=True,
    ),
    description='The SLOs the rule covers, by name or pattern; "!NAME" leaves out. All by default.',
)


def covers(patterns: tuple[str, ...], slo: str) -> bool:
    """Whether the patterns cover an SLO; patterns that only leave out leave the rest in."""
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")] or ["*"]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return any(fnmatchcase(slo, pattern) for pattern in wanted) and not any(
        fnmatchcase(slo, pattern) for pattern in unwanted
    )
