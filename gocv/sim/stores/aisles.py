"""The floor of a store with aisles: a lobby, rows of gondolas back to back, a passage behind them, cameras above."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from gocv.core import Zone
from gocv.geometry import PinholeCamera
from gocv.sim.layout import Gondola
from gocv.sim.scales import ScaleNoise

_LOBBY_M, _PASSAGE_M = 2.4, 1.5
_BACK_M = 0.02
_DOOR_M = 0.15
_CAMERA_M = 0.05
_ENTRANCE_M = 1.2


@dataclasses.dataclass(frozen=True, slots=True)
class Aisles:
    """Measures of the floor. Aisles run along x; shoppers come in at x = 0.

    Attributes:
        aisles: Each between two rows of gondolas; the outermost rows stand at the walls.
        gondolas_per_row: One beside the other.
        plates: On each shelf.
        pitch_m: From plate to plate.
        depth_m: Of the shelves.
        aisle_m: Between the fronts of two rows.
        heights_m: Of the shelves.
    """

    aisles: int
    gondolas_per_row: int
    plates: int
    pitch_m: float
    depth_m: float
    aisle_m: float
    heights_m: tuple[float, ...]

    @property
    def row_m(self) -> float:
        """Length of a row."""
        return self.gondolas_per_row * self.plates * self.pitch_m

    @property
    def apart_m(self) -> float:
        """From the middle of an aisle to that of the next one."""
        return self.aisle_m + 2 * (self.depth_m + _BACK_M)

    @property
    def size_m(self) -> tuple[float, float]:
        """Of the room."""
        return _LOBBY_M + self.row_m + _PASSAGE_M, self.aisles * self.apart_m

    @property
    def door_m(self) -> tuple[float, float]:
        """In the middle of the wall x = 0."""
        return _DOOR_M, self.size_m[1] / 2

    def zones(self) -> tuple[Zone, ...]:
        """The entrance, three fifths of the wall wide, and the shop."""
        (length, width), half = self.size_m, 0.3 * self.size_m[1]
        return (
            _rectangle("entrance", (0.0, width / 2 - half), (_ENTRANCE_M, width / 2 + half)),
            _rectangle("shop", (0.0, 0.0), (length, width)),
        )

    def gondolas(self, noises: Sequence[ScaleNoise]) -> tuple[Gondola, ...]:
        """Numbered row by row, a noise for each; the shoppers of a row look away from the middle of its aisle."""
        places = [
            (self._corner(aisle, place, side), math.pi * (1 - side))
            for aisle in range(self.aisles)
            for side in (0, 1)
            for place in range(self.gondolas_per_row)
        ]
        return tuple(
            Gondola(i + 1, corner, yaw, self.plates, self.heights_m, self.pitch_m, self.depth_m, noise)
            for i, ((corner, yaw), noise) in enumerate(zip(places, noises, strict=True))
        )

    def cameras(
        self, ceiling_m: float, seen_to_m: float, size_px: tuple[int, int], fov_deg: float
    ) -> dict[str, PinholeCamera]:
        """Cameras above the aisles that look straight down and together see all of the floor.

        A row of cameras hangs over each aisle, more where their pictures are too narrow for it: what is behind a high
        gondola is then seen from its own aisle.

        Args:
            ceiling_m: From which they hang.
            seen_to_m: All that is lower than this is in some picture.
            size_px: Width and height of a picture.
            fov_deg: Horizontal field of view.
        """
        (width_px, height_px), height_m = size_px, ceiling_m - _CAMERA_M
        half_x = (height_m - seen_to_m) * math.tan(math.radians(fov_deg) / 2)
        half_y = half_x * height_px / width_px
        along = _spaced(self.size_m[0], half_x)
        across = [aisle * self.apart_m + y for aisle in range(self.aisles) for y in _spaced(self.apart_m, half_y)]
        focal_px = (width_px / 2) / math.tan(math.radians(fov_deg) / 2)
        places = [(x, y) for y in across for x in along]
        return {
            f"camera-{i + 1}": PinholeCamera.look_at(
                (x, y, height_m), (x, y, 0.0), width_px=width_px, height_px=height_px, focal_px=focal_px
            )
            for i, (x, y) in enumerate(places)
        }

    def _corner(self, aisle: int, place: int, side: int) -> tuple[float, float]:
        """Left front corner: side 0 is that of the smaller y, whose shoppers look along -y."""
        length = self.plates * self.pitch_m
        front = aisle * self.apart_m + _BACK_M + self.depth_m + side * self.aisle_m
        return _LOBBY_M + (place + 1 - side) * length, front


def _spaced(length_m: float, half_m: float) -> list[float]:
    """The fewest middles of even parts of a length that are no longer than twice `half_m`, less a little."""
    count = math.ceil(length_m / (2 * half_m * 0.97))
    return [float(middle) for middle in (np.arange(count) + 0.5) * length_m / count]


def _rectangle(name: str, low_m: tuple[float, float], high_m: tuple[float, float]) -> Zone:
    (left, bottom), (right, top) = low_m, high_m
    return Zone(name, np.array([[left, bottom], [right, bottom], [right, top], [left, top]]))
