"""What FAIM (AIM3S) says a change of weight is: by where it was, by how much it was, and by both. As published.

Falcão et al., "FAIM: Vision and Weight Sensing Fusion Framework for Autonomous Inventory Monitoring in Convenience
Stores", Frontiers in Built Environment 2020, doi 10.3389/fbuil.2020.568372. For a change Δ_p of the plates p of one
shelf, ΔW = Σ_p Δ_p, and product i of weight N(μ_i, σ_i²):

    P_W(i) = ∫ min{ N(x; μ_i, max(σ_i, 1 g)), N(x; |ΔW|, 1 g) } dx
    P_L(i) ∝ Σ_p 1[i stands on p]·|Δ_p|,   values below 0.01 become 0
    P_W·P_L, and argmax.

Only single units are thought of, and only what the planogram says stands there. That is the published method, and it
stays. Where several neighbouring plates share a load cell, the cells take the place of the plates: the changes of a
cell's plates are summed, and a product stands on a cell if it stands on any plate of it. Where the publication is
silent:

- ∝ is taken at its word: P_L sums to 1 over all products, and then small values become 0.
- "A plate contributes if it changed by more than 5 g" holds for P_L, cell by cell. ΔW is that of the whole shelf.
- Cells are counted from the shelf's first plate: plates 1 to k, k + 1 to 2k and so on.
- P_W runs over all products of the store, on the shelf or not. A product without a weight on file has P_W = 0, and
  one without a standard deviation has 1 g.
- Of products that are equally probable, argmax takes the first in planogram order; those that are not in the
  planogram follow in the order of the catalogue. Where all are 0, nothing is identified.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from gocv.core import DataError, PlateId, Store

PlatesPerCell = Literal[1, 2, 3, 4, 6, 12]
"""How many neighbouring plates share a load cell, as published for shelves of 12."""

_LEAST_SD_G = 1.0
_LEAST_LOCATION = 0.01


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Identification:
    """What one change of weight could have been.

    Attributes:
        products: Ids of the store's N products, in the order of the arrays.
        location: (N,) float64, P_L.
        weight: (N,) float64, P_W.
        both: (N,) float64, P_W·P_L, which is not normalised.
        by_location: The product of highest P_L; None where all are 0.
        by_weight: The product of highest P_W; None where all are 0.
        by_both: The product of highest P_W·P_L; None where all are 0.
    """

    products: tuple[str, ...]
    location: NDArray[np.float64]
    weight: NDArray[np.float64]
    both: NDArray[np.float64]
    by_location: str | None
    by_weight: str | None
    by_both: str | None


def identify(
    delta_g: ArrayLike,
    plates: Sequence[PlateId],
    store: Store,
    *,
    plates_per_cell: PlatesPerCell = 1,
    min_plate_g: float = 5.0,
) -> Identification:
    """P_L, P_W and P_W·P_L of one change, over all products of the store.

    Args:
        delta_g: (P,) grams after minus before, of each plate of one shelf; negative = taken.
        plates: The P plates, in the order of `delta_g`.
        store: Products with their weights, and the planogram.
        plates_per_cell: How many neighbouring plates share a load cell.
        min_plate_g: Cells that changed by no more than this do not count in P_L, grams; 0 counts all.

    Raises:
        DataError: The shapes do not fit, a change is not finite, or the plates are not of one shelf.
    """
    products = product_order(store)
    location = location_probability(delta_g, plates, store, plates_per_cell=plates_per_cell, min_plate_g=min_plate_g)
    weight = weight_probability(float(np.asarray(delta_g, np.float64).sum()), store)
    both = weight * location
    best = [products[int(np.argmax(p))] if p.any() else None for p in (location, weight, both)]
    return Identification(products, location, weight, both, *best)


def product_order(store: Store) -> tuple[str, ...]:
    """All products of the store: those of the planogram in its order, then the rest in that of the catalogue."""
    return tuple(dict.fromkeys([*(p for p in store.planogram if p in store.products), *store.products]))


def location_probability(
    delta_g: ArrayLike,
    plates: Sequence[PlateId],
    store: Store,
    *,
    plates_per_cell: PlatesPerCell = 1,
    min_plate_g: float = 5.0,
) -> NDArray[np.float64]:
    """P_L: how much of a change was where each product stands.

    Args:
        delta_g: (P,) grams after minus before, of each plate of one shelf.
        plates: The P plates, in the order of `delta_g`.
        store: The planogram.
        plates_per_cell: How many neighbouring plates share a load cell.
        min_plate_g: Cells that changed by no more than this do not count, grams.

    Returns:
        (N,) float64 in the order of `product_order`. It sums to 1 but for values below 0.01, which are 0; all are 0
        where no cell changed enough, or nothing stands on those that did.

    Raises:
        DataError: The shapes do not fit, a change is not finite, or the plates are not of one shelf.
    """
    change_g = _checked(delta_g, plates)
    cell_g: dict[int, float] = {}
    for plate, grams in zip(plates, change_g.tolist(), strict=True):
        cell = (plate.plate - 1) // plates_per_cell
        cell_g[cell] = cell_g.get(cell, 0.0) + grams
    moved_g = {cell: abs(grams) for cell, grams in cell_g.items() if abs(grams) > min_plate_g}
    shelf = plates[0].shelf_id if plates else None
    where = (store.planogram.get(product, frozenset()) for product in product_order(store))
    cells = ({(p.plate - 1) // plates_per_cell for p in on if p.shelf_id == shelf} for on in where)
    share = np.array([sum(moved_g.get(cell, 0.0) for cell in sorted(on)) for on in cells], np.float64)
    if not share.any():
        return share
    share /= share.sum()
    share[share < _LEAST_LOCATION] = 0.0
    return share


def weight_probability(total_g: float, store: Store) -> NDArray[np.float64]:
    """P_W: how much the normal of each product's weight and that of the change, of 1 g, overlap.

    Args:
        total_g: What the shelf's weight changed by, grams, of either sign.
        store: Products with their weights.

    Returns:
        (N,) float64 in [0, 1] in the order of `product_order`; 0 for a product without a weight on file.
    """
    products = [store.products[product] for product in product_order(store)]
    mean_g = np.array([product.weight_g for product in products], np.float64)
    sd_g = np.fmax([product.weight_sd_g for product in products], _LEAST_SD_G)
    return np.nan_to_num(normal_overlap(mean_g, sd_g, abs(total_g), _LEAST_SD_G))


def normal_overlap(mean_a: ArrayLike, sd_a: ArrayLike, mean_b: ArrayLike, sd_b: ArrayLike) -> NDArray[np.float64]:
    """∫ min{ N(x; a), N(x; b) } dx of two normals, exactly, from where their densities cross.

    The narrower density is the higher one between the two crossings, so the integral is what the wider one has between
    them and what the narrower one has outside.

    Args:
        mean_a, mean_b: Means, of shapes that broadcast.
        sd_a, sd_b: Standard deviations, over 0.

    Returns:
        float64 in [0, 1] of the common shape; NaN where an argument is NaN.

    >>> normal_overlap([100, 101, 102], 1, 100, 1).round(4)
    array([1.    , 0.6171, 0.3173])
    """
    mean_a, sd_a, mean_b, sd_b = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in (mean_a, sd_a, mean_b, sd_b)))
    narrow, wide = np.minimum(sd_a, sd_b), np.maximum(sd_a, sd_b)
    # In units of the narrower one, which is at 0; the wider one of width r is at -d <= 0. The densities cross where
    # (r² - 1) y² - 2 d y - (d² + 2 r² ln r) = 0; the lower root is written so that nothing cancels as r nears 1.
    with np.errstate(divide="ignore", invalid="ignore"):
        r, d = wide / narrow, np.abs(mean_a - mean_b) / narrow
        square = r**2 - 1
        reach = d + r * np.sqrt(d**2 + 2 * square * np.log(r))
        low, high = -(d**2 + 2 * r**2 * np.log(r)) / reach, reach / square
        outside = ndtr(low) + ndtr(-high)
        inside = ndtr(-(low + d) / r) - ndtr(-(high + d) / r)
    overlap: NDArray[np.float64] = np.where((d == 0) & (r == 1), 1.0, np.clip(outside + inside, 0.0, 1.0))
    return overlap


def labelled_change(weight_g: ArrayLike, begin: int, end: int, *, window: int = 60) -> NDArray[np.float64]:
    """The change of each plate in an event whose begin and end are known, as the labelled events were measured.

    ΔW = μ(end + 30) - μ(begin - 30), μ the moving mean over 60 samples, here the centred one.

    Args:
        weight_g: (n, P) readings of the plates, grams.
        begin: First sample of the event, 0-based.
        end: Its last sample.
        window: Samples of the moving mean; half of it is how far outside the event it is taken.

    Returns:
        (P,) float64, grams after minus before: means over samples [end, end + window) and [begin - window, begin).

    Raises:
        DataError: A window lies outside the samples, or the event ends before it begins.
    """
    readings = np.asarray(weight_g, np.float64)
    if readings.ndim != 2:
        raise DataError(f"weight_g has shape {readings.shape}", key="weight_g", expected="(n, P)")
    if not window <= begin <= end <= len(readings) - window:
        problem = f"the event from sample {begin} to {end} lacks {window} samples on a side"
        raise DataError(problem, key="begin", expected=f"{window} <= begin <= end <= {len(readings) - window}")
    change_g: NDArray[np.float64] = readings[end : end + window].mean(axis=0) - readings[begin - window : begin].mean(0)
    return change_g


def _checked(delta_g: ArrayLike, plates: Sequence[PlateId]) -> NDArray[np.float64]:
    change_g = np.asarray(delta_g, np.float64)
    if change_g.shape != (len(plates),):
        raise DataError(f"delta_g has shape {change_g.shape}", key="delta_g", expected=f"({len(plates)},)")
    if not np.isfinite(change_g).all():
        raise DataError("a change is not finite", key="delta_g", expected="grams for each plate")
    if len({plate.shelf_id for plate in plates}) > 1:
        raise DataError("plates of several shelves", key="plates", expected="those of one shelf")
    return change_g
