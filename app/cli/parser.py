"""Arguments, read strictly: no abbreviations, one clear line when they are wrong."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from slo.errors import UsageError
from slo.suggest import did_you_mean


class HelpRequested(Exception):  # noqa: N818 - a request, not a failure
    """Someone asked for help; `text` is the page."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__("help")


class Parser(argparse.ArgumentParser):
    """An argument parser that neither prints nor exits.

    It raises `UsageError` for arguments that are wrong and `HelpRequested` for `--help`. Every
    parser, those of sub-commands included, takes the flags that all commands have.
    """

    color = False  # Python 3.14 paints help by itself and does not know of --no-color

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("allow_abbrev", False)
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        everywhere = self.add_argument_group("for every command")
        for flag, text in (
            ("--no-color", "write plain text"),
            ("--debug", "show a traceback on errors"),
        ):
            # No default, or the parser of a sub-command would undo what the one above it read.
            everywhere.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=text)

    def print_help(self, file: object = None) -> None:  # noqa: ARG002 - the frame prints
        """Raise `HelpRequested`."""
        raise HelpRequested(self.format_help())

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError`."""
        raise UsageError(message, hint=f"see {self.prog} --help")

    def parse_known_args(  # type: ignore[override]  # one of the overloads is enough here
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Return the arguments by name; there are no unknown ones, which are refused."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self._refuse(unknown)
        return found, []

    def _refuse(self, unknown: list[str]) -> NoReturn:
        flag = next((text for text in unknown if text.startswith("-") and text != "-"), None)
        if flag is None:
            self.error(f'unexpected argument "{unknown[0]}"')
        name = flag.partition("=")[0]
        self.error(f"unknown flag {name}{did_you_mean(name, self._option_string_actions)}")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is None or value in action.choices:
            return
        known = [str(choice) for choice in action.choices]
        word = str(value)
        raise argparse.ArgumentError(
            action, f'"{word}" is none of {", ".join(known)}{did_you_mean(word, known)}'
        )
