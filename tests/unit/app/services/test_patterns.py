"""Lines are put into patterns by what does not vary; numbers and identifiers are masked first."""

import re

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from app.services.patterns import Miner, masked, overrepresented

# What the masks are to do, as lookarounds say it.
PLAINLY = (
    (r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", "<ID>"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<IP>"),
    (r"\b0x[0-9a-fA-F]+\b|\b[0-9a-f]{16,}\b", "<HEX>"),
    (r"(?<![A-Za-z0-9_])[-+]?\d+(?:\.\d+)?(?=(?:ms|s|us|%|[kKMG]i?B)?\b)", "<NUM>"),
)


def plainly(line: str) -> str:
    """A line with masks, one after the other."""
    for pattern, name in PLAINLY:
        line = re.sub(pattern, name, line, flags=re.ASCII)
    return line


pieces = st.sampled_from(
    [
        *("1", "22", "-3", "+4.5", "7.", ".8", "1e5", "0x1f", "9ms", "12kB", "5MiB", "50%", "v2"),
        *("10.0.0.1", "10.0.0.1:8080", "1.2.3", "deadbeefdeadbeef", "0123456789abcdef0", "E1234"),
        *("6f1c0a52-9d0e-4b8e-a1d7-0c8b8a6f3e21", "seat", "_", "-", ",", "é", "\n", "  ", "(", "="),
    ]
)
lines = st.lists(pieces, max_size=12).map("".join)


@given(lines)
def test_masks_are_those_that_lookarounds_say(line: str) -> None:
    """Whatever stands before and after a number."""
    assert [plainly(line)] == masked([line]).to_pylist()


def test_lines_that_differ_in_numbers_are_one_pattern() -> None:
    """Lines that say nothing are lines, too."""
    miner = Miner()
    said = ["took 5 ms", "took 17 ms", None, "seat 4A is gone for good", "took 5 ms", ""]
    found = miner.learn(said).tolist()
    assert found[0] == found[1] == found[4]
    assert found[2] == found[5]
    assert 3 == len(set(found))
    assert "took <NUM> ms" == miner.template(found[0])
    assert [found[0]] == miner.learn(["took 99 ms"]).tolist()
    assert [] == miner.learn([]).tolist()


def test_error_codes_stay_apart() -> None:
    """A code that is a name is not a number."""
    one, other = Miner().learn(["E1234", "E5678"]).tolist()
    assert one != other


def test_thousands_of_patterns_have_their_templates() -> None:
    """None is forgotten while others come."""
    words = ["".join(chr(97 + n // 26**place % 26) for place in range(4)) for n in range(3_000)]
    miner = Miner()
    found = miner.learn(words)
    assert words == [miner.template(number) for number in found.tolist()]


def test_a_pattern_of_failing_requests_tells() -> None:
    """One that all requests write does not."""
    failing = np.arange(200) % 2 == 0
    bodies = [f"refused card {n}" if n % 4 == 0 else f"served seat {n}" for n in range(200)]
    found = overrepresented(pd.DataFrame({"body": bodies, "failing": failing}))
    assert ("refused card <NUM>",) == found
