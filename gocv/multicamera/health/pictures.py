"""How well a camera's boxes lie on the people whom the other cameras see.

Somebody whom others see stands somewhere in the picture, with feet and head; a box is compared with all of them and
goes to the nearest. Its fit is 1 - χ²/g² within the gate g, and 0 beyond: 1 for a box that is where it should be, 0 for
one of nobody. χ² is of its middle, its upper edge and its lower edge; the latter counts for little where feet may be
hidden, and none of an edge that the picture cuts off.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.core import Rows, column
from gocv.geometry import PinholeCamera
from gocv.multicamera.health.others import Others
from gocv.multicamera.settings import BoxSettings
from gocv.multicamera.views import CameraView

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_FEET = 2.0
"""No lower edge counts for more standard deviations than this."""
_BEYOND = 0.3
"""People this share of the picture beyond its edges are still compared, since boxes of them may reach into it."""
_STEP_S = 0.1


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Boxes(Rows):
    """Boxes of one camera.

    Attributes:
        frame_s: (F,) float64, times of the frames that are looked at, on the camera's own clock.
        frame: (n,) int64, ascending.
        edges_px: (n, 3) float64, middle across, upper and lower edge.
        seen: (n, 3) bool, which of them the picture does not cut off.
    """

    frame_s: Float64
    frame: Int64 = column(np.int64)
    edges_px: Float64 = column(np.float64, 3)
    seen: Bool = column(np.bool_, 3)

    @property
    def time_s(self) -> Float64:
        """(n,) float64, of each box."""
        return self.frame_s[self.frame]

    def thinned(self, most: int) -> Boxes:
        """About so many of them at most, of frames at even steps."""
        return self[self.frame % max(1, -(-len(self) // most)) == 0]


def boxes_of(view: CameraView, settings: BoxSettings, most: int) -> Boxes:
    """About so many boxes of a camera at most, frames at even steps.

    Args:
        view: Of a calibrated camera.
        settings: Where a box counts as cut off.
        most: How many.
    """
    assert view.calibration is not None
    step = max(1, -(-len(view.seen.boxes) // most))
    frames = np.arange(0, len(view.seen), step)
    count = np.diff(view.seen.first_row)[frames]
    frame = np.repeat(np.arange(len(frames)), count)
    row = np.arange(len(frame)) - np.repeat(np.cumsum(count) - count, count) + view.seen.first_row[frames][frame]
    left, top, right, bottom = view.seen.boxes.xyxy[row].astype(np.float64).T
    edge, width, height = settings.edge_px, view.calibration.width_px - 1, view.calibration.height_px - 1
    seen = np.stack([(left > edge) & (right < width - edge), top > edge, bottom < height - edge], axis=1)
    return Boxes(view.seen.time_s[frames], frame, np.stack([(left + right) / 2, top, bottom], axis=1), seen)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Shown(Rows):
    """People whom others see, in the frames of a camera.

    Attributes:
        first: (F + 1,) int64: those of frame k are the rows from `first[k]` to `first[k + 1]`.
        person: (n,) int64.
        xy_m: (n, 2) float64, where they are at the time of the frame.
        velocity_m_s: (n, 2) float64.
        sd_m: (n,) float64.
    """

    first: Int64
    person: Int64 = column(np.int64)
    xy_m: Float64 = column(np.float64, 2)
    velocity_m_s: Float64 = column(np.float64, 2)
    sd_m: Float64 = column(np.float64)


def shown(frame_s: Float64, others: Others, late_s: float = 0.0) -> Shown:
    """Whom others see at the times of frames.

    Args:
        frame_s: (F,) on the camera's clock.
        others: Where they see them.
        late_s: By how much the clock is late.
    """
    true_s = frame_s - late_s
    slot = others.slot_of(true_s)
    begin = np.where(slot >= 0, others.first[slot], 0)
    count = np.where(slot >= 0, others.first[slot + 1] - begin, 0)
    first = np.concatenate([[0], np.cumsum(count)])
    frame = np.repeat(np.arange(len(frame_s)), count)
    row = np.arange(len(frame)) - first[frame] + begin[frame]
    ahead_s = true_s[frame] - others.time_s[row]
    xy = others.xy_m[row] + ahead_s[:, None] * others.velocity_m_s[row]
    return Shown(first, others.person[row], xy, others.velocity_m_s[row], others.sd_m[row])


def edges_of(camera: PinholeCamera, xy_m: Float64, height_m: float) -> Float64:
    """(n, 3) middle across, upper and lower edge, in pixels, of people who stand at places; NaN out of the view."""
    feet = camera.floor_to_pixels(xy_m)
    head = camera.floor_to_pixels(xy_m, height_m)
    return np.stack([(feet[:, 0] + head[:, 0]) / 2, head[:, 1], feet[:, 1]], axis=1)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Boxes and the people nearest to them.

    Attributes:
        fit: (n,) float64, of each box, 0 to 1.
        box: (k,) int64, the boxes within the gate.
        at: (k,) int64, the row of `Shown` nearest to each.
        off_px: (k, 3) float64, by how much each edge is further right, or lower; NaN where it is cut off.
        sd_px: (k, 3) float64.
    """

    fit: Float64
    box: Int64
    at: Int64
    off_px: Float64
    sd_px: Float64

    def only(self, kept: Bool) -> Compared:
        """Nothing but these (n,) boxes; the fit of others is 0."""
        own = kept[self.box]
        fit = np.where(kept, self.fit, 0.0)
        return Compared(fit, self.box[own], self.at[own], self.off_px[own], self.sd_px[own])

    def joined(self, other: Compared) -> Compared:
        """This of some boxes and another of all others, of the same boxes and people."""
        parts = ("box", "at", "off_px", "sd_px")
        both = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in parts}
        return Compared(self.fit + other.fit, **both)


def compare(camera: PinholeCamera, boxes: Boxes, people: Shown, settings: BoxSettings, gate_sd: float) -> Compared:
    """Compare boxes with whom others see.

    Args:
        camera: How the camera is believed to be.
        boxes: What it saw.
        people: Whom others see.
        settings: How boxes err.
        gate_sd: A box further off is of nobody.
    """
    edges = edges_of(camera, people.xy_m, settings.height_m)
    size = np.array([camera.width_px, camera.height_px, camera.height_px], np.float64)
    with np.errstate(invalid="ignore"):
        there = ((edges > -_BEYOND * size) & (edges < (1 + _BEYOND) * size)).all(axis=1)
    kept = np.flatnonzero(there)
    first = np.searchsorted(kept, people.first)
    count = np.diff(first)[boxes.frame]
    box = np.repeat(np.arange(len(boxes)), count)
    at = kept[np.arange(len(box)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first[boxes.frame], count)]
    off = boxes.edges_px[box] - edges[at]
    tall = np.maximum(edges[at, 2] - edges[at, 1], 1.0)
    drawn = np.maximum(settings.sd_px, settings.sd_share * tall)
    unsure = tall / settings.height_m * np.hypot(people.sd_m[at], settings.bias_m)
    own = tall / settings.height_m * settings.height_sd_m
    sd = np.stack([np.hypot(drawn, unsure), np.hypot(np.hypot(drawn, unsure), own), np.hypot(drawn, unsure)], axis=1)
    off = np.where(boxes.seen[box], off, np.nan)
    squared = np.nan_to_num(off / sd) ** 2
    squared[:, 2] = np.minimum(squared[:, 2], _FEET**2)
    total = squared.sum(axis=1) + gate_sd**2 * (~boxes.seen[box, :2]).any(axis=1)
    near = np.flatnonzero(total < gate_sd**2)
    order = near[np.lexsort((total[near], box[near]))]
    _, best = np.unique(box[order], return_index=True)
    best = order[best]
    fit = np.zeros(len(boxes))
    fit[box[best]] = 1 - total[best] / gate_sd**2
    return Compared(fit, box[best], at[best], off[best], sd[best])


def motion_px_s(camera: PinholeCamera, people: Shown, at: Int64, settings: BoxSettings) -> Float64:
    """(k, 3) how fast the edges of people move in the picture."""
    now, step = people.xy_m[at], _STEP_S * people.velocity_m_s[at]
    ahead = edges_of(camera, now + step / 2, settings.height_m)
    return (ahead - edges_of(camera, now - step / 2, settings.height_m)) / _STEP_S
