"""JSON from strangers, read within bounds: depth, numbers and characters are checked."""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import NoReturn

from collectors.receive.decoded import Refused

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_OTHERS = bytes(each for each in range(256) if each not in b"[]{}")
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def read_json(body: bytes, depth: int) -> object:
    """Read a JSON text in UTF-8; raises ``Refused`` (400) for what is none or nests too deep."""
    if _too_deep(body, depth):
        raise Refused(400, f"the JSON nests deeper than {depth}")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(400, "the body is not UTF-8") from error
    try:
        value: object = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is no JSON: {error}"[:200]) from error
    return value


def _too_deep(body: bytes, depth: int) -> bool:
    """Whether brackets outside of strings nest deeper; the parser would recurse as deep."""
    if body.count(b"[") + body.count(b"{") <= depth:
        return False
    brackets = _STRING.sub(b"", body).translate(None, _OTHERS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > depth


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is out of range")
    return number


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)


def without_surrogates(value: dict[str, object]) -> dict[str, object]:
    """Replace halves of characters, which JSON can escape and UTF-8 cannot hold, by U+FFFD."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        mended: dict[str, object] = json.loads(whole)
        return mended
    return value
