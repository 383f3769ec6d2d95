"""What every command lives in: finding it, reading its arguments, and ending it well."""

import argparse
import importlib
import os
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol, TextIO, cast

from app.cli import exits
from app.cli.commands import Command, overview
from app.cli.exits import Exits
from app.cli.failures import explain
from app.cli.parser import HelpRequested, Parser
from app.cli.terminal import Terminal
from slo.errors import UsageError
from slo.records import dataclass
from slo.suggest import did_you_mean


class CommandModule(Protocol):
    """What a command's module offers; it may also hold `EXITS`, its own table of exit codes."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments, and its examples as the parser's epilog."""

    def run(self, args: argparse.Namespace, terminal: Terminal) -> int:
        """Do the command's work and return its exit code."""


def run(
    commands: Mapping[str, Command],
    argv: Sequence[str],
    terminal: Terminal,
    *,
    program: str = "headroom",
) -> int:
    """Run the command that the arguments name; whatever happens ends in an exit code."""
    call = _Call(commands=commands, terminal=terminal, program=program)
    try:
        code = _guarded(call, argv)
    except BrokenPipeError:
        code = exits.OUTPUT_CLOSED
    return _flushed(call, code)


@dataclass(slots=True, kw_only=True)
class _Call:
    """One run of the program, and what is known about it by the time it fails."""

    commands: Mapping[str, Command]
    terminal: Terminal
    program: str
    debug: bool = False
    exits: Exits = exits.DEFAULT

    def obey(self, argv: Sequence[str]) -> int:
        flags, name, rest = _split(argv)
        parser = Parser(prog=self.program)
        parser.add_argument("--version", action="store_true")
        try:
            args = parser.parse_args(flags)
        except HelpRequested:
            raise HelpRequested(overview(self.program, self.commands)) from None
        self._heed(args)
        if args.version:
            self.terminal.line(f"{self.program} {_version()}")
            return exits.OK
        if name is None:
            raise UsageError("no command given", hint=f"see {self.program} --help")
        return self._dispatch(name, rest)

    def _dispatch(self, name: str, arguments: list[str]) -> int:
        command = self.commands.get(name)
        if command is None:
            raise UsageError(
                f'unknown command "{name}"{did_you_mean(name, self.commands)}',
                hint=f"see {self.program} --help",
            )
        # Needed before the arguments are read, should the command's module itself be broken.
        self.debug = self.debug or "--debug" in arguments
        module = cast("CommandModule", importlib.import_module(command.module))
        self.exits = getattr(module, "EXITS", exits.DEFAULT)
        parser = Parser(prog=f"{self.program} {name}")
        parser.description = f"{command.summary[:1].upper()}{command.summary[1:]}."
        module.configure(parser)
        args = parser.parse_args(arguments)
        self._heed(args)
        return module.run(args, self.terminal)

    def _heed(self, args: argparse.Namespace) -> None:
        self.debug = self.debug or "debug" in args
        if "no_color" in args:
            self.terminal = self.terminal.without_color()


def _split(argv: Sequence[str]) -> tuple[list[str], str | None, list[str]]:
    """Return the flags before the command, the command, and its own arguments."""
    for place, text in enumerate(argv):
        if not text.startswith("-"):
            return list(argv[:place]), text, list(argv[place + 1 :])
    return list(argv), None, []


def _version() -> str:
    from importlib import metadata  # noqa: PLC0415 - slow to import, and rarely asked for

    try:
        return metadata.version("headroom")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _guarded(call: _Call, argv: Sequence[str]) -> int:
    try:
        return call.obey(argv)
    except HelpRequested as page:
        call.terminal.stdout.write(page.text)
        return exits.OK
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        call.terminal.note("interrupted")
        return exits.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one place where every error ends
        if call.debug and not isinstance(error, UsageError):
            traceback.print_exception(error, file=call.terminal.stderr)
        expected = explain(call.terminal, error)
        return call.exits.code(error) if expected else call.exits.crash


def _flushed(call: _Call, code: int) -> int:
    """Return the exit code once all output is out; what could not be written is not success."""
    try:
        call.terminal.stdout.flush()
    except OSError as cause:
        _discard(call.terminal.stdout)
        if isinstance(cause, BrokenPipeError):
            code = code or exits.OUTPUT_CLOSED
        else:
            code = code or call.exits.other
            with suppress(OSError):
                call.terminal.note(f"error: the output cannot be written: {cause.strerror}")
    try:
        call.terminal.stderr.flush()
    except OSError:
        _discard(call.terminal.stderr)
    return code


def _discard(stream: TextIO) -> None:
    """Let what is still in the buffer go nowhere, or Python complains about it when it exits."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)
