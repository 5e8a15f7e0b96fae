"""Arguments turned into arrays of a known shape, or an error that says what was wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError

Float64 = NDArray[np.float64]
Float = NDArray[np.floating[Any]]
Bool = NDArray[np.bool_]
Int64 = NDArray[np.int64]


def as_vectors(value: ArrayLike, length: int, name: str) -> Float64:
    """`value` as float64 of shape (..., length); an empty list becomes (0, length).

    Raises:
        DataError: The values are not numbers, or the last axis has another length.
    """
    array = _as_float64(value, name)
    if array.size == 0 and array.ndim <= 1:
        return np.empty((0, length))
    if array.ndim == 0 or array.shape[-1] != length:
        raise DataError(f"{name} has shape {array.shape}", expected=f"(..., {length})")
    return array


def as_array(value: ArrayLike, shape: tuple[int, ...], name: str) -> Float64:
    """`value` as finite float64 of exactly `shape`.

    Raises:
        DataError: The values are not finite numbers, or the shape is another one.
    """
    array = _as_float64(value, name)
    if array.shape != shape:
        raise DataError(f"{name} has shape {array.shape}", key=name, expected=str(shape))
    if not np.isfinite(array).all():
        raise DataError(f"{name} holds a value that is not finite", key=name, expected="finite numbers")
    return array


def _as_float64(value: ArrayLike, name: str) -> Float64:
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: {error}", key=name, expected="an array of numbers") from error
