"""Arguments, read strictly: no abbreviations, one clear line when they are wrong."""

import argparse
from collections.abc import Callable
from typing import NoReturn, TypeVar

from slo.errors import UsageError
from slo.suggest import did_you_mean
from slo.units import UnitError

_T = TypeVar("_T")


class HelpRequested(Exception):  # noqa: N818 - a request, not a failure
    """Someone asked for help; `text` is the page."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__("help")


class Parser(argparse.ArgumentParser):
    """An argument parser that neither prints nor exits.

    It raises `UsageError` for arguments that are wrong and `HelpRequested` for `--help`.
    """

    color = False  # Python 3.14 paints help by itself and does not know of --no-color

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("allow_abbrev", False)
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        self._optionals.title = "options"

    def print_help(self, file: object = None) -> None:  # noqa: ARG002 - the frame prints
        """Raise `HelpRequested`."""
        raise HelpRequested(self.format_help())

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError`."""
        raise UsageError(message, hint=f"see {self.prog} --help")

    def read(self, arguments: list[str]) -> argparse.Namespace:
        """Return the arguments by name."""
        namespace, unknown = self.parse_known_args(arguments)
        if unknown:
            self._refuse(unknown)
        return namespace

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


def reading(parse: Callable[[str], _T]) -> Callable[[str], _T]:
    """Return a `type=` for a flag whose text a function of `slo.units` reads.

    The function's own message and hint reach the user.
    """

    def read(text: str) -> _T:
        try:
            return parse(text)
        except UnitError as cause:
            hint = "" if cause.hint is None else f" ({cause.hint})"
            raise argparse.ArgumentTypeError(f'"{text}": {cause}{hint}') from cause

    return read
