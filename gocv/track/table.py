"""The tracks of one tracker: an array per attribute, a column per track."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


class TrackTable:
    """All tracks that are alive, as arrays.

    The attributes are rows of one float64 array, so that tracks are added and dropped for all attributes at once.
    Whole numbers (ids, counts, labels) are exact up to 2⁵³.

    Args:
        widths: Rows that each attribute takes: 1 gives an (n,) attribute, w > 1 a (w, n) one.

    >>> table = TrackTable({"state": 2, "hits": 1})
    >>> table.add(2, state=[[1.0, 2.0], [3.0, 4.0]], hits=1)
    >>> table.keep(np.array([False, True]))
    >>> table["state"].tolist(), table["hits"].tolist(), len(table)
    ([[2.0], [4.0]], [1.0], 1)
    """

    __slots__ = ("_rows", "_values")

    def __init__(self, widths: Mapping[str, int]) -> None:
        self._rows: dict[str, int | slice] = {}
        start = 0
        for name, width in widths.items():
            self._rows[name] = start if width == 1 else slice(start, start + width)
            start += width
        self._values = np.empty((start, 0))

    def __len__(self) -> int:
        return self._values.shape[1]

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def __getitem__(self, name: str) -> Float64:
        """A view of an attribute, (n,) or (w, n): writing to it changes the table."""
        view: Float64 = self._values[self._rows[name]]
        return view

    def __setitem__(self, name: str, value: Float64 | float) -> None:
        self._values[self._rows[name]] = value

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Drop the tracks that are not in the (n,) mask."""
        if not which.all():
            self._values = self._values[:, which]

    def add(self, count: int, **attributes: Float64 | list[list[float]] | float) -> None:
        """Append `count` tracks; attributes that are not named are 0."""
        if not count:
            return
        new = np.zeros((len(self._values), count))
        for name, value in attributes.items():
            new[self._rows[name]] = value
        self._values = np.concatenate([self._values, new], axis=1)

    def widen(self, name: str, width: int) -> None:
        """Give all tracks one more attribute of `width` rows, 0 for those that there are."""
        start = len(self._values)
        self._rows[name] = slice(start, start + width)
        self._values = np.concatenate([self._values, np.zeros((width, len(self)))])
