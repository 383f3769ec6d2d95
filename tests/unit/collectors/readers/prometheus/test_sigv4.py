"""Signatures against the published values of AWS's Signature Version 4 test suite."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.readers.prometheus.sigv4 import AwsKeys, find_keys, signed_headers

KEYS = AwsKeys(access_key="AKIDEXAMPLE", secret_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "signature"),
    [
        pytest.param(
            "GET",
            "/",
            b"",
            {},
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            id="get-vanilla",
        ),
        pytest.param(
            "GET",
            "/?Param2=value2&Param1=value1",
            b"",
            {},
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            id="get-vanilla-query-order-key-case",
        ),
        pytest.param(
            "POST",
            "/",
            b"",
            {},
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            id="post-vanilla",
        ),
        pytest.param(
            "POST",
            "/",
            b"Param1=value1",
            FORM,
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            id="post-x-www-form-urlencoded",
        ),
    ],
)
def test_the_published_signatures_come_out(
    method: str, path: str, body: bytes, headers: dict[str, str], signature: str
) -> None:
    """Method, path, query, headers and body all enter the signature."""
    found = signed_headers(
        method=method,
        url=f"https://example.amazonaws.com{path}",
        body=body,
        headers=headers,
        keys=KEYS,
        scope=("us-east-1", "service"),
        now=NOW,
    )
    assert found["Authorization"].endswith(f"Signature={signature}")
    assert "20150830T123600Z" == found["X-Amz-Date"]
    assert (
        "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request" in (found["Authorization"])
    )


def test_a_session_token_is_sent_and_signed() -> None:
    """Temporary credentials have one."""
    found = signed_headers(
        method="GET",
        url="https://example.amazonaws.com/",
        body=b"",
        headers={},
        keys=AwsKeys(access_key="A", secret_key="S", session_token="T"),
        scope=("r", "s"),
        now=NOW,
    )
    assert "T" == found["X-Amz-Security-Token"]
    assert "host;x-amz-date;x-amz-security-token" in found["Authorization"]


def test_keys_come_from_the_environment_unless_a_profile_is_named(tmp_path: Path) -> None:
    """The file's percent signs are only text."""
    file = tmp_path / "credentials"
    file.write_text(
        "[default]\naws_access_key_id = D\naws_secret_access_key = d%d\n"
        "[ops]\naws_access_key_id = O\naws_secret_access_key = o\naws_session_token = t\n"
    )
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(file)}
    pair = {"AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "e"}
    assert AwsKeys(access_key="E", secret_key="e") == find_keys(environ | pair, None)
    assert AwsKeys(access_key="D", secret_key="d%d") == find_keys(environ, None)
    ops = AwsKeys(access_key="O", secret_key="o", session_token="t")
    assert ops == find_keys(environ | pair, "ops")
    assert ops == find_keys(environ | {"AWS_PROFILE": "ops"}, None)
    assert find_keys(environ, "nobody") is None
    assert find_keys({"HOME": str(tmp_path)}, None) is None


def test_secrets_are_not_shown() -> None:
    """Not even by accident in a log."""
    assert "wJalr" not in repr(KEYS)
