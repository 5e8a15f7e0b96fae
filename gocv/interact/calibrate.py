"""How sure a classifier may be, measured on visits that it did not learn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

Array = NDArray[np.float64]

_RANGE = (-1.5, 2.5)


def fit_temperature(log_probabilities: Array, target: NDArray[np.floating]) -> float:
    """The number by which log odds are best divided: that of the smallest cross entropy (Guo et al. 2017, §4.2).

    Args:
        log_probabilities: (n, C) of each class, or log odds.
        target: (n, C) how much of each class it is; rows of zeros say nothing.

    >>> sure = np.log([[0.99, 0.01], [0.99, 0.01], [0.01, 0.99], [0.99, 0.01]])
    >>> right = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> 3.5 < fit_temperature(sure, right) < 5.0
    True
    """
    known = target.sum(axis=1) > 0
    logits, wanted = np.asarray(log_probabilities, np.float64)[known], np.asarray(target, np.float64)[known]
    if not len(logits):
        return 1.0

    def loss(log_t: float) -> float:
        return -float((wanted * log_softmax(logits / np.exp(log_t), axis=1)).sum())

    return float(np.exp(minimize_scalar(loss, bounds=_RANGE, method="bounded").x))


def with_prior(probabilities: Array, learnt: NDArray[np.floating], wanted: NDArray[np.floating]) -> Array:
    """(n, C) probabilities if classes are as frequent as `wanted` (C,), and were as `learnt` (C,) where it was learnt.

    Saerens, Latinne & Decaestecker 2002, "Adjusting the outputs of a classifier to new a priori probabilities", eq. 4.

    >>> with_prior(np.array([[0.9, 0.1]]), np.array([0.9, 0.1]), np.array([0.5, 0.5]))
    array([[0.5, 0.5]])
    """
    log_ratio = np.log(np.maximum(wanted, 1e-12)) - np.log(np.maximum(learnt, 1e-12))
    return np.asarray(softmax(np.log(np.maximum(probabilities, 1e-12)) + log_ratio, axis=1))
