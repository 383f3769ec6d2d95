"""What Headroom raises when it could not do its work or could not find out.

Problems in what a user wrote are data (`slo.problems`); a decision against a deploy is a result.
Exceptions are for the rest::

    HeadroomError
    ├── SpecError               the files do not make a model; carries their problems
    ├── UsageError              a command or request was asked in a way that makes no sense
    ├── SourceError             a back end did not give an answer
    │   ├── SourceUnavailable   it cannot be reached, or says it cannot serve
    │   ├── SourceTimeout       it did not answer in time
    │   ├── QueryRejected       it refused the query
    │   └── AuthenticationFailed  it refused the credentials
    ├── PublishError            an artefact could not be put where it runs
    └── StoreError              the embedded store could not be written
"""

from collections.abc import Iterable

from slo.problems import Problem, Severity, in_order


class HeadroomError(Exception):
    """Anything that Headroom could not do or could not find out."""


class SpecError(HeadroomError):
    """The files do not make a model; `problems` says why, in order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(tuple(problems))
        count = sum(problem.severity is Severity.ERROR for problem in self.problems)
        super().__init__(f"{count} error{'' if count == 1 else 's'} in the specification")


class UsageError(HeadroomError):
    """A command or request was asked in a way that makes no sense."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)


class SourceError(HeadroomError):
    """A back end did not give an answer; `source` is its name in the workspace."""

    def __init__(self, message: str, *, source: str = "", hint: str | None = None) -> None:
        self.source = source
        self.hint = hint
        super().__init__(message)


class SourceUnavailable(SourceError):  # noqa: N818 - says what happened
    """A back end cannot be reached, or says that it cannot serve."""


class SourceTimeout(SourceError):  # noqa: N818 - says what happened
    """A back end did not answer in time."""


class QueryRejected(SourceError):  # noqa: N818 - says what happened
    """A back end refused the query."""


class AuthenticationFailed(SourceError):  # noqa: N818 - says what happened
    """A back end refused the credentials."""


class PublishError(HeadroomError):
    """An artefact could not be put where it runs."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)


class StoreError(HeadroomError):
    """The embedded store could not be written; what was not acknowledged is not in it."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)
