"""Reading a dashboard: its panels and its queries, wherever they stand."""

from collections.abc import Iterator
from typing import Any

import promql_parser

Panel = dict[str, Any]


def panels(dashboard: dict[str, Any]) -> list[Panel]:
    """All panels but the rows, also those inside closed rows."""
    found: list[Panel] = []
    for panel in dashboard["panels"]:
        found.extend(panel["panels"] if panel["type"] == "row" else [panel])
    return found


def queries(dashboard: dict[str, Any]) -> list[tuple[str, str]]:
    """Every query with the title of its panel."""
    return [
        (panel["title"], target["expr"])
        for panel in panels(dashboard)
        for target in panel.get("targets", ())
    ]


def selectors(query: str) -> list[tuple[str, dict[str, tuple[str, str]]]]:
    """The name and the matchers, by label, of every selector in a query."""
    found: list[tuple[str, dict[str, tuple[str, str]]]] = []

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            matchers = {m.name: (str(m.op), m.value) for m in node.matchers.matchers}
            found.append((node.name or "", matchers))

    promql_parser.walk(promql_parser.parse(query), visit)
    return found


def boxes(dashboard: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, int]]]]:
    """The places of what lies beside each other: the open board, and each closed row's inside."""
    yield "board", [panel["gridPos"] for panel in dashboard["panels"]]
    for panel in dashboard["panels"]:
        if panel["type"] == "row" and panel["panels"]:
            yield panel["title"], [inner["gridPos"] for inner in panel["panels"]]
