"""The attributes of many records as one column of JSON objects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collectors.receive.values import Attributes, Values


class AttributeColumn:
    """Lists of encoded attributes, of which each different one is decoded once.

    Raises ``ValueError`` for what is no attribute, for records with more attributes than are
    kept, and for those that repeat a key.
    """

    def __init__(self, attributes: Attributes, records: Any) -> None:
        self._attributes = attributes
        self._offsets = records.offsets.to_numpy()
        lengths = np.diff(self._offsets)
        if lengths.max(initial=0) > attributes.limits.attributes:
            raise ValueError("a record has more attributes than are kept")
        flat = records.flatten().dictionary_encode()
        self._codes = flat.indices.to_numpy(zero_copy_only=False)
        self._raws: list[bytes] = flat.dictionary.to_pylist()
        pairs = attributes.fragments(self._raws)
        self._fragments = [fragment for _, fragment in pairs]
        self._keys: dict[str, int] = {}
        kinds = [self._keys.setdefault(key, len(self._keys)) for key, _ in pairs]
        self._kinds = np.array(kinds, np.int64)[self._codes]
        self._rows = np.repeat(np.arange(len(records)), lengths)
        self._require_single_keys()

    def json(self) -> pa.Array[Any]:
        """The JSON object of each record, null for one without attributes."""
        fragments = pa.array(self._fragments, pa.string()).take(pa.array(self._codes))
        lists = pa.ListArray.from_arrays(
            pa.array(self._offsets - self._offsets[0], pa.int32()),
            fragments,
            mask=pa.array(self._offsets[1:] == self._offsets[:-1]),
        )
        members: Any = pc.binary_join(lists, ",")
        found: pa.Array[Any] = pc.binary_join_element_wise("{", members, "}", "")
        return found

    def telling(self, keys: Collection[str]) -> Mapping[int, Values]:
        """The attributes with one of these keys, for each record by its place that has any."""
        wanted = np.array([key in keys for key in self._keys], np.bool_)
        if not wanted.any():
            return {}
        places = np.flatnonzero(wanted[self._kinds])
        found: dict[int, Values] = {}
        for row, code in zip(
            self._rows[places].tolist(), self._codes[places].tolist(), strict=True
        ):
            key, value = self._attributes.value(self._raws[code])
            found.setdefault(row, {})[key] = value
        return found

    def _require_single_keys(self) -> None:
        pairs = np.sort(self._rows * len(self._keys) + self._kinds)
        if (pairs[1:] == pairs[:-1]).any():
            raise ValueError("a record repeats a key")
