"""Figures of product recognition."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from gocv.interact.products.likelihood import ProductLikelihood, log_posterior
from gocv.metrics.calibration import calibration_error

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

PRIOR_UNKNOWN = 0.5
"""That the product is none of the gallery's, in the figures of open sets, where half of the looks are such."""

FALSE = 0.05
"""Share of pictures of enrolled products that may be called unknown, in `figures`."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """Pictures looked up in a gallery that has their products.

    Attributes:
        cosine: (q, p) float, the greatest with the pictures of each product.
        count: (p,) or (q, p) int64, pictures of each product.
        answer: (q,) int64, the column of the product that is shown.
    """

    cosine: Float32
    count: Int64
    answer: Int64


def look_up(vectors: Float32, product: Int64, gallery: Float32, whose: Int64) -> Lookup:
    """Look (q, D) vectors of (q,) products up in (g, D) vectors of (g,) products, which have all of those."""
    known = np.unique(whose)
    cosine = vectors @ gallery.T
    greatest = np.stack([cosine[:, whose == one].max(axis=1) for one in known], axis=1)
    count = np.array([(whose == one).sum() for one in known], np.int64)
    return Lookup(greatest, count, np.searchsorted(known, product))


def figures(lookups: Sequence[Lookup], likelihood: ProductLikelihood | None) -> dict[str, Any]:
    """Means over lookups, such as draws of the gallery.

    Args:
        lookups: At least one.
        likelihood: What cosines say; None where that is not known: they are ranked then, and no more.

    Returns:
        `top_1` and `top_5` among all products of the gallery. With a likelihood also, of looks of which half have
        their product taken out of the gallery (each is asked once with and once without): `auroc` of enrolled against
        not; `detected`, the share of the latter called unknown where 5 % of the former are; `ece` and `nll`, the
        expected calibration error and mean negative log of the probability of what is most probable, and of what is
        right, with the prior 0.5 of unknown. `top_1_sd` of several lookups.
    """
    each = [_of(one, likelihood) for one in lookups]
    found: dict[str, Any] = {key: float(np.mean([one[key] for one in each])) for key in each[0]}
    if len(each) > 1:
        found["top_1_sd"] = float(np.std([one["top_1"] for one in each]))
    return found


def _of(lookup: Lookup, likelihood: ProductLikelihood | None) -> dict[str, float]:
    rows = np.arange(len(lookup.answer))
    evidence = (
        lookup.cosine.astype(np.float64) if likelihood is None else likelihood(lookup.cosine, np.array(lookup.count))
    )
    own = evidence[rows, lookup.answer]
    rank = (evidence > own[:, None]).sum(axis=1)
    found = {"top_1": float((rank == 0).mean()), "top_5": float((rank < 5).mean())}
    if likelihood is None:
        return found
    others = (~np.eye(evidence.shape[1], dtype=bool))[lookup.answer]
    without = evidence[others].reshape(len(rows), -1)
    closed, opened = (log_posterior(one, prior_unknown=PRIOR_UNKNOWN) for one in (evidence, without))
    unknown_there, unknown_missing = closed[:, -1], opened[:, -1]
    found["auroc"] = float(
        roc_auc_score(np.repeat([0, 1], len(rows)), np.concatenate([unknown_there, unknown_missing]))
    )
    limit = np.quantile(unknown_there, 1 - FALSE, method="higher")
    found["detected"] = float((unknown_missing > limit).mean())
    sure = np.exp(np.concatenate([closed.max(axis=1), opened.max(axis=1)]))
    right = np.concatenate([closed.argmax(axis=1) == lookup.answer, opened.argmax(axis=1) == opened.shape[1] - 1])
    found["ece"] = calibration_error(sure, right, bins=10).error
    found["nll"] = float(-np.mean(np.concatenate([closed[rows, lookup.answer], unknown_missing])))
    return found
