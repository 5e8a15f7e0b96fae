"""What a recording says of its store, where that is wrong: the planogram of last week, a weight on file, a barcode."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from gocv.core import ConfigError, PlateId, Product, Store
from gocv.data.config import Model
from gocv.sim.checks import Span
from gocv.sim.layout import StoreLayout

Share = Annotated[float, Field(ge=0, le=1)]


class Paperwork(Model):
    """How a recording's description of its store differs from the store.

    Attributes:
        wrong_gondolas: How many gondolas' products changed places among each other without anybody writing it down.
        age_days: How many days old the planogram is.
        moved_per_day: Share of the facings that changed places with another one in each of these days.
        misplaced_per_day: Share of the units that came to stand in a neighbour's room in each of them.
        wrong_weights: Share of the products whose weight on file is wrong.
        weight_error: The most by which it is, as a share of the weight; no less than a third of that.
        lost_zeros: Share of the barcodes that lost their leading zeros in the files, as spreadsheets do it.
        start_offset_s: Range of how much earlier than the recording says the scales' samples were taken.
    """

    wrong_gondolas: Annotated[int, Field(ge=0, le=1000)] = 0
    age_days: Annotated[float, Field(ge=0, le=365)] = 0.0
    moved_per_day: Share = 0.01
    misplaced_per_day: Share = 0.004
    wrong_weights: Share = 0.0
    weight_error: Annotated[float, Field(gt=0, le=0.9)] = 0.3
    lost_zeros: Share = 0.0
    start_offset_s: Span = (0.0, 0.0)

    @property
    def misplaced(self) -> float:
        """Share of the units that came to stand elsewhere since the planogram was written."""
        return float(1.0 - (1.0 - self.misplaced_per_day) ** self.age_days)

    def written(self, layout: StoreLayout, rng: np.random.Generator) -> Store:
        """The store as the recording describes it.

        Raises:
            ConfigError: More gondolas are to be wrong than there are.
        """
        plates = [set(facing.plate_ids()) for facing in layout.facings]
        if self.wrong_gondolas > len(layout.gondolas):
            problem = f"{self.wrong_gondolas} gondolas cannot be wrong"
            raise ConfigError(problem, key="paperwork.wrong_gondolas", expected=f"up to {len(layout.gondolas)}")
        for number in rng.permutation(list(layout.gondolas))[: self.wrong_gondolas]:
            rows = [i for i, f in enumerate(layout.facings) if f.shelf.gondola == number]
            _exchange(plates, rows, np.roll(rows, 1))
        moved = rng.random(len(plates)) < 1.0 - (1.0 - self.moved_per_day) ** self.age_days
        rows = [int(i) for i in rng.permutation(np.flatnonzero(moved))]
        if len(rows) == 1 and len(plates) > 1:  # nobody changes places alone
            rows.append(int(rng.choice([i for i in range(len(plates)) if i != rows[0]])))
        _exchange(plates, rows, np.roll(rows, 1))
        planogram: dict[str, set[PlateId]] = {}
        for facing, on in zip(layout.facings, plates, strict=True):
            planogram.setdefault(facing.article.id, set()).update(on)
        products = {p.id: self._filed(p, rng) for p in layout.store.products.values()}
        return dataclasses.replace(
            layout.store,
            products={filed.id: filed for filed in products.values()},
            planogram=_frozen({products[p].id: on for p, on in planogram.items()}),
        )

    def _filed(self, product: Product, rng: np.random.Generator) -> Product:
        wrong, lost = rng.random(2) < (self.wrong_weights, self.lost_zeros)
        error = rng.choice((-1, 1)) * rng.uniform(self.weight_error / 3, self.weight_error)
        if wrong:
            product = dataclasses.replace(product, weight_g=round(product.weight_g * (1 + error), 2))
        return dataclasses.replace(product, id=product.id.lstrip("0") or "0") if lost else product


def _exchange(plates: list[set[PlateId]], rows: list[int], order: np.ndarray) -> None:
    """Give each of some facings the plates of another (in place)."""
    old = [plates[row] for row in rows]
    for place, row in enumerate(order):
        plates[int(row)] = old[place]


def _frozen(planogram: Mapping[str, set[PlateId]]) -> dict[str, frozenset[PlateId]]:
    return {product: frozenset(on) for product, on in planogram.items()}
