"""What a command's exit code means."""

from slo.errors import SourceError, SpecError, UsageError
from slo.records import dataclass

OK = 0
PROBLEMS = 1
USAGE = 2
INTERRUPTED = 130
OUTPUT_CLOSED = 141


@dataclass(frozen=True, slots=True, kw_only=True)
class Exits:
    """The exit code for each way in which a command can fail to do its work.

    ``other`` is for errors that are known but none of the named ones; ``crash`` is for our bugs.
    """

    spec: int = PROBLEMS
    usage: int = USAGE
    source: int = PROBLEMS
    other: int = PROBLEMS
    crash: int = PROBLEMS

    def code(self, error: BaseException) -> int:
        """Return the exit code for an error that ended the command."""
        match error:
            case UsageError():
                return self.usage
            case SpecError():
                return self.spec
            case SourceError():
                return self.source
        return self.other


DEFAULT = Exits()
"""What every command means unless its module has its own `EXITS`."""
