"""The rule types that a policy may name: each a module here and a line in `RULES`."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from slo.gate.policy import Rule
from slo.gate.rules import burn_rate, error_budget, freeze_window
from slo.problems import Problem
from slo.records import dataclass
from slo.shape import Fields, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleType:
    """A rule type: what it looks like in a file, and how the model is made from that.

    ``build`` gets a record that was read without an error; it appends what is wrong beyond the
    shape, and returns ``None`` when that leaves no rule.
    """

    shape: Record
    build: Callable[[Fields, list[Problem]], Rule | None]


RULES: Mapping[str, RuleType] = MappingProxyType(
    {
        error_budget.TYPE: RuleType(shape=error_budget.SHAPE, build=error_budget.build),
        burn_rate.TYPE: RuleType(shape=burn_rate.SHAPE, build=burn_rate.build),
        freeze_window.TYPE: RuleType(shape=freeze_window.SHAPE, build=freeze_window.build),
    }
)
"""Every rule type that works; a policy that names another is wrong."""
