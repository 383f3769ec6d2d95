"""`publish elastic` as a command: flags, exits, words when a cluster is away or says no."""

import json
from pathlib import Path

import pytest

from tests.servers.elastic_publishing import headroom, publish, workspace
from tests.servers.loopback import Loopback, Reply

DOWN = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["elastic", "--folder", "x"], "--folder is not for elastic"),
        (["elastic", "--alertmanager", "http://x"], "--alertmanager is not for elastic"),
        (["elastic", "--ca-file", "x"], "--ca-file is not for elastic"),
        (["rules", "--source", "x"], "--source is not for rules"),
        (["alertmanager", "--skip-unsupported"], "--skip-unsupported is not for alertmanager"),
        (["elastik"], 'did you mean "elastic"?'),
    ],
)
def test_flags_that_do_not_go_together_are_refused(argv: list[str], said: str) -> None:
    """Before anything is read."""
    ending = headroom("publish", *argv)
    assert (2, "") == (ending.code, ending.stdout)
    assert said in ending.stderr


def test_a_source_that_the_workspace_does_not_name_is_refused(tmp_path: Path) -> None:
    """With the names that it has; likewise a workspace without any."""
    folder = workspace(tmp_path / "space", DOWN, "opensearch", "pub-cli")
    (tmp_path / "bare").mkdir()
    bare = tmp_path / "bare" / "headroom.yaml"
    bare.write_text("apiVersion: headroom/v1\nkind: Workspace\nmetadata: {name: x}\nspec: {}\n")

    unknown = publish(folder, "--source", "hre")
    none = headroom("publish", "elastic", "--workspace", str(bare))

    assert (2, 2) == (unknown.code, none.code)
    assert 'there is no source "hre"' in unknown.stderr
    assert "known sources: here" in unknown.stderr
    assert "set sources.elasticsearch in headroom.yaml" in none.stderr


def test_a_cluster_that_is_away_is_named_with_what_to_do(tmp_path: Path) -> None:
    """Nothing is claimed to be published."""
    folder = workspace(tmp_path / "space", DOWN, "elasticsearch", "pub-cli")
    ending = publish(folder, "--source", "elasticsearch/here")
    assert (1, "") == (ending.code, ending.stdout)
    assert "elasticsearch/here: cannot be reached: Connection refused" in ending.stderr
    assert "does the server run?" in ending.stderr


def test_a_cluster_that_refuses_the_credentials_is_named_with_what_to_do(tmp_path: Path) -> None:
    """As is one that is too old, or that was never generated for."""
    body = json.dumps({"error": {"type": "security_exception", "reason": "missing"}}).encode()
    kind = {"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}
    old = json.dumps({"nodes": {"a": {"version": "8.9.0"}}}).encode()
    with Loopback([Reply(status=401, body=body, headers=kind)]) as server:
        folder = workspace(tmp_path / "space", server.url, "elasticsearch", "pub-cli")
        refused = publish(folder)
    with Loopback([Reply(body=old, headers=kind)]) as server:
        folder = workspace(tmp_path / "old", server.url, "elasticsearch", "pub-cli")
        too_old = publish(folder)
        (folder / "generated" / "headroom.manifest.json").unlink()
        never = publish(folder)

    assert (1, 1, 1) == (refused.code, too_old.code, never.code)
    assert "refused the credentials (401): missing" in refused.stderr
    assert "apiKeyFile" in refused.stderr
    assert "elasticsearch 8.9.0 is too old" in too_old.stderr
    assert "run headroom generate" in never.stderr


def test_templates_are_generated_where_a_workspace_has_a_use_for_them(tmp_path: Path) -> None:
    """Without naming the kind only beside such a source, and below the source's name."""
    with_source = workspace(tmp_path / "space", DOWN, "opensearch", "pub-cli")
    assert 0 == headroom("init", str(tmp_path / "plain")).code

    listed = headroom("generate", "--list")
    both = headroom("generate", str(with_source), "--check")
    plain = headroom("generate", str(tmp_path / "plain"))
    named = headroom("generate", str(tmp_path / "plain"), "--only", "elastic")

    assert "elastic" in listed.stdout.splitlines()
    assert "elastic/here/" not in both.stdout
    assert (1, 0, 0) == (both.code, plain.code, named.code)
    assert "elastic/" not in plain.stdout
    assert "elastic/default/index-templates/" in named.stdout
