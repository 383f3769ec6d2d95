"""Names that become names of files and folders."""

import re

from slo.loader.intake import Intake
from slo.printable import quote
from slo.problems import Span

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_DEVICE = re.compile(r"con|prn|aux|nul|(?:com|lpt)[0-9]")


def check_file_name(name: str, span: Span, intake: Intake, *, suffix: str) -> None:
    """Report a name that no checkout on Windows could hold as a file."""
    if _DEVICE.fullmatch(name):
        intake.error(
            "spec/bad-text",
            f"no folder or file can be named {quote(name)} on Windows, where it is a device",
            span,
            hint=f"choose another name, such as {quote(f'{name}-{suffix}')}",
        )
