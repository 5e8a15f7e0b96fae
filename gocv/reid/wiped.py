"""Rows that leave nothing behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FEWEST = 16
"""Rows that there is always room for."""


class WipedRows:
    """Row-aligned arrays that grow and shrink; memory that a row is moved or dropped from is overwritten with zeros.

    Args:
        columns: (n, …) arrays to begin with; they are copied.

    >>> rows = WipedRows({"person": np.array([1, 2, 1])})
    >>> rows.drop(np.array([True, False, True]))
    >>> rows["person"].tolist(), len(rows)
    ([2], 1)
    """

    __slots__ = ("_columns", "_count")

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._count = 0
        self._columns = {name: np.zeros((_FEWEST, *c.shape[1:]), c.dtype) for name, c in columns.items()}
        self.append(columns)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A read-only view of a column, good until rows are added or dropped."""
        view = self._columns[name][: self._count]
        view.flags.writeable = False
        return view

    def append(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Add rows at the end: all columns, as many rows in each."""
        count = self._count + len(next(iter(columns.values())))
        if count > self._room:
            self._move(max(count, 2 * self._room))
        for name, column in self._columns.items():
            column[self._count : count] = columns[name]
        self._count = count

    def drop(self, which: NDArray[np.bool_]) -> None:
        """Remove the rows of the (n,) mask; rows from the end take their places, so that order is not kept."""
        left = self._count - int(np.count_nonzero(which))
        holes, movers = np.flatnonzero(which[:left]), left + np.flatnonzero(~which[left:])
        for column in self._columns.values():
            moved = column[movers]
            column[holes] = moved
            column[left : self._count] = 0
            moved.fill(0)
        self._count = left
        if self._room > max(4 * left, _FEWEST):
            self._move(max(2 * left, _FEWEST))

    @property
    def _room(self) -> int:
        return len(next(iter(self._columns.values())))

    def _move(self, room: int) -> None:
        for name, column in self._columns.items():
            larger = np.zeros((room, *column.shape[1:]), column.dtype)
            larger[: self._count] = column[: self._count]
            column.fill(0)
            self._columns[name] = larger
