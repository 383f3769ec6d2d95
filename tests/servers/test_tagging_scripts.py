"""The scripts of Fluent Bit and Fluentd as their engines read them."""

import re
from pathlib import Path

import pytest
import yaml

from collectors.tagging import fluent_bit, fluentd
from collectors.tagging.expressions import written
from collectors.tagging.fluent_bit_script import quoted as lua_text
from collectors.tagging.fluent_bit_script import tree
from slo.collecting import SECRETS
from tests.servers.parts import Part
from tests.servers.programs import ran
from tests.unit.collectors.tagging.examples import airline

TEXTS = [
    "Bearer abc.def and password=hunter2 after",
    "4111 1111 1111 1111,5500-0000-0000-0004",
    "eyJhbGciOi.eyJzdWIi.sig-_x done",
    "postgres://joe:pw@db/x AKIAABCDEFGHIJKLMNOP",
    "-----BEGIN RSA PRIVATE KEY----- \u00e9\u4e16 secret: 'x y'",
    "nothing here \u20ac at all",
]


def test_the_matcher_in_lua_finds_what_an_engine_of_expressions_finds(
    part: Part, tmp_path: Path
) -> None:
    """Each of the built-in secrets, in texts with and without it."""
    files = fluent_bit.files(airline())
    start = files["headroom.lua"].index("\nlocal byte, sub, find")
    stop = files["headroom.lua"].index("\nlocal secrets, in_text")
    patterns = [*(secret.pattern for secret in SECRETS), "^(a|ab)(c|bcd)*$", "(?:ab?){2,3}x", "é+."]
    calls, expected = [], []
    for pattern in patterns:
        for text in [*TEXTS, "abcd", "abbcdc", "ababax", "\u00e9\u00e9!"]:
            match = re.search(written(pattern, end=r"\Z"), text, re.ASCII)
            calls.append(
                f"local at, after = searcher({tree(pattern).text})({lua_text(text)}) "
                f"print(at or 0, after or 0)"
            )
            span = (0, 0) if match is None else _bytes(text, match.span())
            expected.append(f"{span[0]}\t{span[1]}")
    program = tmp_path / "program.lua"
    wrapped = "\n".join(f"do {call} end" for call in calls)
    program.write_text(f"{files['headroom.lua'][start:stop]}\n{wrapped}\n")

    assert expected == ran([part("luajit-2.1") / "luajit", program]).splitlines()


def _bytes(text: str, span: tuple[int, int]) -> tuple[int, int]:
    return len(text[: span[0]].encode()) + 1, len(text[: span[1]].encode()) + 1


@pytest.mark.parametrize("name", ["plugin/headroom_record.rb", "plugin/filter_headroom.rb"])
def test_ruby_reads_the_files_of_fluentd(part: Part, tmp_path: Path, name: str) -> None:
    """As programs, without a warning."""
    (tmp_path / "file.rb").write_text(fluentd.files(airline())[name])

    text = ran([part("ruby-3.1") / "ruby", "--disable-gems", "-wc", tmp_path / "file.rb"])

    assert "Syntax OK" in text


def test_configurations_are_yaml_for_objects_too() -> None:
    """What a DaemonSet mounts is what the file holds."""
    files = fluent_bit.files(airline())
    (data,) = [
        each["data"]
        for each in yaml.safe_load_all(files["daemonset.yaml"])
        if each["kind"] == "ConfigMap"
    ]

    assert files["headroom.lua"] == data["headroom.lua"]
    assert files["fluent-bit-kubernetes.yaml"] == data["fluent-bit.yaml"]
