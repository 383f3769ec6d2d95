"""A workspace whose telemetry a search node holds, and the program publishing to it."""

import json
from pathlib import Path

from app.cli.main import COMMANDS
from tests.cli.fakes.terminals import Ending, call
from tests.servers.elastic import Opensearch, SearchNode

_APP = """
apiVersion: headroom/v1
kind: App
metadata: {{name: {name}, team: crew, labels: {{tier: "1"}}}}
spec:
  environments: [{{name: pub}}]
  components:
    - name: api
      kind: service
      service: {name}-api
      kubernetes: {{namespace: {name}, workload: deployment/api}}
      logs: [{{kubernetes: true, traceId: ctx.trace}}]
    - {{name: batch, kind: host, hosts: ["{name}-host"], logs: [{{path: /var/log/{name}/*.log}}]}}
  slos:
    - name: a
      objective: 99
      indicator: {{events: {{total: 't{{job="x"}}', bad: 'b{{job="x"}}'}}}}
"""

_WORKSPACE = """
apiVersion: headroom/v1
kind: Workspace
metadata: {{name: pub}}
spec:
  apps: [apps]
  sources:
    elasticsearch:
      here: {{url: "{url}", flavor: {flavor}, timeout: 60s}}
    store: {{path: .headroom/store, retention: {{logs: {{age: 30d}}, spans: {{age: 36h}}}}}}
"""

SUBSTITUTES = {"match_only_text": "text", "constant_keyword": "keyword"}
"""Types that Elasticsearch's core lacks and what stands for them, in these tests alone."""


def flavor_of(node: SearchNode) -> str:
    """How a workspace spells a node's flavour."""
    return "opensearch" if isinstance(node, Opensearch) else "elasticsearch"


def headroom(*argv: str) -> Ending:
    """Run the real program."""
    return call(argv, commands=COMMANDS)


def workspace(folder: Path, url: str, flavor: str, *apps: str) -> Path:
    """A workspace with these applications and what `generate` makes of it."""
    (folder / "apps").mkdir(parents=True)
    (folder / "headroom.yaml").write_text(_WORKSPACE.format(url=url, flavor=flavor))
    for name in apps:
        (folder / "apps" / f"{name}.yaml").write_text(_APP.format(name=name))
    ending = headroom("generate", str(folder), "--only", "elastic")
    assert 0 == ending.code, ending.stderr
    return folder


def substituted(folder: Path) -> Path:
    """The same, with what Elasticsearch's published core lacks replaced in the generated files."""
    for path in (folder / "generated" / "elastic").rglob("component-templates/*.json"):
        path.write_text(json.dumps(_without(json.loads(path.read_text()))))
    return folder


def publish(folder: Path, *flags: str) -> Ending:
    """Publish what was generated."""
    return headroom("publish", "elastic", "--workspace", str(folder / "headroom.yaml"), *flags)


def prepared(folder: Path, node: SearchNode, *apps: str) -> Path:
    """A workspace of which the node can take every template."""
    made = workspace(folder / "space", node.url, flavor_of(node), *apps)
    return made if isinstance(node, Opensearch) else substituted(made)


def _without(value: object) -> object:
    if isinstance(value, list):
        return [_without(each) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    if isinstance(kind, str) and kind in SUBSTITUTES:
        return {"type": SUBSTITUTES[kind]}
    return {key: _without(each) for key, each in value.items()}
