"""Dashboards are written as the standard library would write them, whatever they hold."""

import json

from hypothesis import given
from hypothesis import strategies as st

from dashboards.grafana.json_text import json_text

_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_DATA = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(_DATA)
def test_dashboards_read_as_the_library_writes_them(data: object) -> None:
    """Indentation, order, numbers and escapes are the library's."""
    expected = json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False)
    assert expected == json_text(data)
