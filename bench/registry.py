"""Every benchmark by name; a new one is a module and a line here."""

from collections.abc import Mapping

from bench import accuracy, page_delay, rule_cost
from bench.model import Bench

BENCHES: Mapping[str, Bench] = {
    module.name: module for module in (rule_cost.BENCH, accuracy.BENCH, page_delay.BENCH)
}
