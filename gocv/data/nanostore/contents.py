"""What a source holds, whatever its form, before it is written as a recording."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

from gocv.core import PlateId, Product, ScaleSamples
from gocv.data.nanostore.catalogue import Planogram
from gocv.data.nanostore.targets import Sightings


@dataclasses.dataclass(frozen=True, slots=True)
class Gondola:
    """Plates that are sampled together."""

    plates: tuple[PlateId, ...]
    rate_hz: float


@dataclasses.dataclass(frozen=True, slots=True)
class Contents:
    """One recording of the data set.

    Attributes:
        names: What the labels may call it; the first names it.
        gondolas: By number.
        span_unix_s: Times of the earliest and the latest sample of anything.
        stream: Given time 0 in Unix seconds and a list for notes: samples by gondola, times since then, ascending
            within each gondola.
        sightings: The shoppers' joints; None where this form has none.
        products: By id.
        planogram: Plates by product.
        clips: Videos.
    """

    names: tuple[str, ...]
    gondolas: dict[int, Gondola]
    span_unix_s: tuple[float, float]
    stream: Callable[[float, list[str]], Iterator[tuple[int, ScaleSamples]]]
    sightings: Sightings | None
    products: dict[str, Product]
    planogram: Planogram
    clips: tuple[Path, ...]
