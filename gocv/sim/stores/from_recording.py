"""A store to simulate from the store of a recording: the same plates, products and planogram, with bodies."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, PlateId, Product, ShelfId, Store
from gocv.data.recording import Recording
from gocv.geometry import PinholeCamera
from gocv.sim.articles import Article
from gocv.sim.layout import Facing, Gondola, StoreLayout
from gocv.sim.scales import ScaleNoise
from gocv.sim.stores.bodies import make_article
from gocv.sim.stores.clearance import room_of
from gocv.sim.stores.packs import Size
from gocv.sim.stores.rooms import rooms
from gocv.sim.stores.shop_floor import CEILING_M, lay_floor
from gocv.sim.stores.survey import survey

_FALLBACK_G = 150.0


def recorded_store(
    recording: Recording, *, noise: Mapping[int, ScaleNoise] | None = None, needed: Collection[PlateId] = ()
) -> StoreLayout:
    """The store of a recording, in its own frame; its `notes` say what was assumed, left out or made to fit.

    Surveyed plates, products and planogram are the recording's; see `survey` for plates that nobody surveyed. Forms,
    sizes, colours and the spread between units are assumed from weight and id; the room, the door and the entrance
    where no zone says them. A product without a weight weighs what the median product does: the catalogue goes on
    without it.

    Args:
        recording: Opened.
        noise: By gondola, where its scales are not quiet.
        needed: Plates that have to be there, though nobody surveyed them and nothing stands on them.

    Raises:
        DataError: Nothing stands in the store, its plates make no gondolas, or there is no floor to walk on.
    """
    store = recording.store
    used = {plate for plates in store.planogram.values() for plate in plates}
    if not used:
        problem = "its planogram names no product on any plate: there is nothing to simulate"
        raise DataError(problem, file=recording.path, key="planogram", expected="products on plates")
    try:
        found = survey(store.plates, used | set(needed), noise)
    except DataError as error:
        raise DataError(error.problem, file=recording.path, key=error.key, expected=error.expected) from error
    notes = list(found.notes)
    facings = _facings(store, found.gondolas, notes)
    cameras = _cameras(recording, found.gondolas, notes)
    floor = lay_floor(found.gondolas, store.zones, [camera.position_m for camera in cameras.values()], notes)
    layout = StoreLayout.build(
        found.gondolas,
        facings,
        zones=floor.zones,
        size_m=floor.size_m,
        door_m=floor.door_m,
        cameras=cameras,
        ceiling_m=max([CEILING_M, *(float(camera.position_m[2]) for camera in cameras.values())]),
        origin_m=floor.origin_m,
    )
    whole = dataclasses.replace(layout.store, products=dict(store.products))
    return dataclasses.replace(layout, store=whole, notes=tuple(notes))


def _facings(store: Store, gondolas: Sequence[Gondola], notes: list[str]) -> list[Facing]:
    """A facing for each run of neighbouring plates of a product on a shelf."""
    runs: dict[ShelfId, list[tuple[str, int, int]]] = defaultdict(list)
    for product, plates in sorted(store.planogram.items()):
        for shelf, first, last in _runs(plates):
            runs[shelf].append((product, first, last))
    by_number = {gondola.number: gondola for gondola in gondolas}
    placed: list[tuple[str, ShelfId, tuple[int, int], tuple[float, float]]] = []
    spaces: dict[str, list[Size]] = defaultdict(list)
    for shelf, members in sorted(runs.items()):
        gondola = by_number[shelf.gondola]
        found = rooms([(first, last) for _, first, last in members])
        for (product, first, last), (left, right) in zip(members, found, strict=True):
            if right > left:
                room_m = (left * gondola.pitch_m, right * gondola.pitch_m)
                placed.append((product, shelf, (first, last - first + 1), room_m))
                spaces[product].append(room_of(gondola, shelf, room_m[1] - room_m[0]))
            else:
                notes.append(f"product {product} has no room on shelf {shelf} between its neighbours: left out there")
    articles = _articles(store.products, spaces, notes)
    return [Facing(articles[product], shelf, *plates, *room_m) for product, shelf, plates, room_m in placed]


def _runs(plates: frozenset[PlateId]) -> list[tuple[ShelfId, int, int]]:
    """Shelf, first and last plate of each unbroken row."""
    order = sorted(plates)
    runs = itertools.groupby(enumerate(order), key=lambda pair: (pair[1].shelf_id, pair[1].plate - pair[0]))
    found = [[plate for _, plate in run] for _, run in runs]
    return [(run[0].shelf_id, run[0].plate, run[-1].plate) for run in found]


def _articles(
    products: Mapping[str, Product], spaces: Mapping[str, Sequence[Size]], notes: list[str]
) -> dict[str, Article]:
    """Bodies that fit in the smallest of a product's spaces."""
    weights = [products[p].weight_g for p in spaces if products[p].weight_g > 0]
    usual_g = float(np.median(weights)) if weights else _FALLBACK_G
    articles = {}
    for product, rooms_of_it in spaces.items():
        smallest = Size(*np.min([dataclasses.astuple(size) for size in rooms_of_it], axis=0).tolist())
        known = products[product].weight_g > 0
        if not known:
            notes.append(f"product {product} has no weight on file: its units weigh {usual_g:g} g")
        articles[product] = make_article(products[product], smallest, weight_g=None if known else usual_g)
    return articles


def _cameras(recording: Recording, gondolas: Sequence[Gondola], notes: list[str]) -> dict[str, PinholeCamera]:
    cameras: dict[str, PinholeCamera] = {}
    for camera in recording.cameras:
        if camera.calibration is None:
            notes.append(f"camera {camera.name} is not calibrated and is left out")
        elif _is_buried(camera.calibration.position_m, gondolas):
            notes.append(f"camera {camera.name} is inside a gondola or under the floor and is left out")
        else:
            cameras[camera.name] = camera.calibration
    return cameras


def _is_buried(position_m: NDArray[np.float64], gondolas: Sequence[Gondola]) -> bool:
    height_m = float(position_m[2])
    return height_m <= 0 or any(g.covers(position_m[None, :2], 0.0)[0] and height_m < g.top_m for g in gondolas)
