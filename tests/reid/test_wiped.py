"""Rows that leave nothing behind, against a list."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gocv.reid.wiped import WipedRows


@given(
    steps=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2**32 - 1), st.floats(0, 1)), max_size=12),
    first=st.integers(0, 20),
)
def test_rows_are_those_of_a_list_and_all_else_is_zero(steps: list[tuple[int, int, float]], first: int) -> None:
    numbers = iter(range(1, 10_000))
    begin = [next(numbers) for _ in range(first)]
    given = np.array(begin, np.int64)
    rows, wanted, buffers = WipedRows({"a": given, "b": np.stack([given, -given], 1)}), set(begin), []
    for count, seed, share in steps:
        buffers.append(dict(rows._columns))
        new = np.array([next(numbers) for _ in range(count)], np.int64)
        rows.append({"a": new, "b": np.stack([new, -new], 1)})
        wanted |= set(new.tolist())
        which = np.random.default_rng(seed).random(len(rows)) < share
        wanted -= set(rows["a"][which].tolist())
        rows.drop(which)
        assert len(rows) == len(wanted)
        assert set(rows["a"].tolist()) == wanted
        np.testing.assert_array_equal(rows["b"], np.stack([rows["a"], -rows["a"]], 1))
        for name, column in rows._columns.items():
            assert not column[len(rows) :].any()
            assert all(old[name] is column or not old[name].any() for old in buffers)
        assert len(rows._columns["a"]) <= max(4 * len(rows), 16)
    np.testing.assert_array_equal(given, begin)


def test_views_cannot_be_written_to() -> None:
    rows = WipedRows({"a": np.arange(3)})
    assert not rows["a"].flags.writeable
