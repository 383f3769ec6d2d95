"""Errors that end a command, told to the person at the terminal."""

from collections.abc import Iterator

from app.cli.terminal import Terminal
from slo.errors import HeadroomError, SourceError, SpecError
from slo.printable import printable

_EXTRAS = {
    "drain3": "store",
    "duckdb": "store",
    "elasticsearch": "elastic",
    "google": "store",
    "grafana_client": "grafana",
    "numpy": "store",
    "opentelemetry": "otel",
    "pandas": "store",
    "plotly": "console",
    "pyarrow": "store",
    "starlette": "console",
    "streamlit": "console",
    "uvicorn": "console",
}
"""The extra that brings a package which only some commands need."""


def explain(terminal: Terminal, error: Exception) -> bool:
    """Write on stderr what went wrong; tell whether it was foreseen, or is a bug in Headroom."""
    if isinstance(error, SpecError):
        from app.cli.output import report_problems  # noqa: PLC0415 - commands start fast without

        report_problems(terminal, error.problems, {}, to=terminal.stderr)
        return True
    told = _foreseen(error)
    message, hint = _bug(error) if told is None else told
    label, end = ("\x1b[1;31m", "\x1b[0m") if terminal.error_color else ("", "")
    terminal.note(f"{label}error:{end} {printable(message)}")
    if hint:
        terminal.note(f"hint: {printable(hint)}")
    return told is not None


def _foreseen(error: Exception) -> tuple[str, str | None] | None:
    match error:
        case SourceError() if error.source and error.source not in str(error):
            return f"{error.source}: {error}", error.hint
        case HeadroomError():
            return str(error) or type(error).__name__, getattr(error, "hint", None)
        case ModuleNotFoundError() if (error.name or "").partition(".")[0] in _EXTRAS:
            package = (error.name or "").partition(".")[0]
            return (
                f"this needs {package}, which is not installed",
                f"pip install 'headroom[{_EXTRAS[package]}]'",
            )
        case OSError() if error.strerror:
            return ": ".join([*_names(error), error.strerror]), None
    return None


def _names(error: OSError) -> Iterator[str]:
    for name in (error.filename, error.filename2):
        if name is not None:
            yield name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def _bug(error: Exception) -> tuple[str, str]:
    detail = f"{type(error).__name__}: {error}".rstrip(": ")
    return (
        f"this is a bug in Headroom: {detail}",
        "run it again with --debug and report what it prints",
    )
