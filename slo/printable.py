"""Text from files made safe to print: nothing invisible, nothing that steers a terminal."""

# Assigned characters that draw nothing: fillers, the Braille blank, variation selectors.
_BLANKS = frozenset(
    [*"\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"]
    + [chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))]
)

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """Return the text with control, bidirectional, zero-width and blank characters escaped.

    Backslashes stay as they are, so text that is already printable comes back unchanged.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(printable_character, text))


def printable_character(character: str) -> str:
    """Return one character as it may be printed: itself or its escape."""
    if character.isprintable() and character not in _BLANKS:
        return character
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004 - the widest code of a two-digit escape
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - as above


def quote(text: str, *, limit: int = 60) -> str:
    """Return the text in double quotes, printable and cut to a length fit for a message."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return f'"{printable(cut)}"'
