"""What the commands, the API and the console ask: every answer is made here, for one asker.

Submodules are imported by what needs them; this one holds what the gate needs, and stays light.
"""

from app.services.evaluations import (
    burn_down,
    burn_downs,
    count_reader,
    default_reference,
    evaluations,
    sources_in_use,
)

__all__ = [
    "burn_down",
    "burn_downs",
    "count_reader",
    "default_reference",
    "evaluations",
    "sources_in_use",
]
