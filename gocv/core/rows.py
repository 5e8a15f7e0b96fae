"""Row-aligned arrays: the base of every table that passes between rooms."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gocv.core.errors import DataError

Self = TypeVar("Self", bound="Rows")


def column(dtype: DTypeLike, *shape: int | None) -> Any:
    """Declare a row-aligned array field of `dtype`; `shape` is that of one row, None where any length goes."""
    return dataclasses.field(metadata={"dtype": np.dtype(dtype), "shape": shape})


class Rows:
    """Base of frozen, slotted dataclasses whose `column` fields have one row per thing.

    Columns are converted to their dtype, checked for shape, and held as read-only views; the other fields
    belong to the table as a whole. Indexing with an integer array, a mask or a slice gives a table of those
    rows.

    Raises:
        DataError: A column has the wrong shape, is of numbers that its dtype cannot hold, or its rows are not as many
            as the first column's.
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        length: int | None = None
        for field in _columns(type(self)):
            array = _as_column(getattr(self, field.name), field, type(self).__name__)
            if length is None:
                length = len(array)
            elif len(array) != length:
                raise DataError(
                    f"{type(self).__name__}.{field.name} has {len(array)} rows", expected=f"{length} as in the rest"
                )
            object.__setattr__(self, field.name, array)

    def __len__(self) -> int:
        return len(getattr(self, _columns(type(self))[0].name))

    def __getitem__(self: Self, rows: NDArray[Any] | slice | Sequence[int]) -> Self:
        if isinstance(rows, (int, np.integer)):
            raise TypeError("index with a slice, a mask or an array of rows: a single row is x[i:i + 1]")
        index: Any = rows if isinstance(rows, slice) else np.asarray(rows, dtype=None if len(rows) else np.int64)
        return self._replace({f.name: getattr(self, f.name)[index] for f in _columns(type(self))})

    def _replace(self: Self, columns: dict[str, NDArray[Any]]) -> Self:
        return dataclasses.replace(self, **columns)  # type: ignore[type-var]

    @classmethod
    def empty(cls: type[Self], **attributes: Any) -> Self:
        """A table of no rows; free dimensions have length 0.

        `attributes` are the fields that are not columns, or columns whose row shape matters.
        """
        columns = {
            f.name: np.empty((0, *(d or 0 for d in f.metadata["shape"])), f.metadata["dtype"]) for f in _columns(cls)
        }
        return cls(**{**columns, **attributes})

    @classmethod
    def concatenate(cls: type[Self], tables: Sequence[Self]) -> Self:
        """The rows of all `tables`, in order.

        Raises:
            DataError: There is no table, or the tables differ in a field that is not a column, or in the shape of a
                row.
        """
        if not tables:
            raise DataError(f"no {cls.__name__} to concatenate", expected="at least one table")
        first = tables[0]
        for name in (f.name for f in dataclasses.fields(first) if "dtype" not in f.metadata):  # type: ignore[arg-type]
            if any(getattr(table, name) != getattr(first, name) for table in tables):
                raise DataError(f"{cls.__name__} to concatenate differ in '{name}'", expected="the same in all")
        filled = [table for table in tables if len(table)] or [first]
        try:
            columns = {f.name: np.concatenate([getattr(t, f.name) for t in filled]) for f in _columns(cls)}
        except ValueError as error:
            raise DataError(f"{cls.__name__} to concatenate differ in shape: {error}") from error
        return first._replace(columns)


_COLUMNS: dict[type, list[dataclasses.Field[Any]]] = {}


def _columns(cls: type) -> list[dataclasses.Field[Any]]:
    found = _COLUMNS.get(cls)
    if found is None:
        found = _COLUMNS[cls] = [f for f in dataclasses.fields(cls) if "dtype" in f.metadata]
    return found


def _as_column(value: Any, field: dataclasses.Field[Any], owner: str) -> NDArray[Any]:
    dtype, shape = field.metadata["dtype"], field.metadata["shape"]
    array = value if isinstance(value, np.ndarray) and value.dtype == dtype else _converted(value, field, owner)
    if array.size == 0 and array.ndim <= 1 and shape:
        array = np.empty((0, *(d or 0 for d in shape)), dtype)
    fits = array.ndim == 1 + len(shape) and (
        array.shape[1:] == shape
        or all(want is None or want == got for want, got in zip(shape, array.shape[1:], strict=True))
    )
    if not fits:
        wanted = ", ".join(["n", *("k" if d is None else str(d) for d in shape)])
        raise DataError(f"{owner}.{field.name} has shape {array.shape}", expected=f"({wanted})")
    view = array.view()
    view.flags.writeable = False
    return view


def _converted(value: Any, field: dataclasses.Field[Any], owner: str) -> NDArray[Any]:
    dtype = field.metadata["dtype"]
    try:
        given = np.asarray(value)
        with np.errstate(invalid="ignore"):  # a NaN that is to be an integer is refused below
            array = given.astype(dtype, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{owner}.{field.name}: {error}", expected=f"an array of {dtype}") from error
    if dtype.kind == "i" and given.dtype.kind == "f" and not np.array_equal(array, given):
        raise DataError(f"{owner}.{field.name} holds what is not a whole number", expected=f"an array of {dtype}")
    return array
