"""A problem's excerpt shows the mistake and never a secret."""

import pytest

from slo._excerpt import excerpt


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  password: hunter2", "  password: *******"),
        ('  apiKey: "abc def"', "  apiKey: *********"),
        ("{clientSecret: s3cret, url: x}", "{clientSecret: ******, url: x}"),
        ("  bearer_token: x.y", "  bearer_token: ***"),
        ("  Authorization: Bearer abc.def", "  Authorization: **************"),
        ("  X-Api-Key: 0123", "  X-Api-Key: ****"),
        ("  apiUrl: https://hooks.x.y/T0", "  apiUrl: ********************"),
    ],
)
def test_a_secret_written_inline_is_masked(line: str, shown: str) -> None:
    """The line under a problem ends up in CI logs, so the value behind such a key is starred."""
    assert shown == excerpt(line, 3, 5, 100)[0]


@pytest.mark.parametrize(
    "line",
    ["  passwordFile: /run/secrets/pw", "  tokenUrl: https://x.example.com/", "  tokens: 3"],
)
def test_what_only_sounds_like_a_secret_is_shown(line: str) -> None:
    """Paths and addresses help to find the mistake."""
    assert line == excerpt(line, 3, 5, 100)[0]
