"""How many labelled events anybody could name who only knows what a whole shelf weighs: the limit at 12 plates a cell.

Known to this oracle and to nobody else: of every product how many units stand on the shelf, the true mean and spread of
their weights, how often and how much each form of pack leans on the frame, and the noise of this very change. With
T = w (1 - u) + e, w ~ N(μ_i, σ_i²), u even from 0 to the most that the frame carries in a share λ_i of the cases and
otherwise 0, the product of greatest posterior is right more often than any other choice can be, but for units in
neighbours' rooms, which stay on their shelf.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gocv.bench.labelled import LabelledChange
from gocv.sim.articles import Article
from gocv.sim.layout import StoreLayout
from gocv.sim.stock import Disorder, Stock

Array = NDArray[np.float64]

_WEIGHTS, _LEANS, _STOCKS = 61, 40, 40
_LEAST_SD_G = 1e-3


def weight_limit(
    layout: StoreLayout, changes: Sequence[LabelledChange], disorder: Disorder | None = None
) -> tuple[float, float]:
    """Percent of the events that the oracle names: each alone, and takes together with their returns.

    Args:
        layout: The store.
        changes: Of one session, each take followed by its return.
        disorder: How units stand.
    """
    disorder = disorder or Disorder()
    stock = Stock(layout, np.random.default_rng(0), disorder)
    leaning = _leaning(layout, disorder)
    articles = {facing.article.id: facing.article for facing in layout.facings}
    alone, together = 0, 0
    for row, change in enumerate(changes):
        shelf = change.plates[0].shelf_id
        products = sorted({unit.article.id for unit in stock.units(shelf)})
        units = np.array([stock.count(product, shelf) for product in products], np.float64)
        other = changes[row - 1] if change.put else changes[min(row + 1, len(changes) - 1)]
        fits = [
            _likelihoods(articles[p], leaning[articles[p].form], disorder.lean_share, (change, other)) for p in products
        ]
        alone += products[int(np.argmax(units * [one.mean() for one, _ in fits]))] == change.product
        together += products[int(np.argmax(units * [(one * two).mean() for one, two in fits]))] == change.product
    return 100.0 * alone / len(changes), 100.0 * together / len(changes)


def _leaning(layout: StoreLayout, disorder: Disorder) -> dict[str, float]:
    """How often a unit of each form leans on the frame, counted in as many stores as it takes."""
    leans: dict[str, list[bool]] = {}
    for seed in range(_STOCKS):
        for unit in Stock(layout, np.random.default_rng(seed), disorder).units():
            leans.setdefault(unit.article.form, []).append(unit.lean[2] > 0)
    return {form: float(np.mean(values)) for form, values in leans.items()}


def _likelihoods(article: Article, leaning: float, most: float, changes: Sequence[LabelledChange]) -> tuple[Array, ...]:
    """Of each change the density at each of (W,) weights of a unit, which are equally probable."""
    weight_g = article.weight_g + max(article.weight_sd_g, _LEAST_SD_G) * ndtri((np.arange(_WEIGHTS) + 0.5) / _WEIGHTS)
    shown = np.concatenate([[1.0], 1 - most * (np.arange(_LEANS) + 0.5) / _LEANS])
    share = np.concatenate([[1 - leaning], np.full(_LEANS, leaning / _LEANS)])
    mean_g = weight_g[:, None] * shown
    cell_g = np.concatenate([[0.0], np.full(_LEANS, most / _LEANS * article.weight_g / np.sqrt(12))])
    found = []
    for change in changes:
        variance_g2 = change.covariance_g2.sum() + cell_g**2
        density = np.exp(-((abs(change.delta_g.sum()) - mean_g) ** 2) / variance_g2 / 2) / np.sqrt(variance_g2)
        found.append(density @ share)
    return tuple(found)
