"""Scores of a classifier: who is taken for whom, F1 of each class and their mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError


def confusion(true: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.int64]:
    """(C, C) int64, how many of class i were taken for class j. Such tables add up.

    Args:
        true: (n,) class of each, from 0.
        predicted: (n,) what it was taken for.
        classes: C.

    Raises:
        DataError: The two are not as many, or a class is out of range.

    >>> confusion([0, 0, 1], [0, 1, 1], 2)
    array([[1, 1],
           [0, 1]])
    """
    one, other = np.asarray(true, np.int64).reshape(-1), np.asarray(predicted, np.int64).reshape(-1)
    if len(one) != len(other):
        raise DataError(
            f"{len(one)} true and {len(other)} predicted classes", expected="as many of the one as of the other"
        )
    both = np.concatenate([one, other])
    if len(both) and (both.min() < 0 or both.max() >= classes):
        raise DataError("a class is out of range", expected=f"0 to {classes - 1}")
    return np.bincount(classes * one + other, minlength=classes**2).reshape(classes, classes)


def f1_of_classes(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """(C,) harmonic mean of precision and recall of each class; NaN for one that is neither there nor predicted.

    >>> f1_of_classes(np.array([[1, 1], [0, 1]]))
    array([0.66666667, 0.66666667])
    """
    hits, either = np.diag(table).astype(np.float64), table.sum(axis=0) + table.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(2 * hits / either)


def macro_f1(table: NDArray[np.int64]) -> float:
    """Mean F1 of the classes that are there or predicted; NaN where there is none."""
    each = f1_of_classes(table)
    return float(each[np.isfinite(each)].mean()) if np.isfinite(each).any() else float("nan")
