"""From the plates that somebody surveyed to the gondolas that they are on."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, Plate, PlateId, ShelfId
from gocv.sim.layout import Gondola
from gocv.sim.scales import ScaleNoise

_PITCH_M, _DEPTH_M = 0.10, 0.40
_LOWEST_M, _SHELF_M = 0.30, 0.30
_AISLE_M = 1.5
_EXACT_M, _EXACT_RAD = 0.01, math.radians(1.0)


@dataclasses.dataclass(frozen=True, slots=True)
class Survey:
    """The gondolas of a store.

    Attributes:
        gondolas: In order of their numbers.
        notes: What was assumed, left out or made to fit.
    """

    gondolas: tuple[Gondola, ...]
    notes: tuple[str, ...]


def survey(
    plates: Mapping[PlateId, Plate], used: Collection[PlateId], noise: Mapping[int, ScaleNoise] | None = None
) -> Survey:
    """Gondolas whose plates are where the surveyed ones are.

    A gondola has one pitch and as many plates on each shelf. Where the real one has not, its shelves are made alike,
    and a note says so. On a shelf with surveyed plates those that are not go on at its pitch, as far as products
    stand; beyond that a plate without place or product is taken for a channel of the scales with nothing on it, and
    left out. A gondola of which nothing is surveyed is put in a row of its own in front of the others.

    Args:
        plates: All that are known, in the store's frame.
        used: Those that products stand on.
        noise: By gondola, where its scales are not quiet.

    Raises:
        DataError: A gondola's plates count from the right or lie on top of each other.
    """
    by_gondola: dict[int, list[Plate]] = defaultdict(list)
    for plate in plates.values():
        by_gondola[plate.id.gondola].append(plate)
    gondolas: list[Gondola] = []
    notes: list[str] = []
    unplaced: list[tuple[int, dict[ShelfId, int]]] = []
    for number in sorted(by_gondola):
        known = [plate for plate in by_gondola[number] if _is_surveyed(plate)]
        there = _present(by_gondola[number], known, used, notes)
        if known:
            gondolas.append(_fit(number, there, known, (noise or {}).get(number, ScaleNoise()), notes))
        else:
            unplaced.append((number, there))
    for number, there in unplaced:
        gondolas.append(_make_up(number, there, gondolas, (noise or {}).get(number, ScaleNoise())))
        notes.append(f"gondola {number} is not surveyed: it is put in a row of its own, with measures that are usual")
    return Survey(tuple(sorted(gondolas, key=lambda gondola: gondola.number)), tuple(notes))


def _is_surveyed(plate: Plate) -> bool:
    return bool(np.isfinite(plate.centre_m).all())


def _present(
    plates: Sequence[Plate], known: Sequence[Plate], used: Collection[PlateId], notes: list[str]
) -> dict[ShelfId, int]:
    """Plates on each shelf, counted from 1 to the last one that is there."""
    last: dict[ShelfId, int] = defaultdict(int)
    surveyed = {plate.id for plate in known}
    shelves = {plate.shelf_id for plate in surveyed}
    for plate in plates:
        if plate.id in surveyed or plate.id in used or plate.id.shelf_id not in shelves:
            last[plate.id.shelf_id] = max(last[plate.id.shelf_id], plate.id.plate)
    channels = sorted(str(p.id) for p in plates if p.id.plate > last[p.id.shelf_id])
    if channels:
        shown = ", ".join(channels[:6]) + (" …" if len(channels) > 6 else "")
        notes.append(
            f"{len(channels)} plates of gondola {plates[0].id.gondola} are neither surveyed nor in the planogram and "
            f"are left out: {shown}"
        )
    return dict(last)


def _fit(
    number: int, there: Mapping[ShelfId, int], known: Sequence[Plate], noise: ScaleNoise, notes: list[str]
) -> Gondola:
    """The gondola that is nearest to the surveyed plates."""
    axes = np.mean([plate.rotation[:2, 0] for plate in known], axis=0)
    yaw = math.atan2(axes[1], axes[0])
    x_axis, y_axis = np.array([math.cos(yaw), math.sin(yaw)]), np.array([-math.sin(yaw), math.cos(yaw)])
    centres = np.stack([plate.centre_m for plate in known])
    sizes = np.stack([plate.size_m for plate in known])
    place = np.array([plate.id.plate - 0.5 for plate in known])
    along, inward = centres[:, :2] @ x_axis, centres[:, :2] @ y_axis
    pitch = _pitch(number, known, along, sizes[:, 0])
    depth = _usual(sizes[:, 1], _DEPTH_M)
    start, front = float(np.median(along - place * pitch)), float(np.median(inward)) - depth / 2
    corner = start * x_axis + front * y_axis
    heights = _heights(number, there, known, notes)
    gondola = Gondola(
        number, (float(corner[0]), float(corner[1])), yaw, max(there.values()), heights, pitch, depth, noise
    )
    _note_differences(gondola, there, known, notes)
    return gondola


def _pitch(number: int, known: Sequence[Plate], along_m: NDArray[np.float64], width_m: NDArray[np.float64]) -> float:
    """From the middle of a plate to that of the next one: the median over all pairs on a shelf."""
    shelves: dict[ShelfId, list[tuple[int, float]]] = defaultdict(list)
    for plate, place in zip(known, along_m, strict=True):
        shelves[plate.id.shelf_id].append((plate.id.plate, float(place)))
    steps = []
    for row in shelves.values():
        row.sort()
        steps += [(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise(row)]
    pitch = float(np.median(steps)) if steps else _usual(width_m, _PITCH_M)
    if pitch < 0.005:
        problem = f"the plates of gondola {number} are {pitch:g} m apart along its x axis"
        raise DataError(problem, key="plates", expected="plates that count from the left, as the shopper sees them")
    return pitch


def _usual(values: NDArray[np.float64], otherwise: float) -> float:
    values = values[np.isfinite(values) & (values > 0)]
    return float(np.median(values)) if len(values) else otherwise


def _heights(number: int, there: Mapping[ShelfId, int], known: Sequence[Plate], notes: list[str]) -> tuple[float, ...]:
    """Of the shelves from 1 to the last one; of those nobody surveyed, between their neighbours or above the last."""
    shelves = max(shelf.shelf for shelf in there)
    found = np.full(shelves, np.nan)
    for shelf in {plate.id.shelf for plate in known}:
        found[shelf - 1] = np.median([plate.centre_m[2] for plate in known if plate.id.shelf == shelf])
    missing = np.flatnonzero(np.isnan(found))
    if len(missing):
        have = np.flatnonzero(~np.isnan(found))
        step = _SHELF_M if len(have) < 2 else (found[have[-1]] - found[have[0]]) / (have[-1] - have[0])
        found[missing] = np.interp(missing, have, found[have])
        found[missing] += np.where(missing > have[-1], (missing - have[-1]) * step, 0.0)
        found[missing] -= np.where(
            missing < have[0], (have[0] - missing) * min(step, found[have[0]] / (have[0] + 1)), 0
        )
        notes.append(f"the heights of shelves {[int(m) + 1 for m in missing]} of gondola {number} are assumed")
    return tuple(map(float, found))


def _note_differences(gondola: Gondola, there: Mapping[ShelfId, int], known: Sequence[Plate], notes: list[str]) -> None:
    """Say by how much the gondola is not the real one."""
    short = {str(shelf): count for shelf, count in sorted(there.items()) if count < gondola.plates}
    if short:
        notes.append(f"every shelf of gondola {gondola.number} gets {gondola.plates} plates; really they have {short}")
    bare = sorted({str(shelf) for shelf in gondola.shelf_ids()} - {str(shelf) for shelf in there})
    if bare:
        notes.append(f"gondola {gondola.number} gets shelves that the recording does not have: {', '.join(bare)}")
    placed = np.stack(
        [
            gondola.point((p.id.plate - 0.5) * gondola.pitch_m, gondola.depth_m / 2, gondola.heights_m[p.id.shelf - 1])
            for p in known
        ]
    )
    off = np.linalg.norm(placed - np.stack([p.centre_m for p in known]), axis=1)
    turned = [math.acos(min(1.0, max(-1.0, (np.trace(gondola.rotation.T @ p.rotation) - 1) / 2))) for p in known]
    if off.max() > _EXACT_M or max(turned) > _EXACT_RAD:
        notes.append(
            f"plates of gondola {gondola.number} are up to {off.max():.3f} m and {math.degrees(max(turned)):.1f}° from "
            "where they were surveyed: its shelves differ in pitch, depth or slope, and are made alike"
        )


def _make_up(number: int, there: Mapping[ShelfId, int], others: Sequence[Gondola], noise: ScaleNoise) -> Gondola:
    """A gondola of usual measures, its back to the others' floor and an aisle in front of it."""
    corners = [
        gondola.point(a, d, 0.0)[:2]
        for gondola in others
        for a in (0.0, gondola.length_m)
        for d in (0.0, gondola.depth_m)
    ]
    low = np.min(corners, axis=0) if corners else np.zeros(2)
    front_m = float(low[1]) - 2 * _AISLE_M - _DEPTH_M if corners else 0.0
    heights = tuple(_LOWEST_M + _SHELF_M * shelf for shelf in range(max(shelf.shelf for shelf in there)))
    return Gondola(number, (float(low[0]), front_m), 0.0, max(there.values()), heights, _PITCH_M, _DEPTH_M, noise)
