"""The answer of ``headroom gate`` as JSON, ``headroom/decision/v1``."""

from __future__ import annotations

import json

from slo.gate.decision import Decision
from slo.gate.document import to_json


def gate_json(decision: Decision) -> str:
    """The decision as a JSON document that ends with a line feed."""
    return json.dumps(to_json(decision), indent=2) + "\n"
