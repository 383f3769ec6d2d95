"""Headers of generated files."""

from dataclasses import replace

from collectors.tagging.header import header
from tests.unit.collectors.tagging.examples import airline


def test_a_header_names_the_applications() -> None:
    """In the plan's order, each once."""
    assert "Applications: cargo, ticketing." in header(airline(), "x")


def test_a_header_does_not_grow_with_every_application() -> None:
    """Hosts and services have a file each, and a thousand names stand in none of them."""
    plan = airline()
    (first, *_) = plan.streams
    many = [replace(first, values={**first.values, "app": f"app-{at}"}) for at in range(1200)]

    line = header(replace(plan, streams=tuple(many)), "x")[1]

    assert line.startswith("Applications: app-0, app-1, ")
    assert line.endswith(", app-99, and 1,100 more.")
