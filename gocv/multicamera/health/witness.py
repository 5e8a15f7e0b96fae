"""A camera as it is believed to be while it is examined."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.geometry import PinholeCamera
from gocv.multicamera.health.found import Found, found_of
from gocv.multicamera.health.frames import Stretch
from gocv.multicamera.health.others import Others
from gocv.multicamera.health.pictures import Boxes, compare, shown
from gocv.multicamera.settings import BoxSettings
from gocv.multicamera.sightings import sight
from gocv.multicamera.views import CameraView

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Witness:
    """A camera, what it saw, and what is believed of it. Times without `own` in their name are the recording's.

    Attributes:
        view: What it saw.
        who: (n,) int64, the shopper that each box is of, -1 for nobody.
        own_boxes: Those of its boxes that are looked at, on its own clock.
        late_s: By how much its clock is late.
        late_sd_s: Standard error of that; NaN while nothing was found.
        turned_s: When it was turned; infinite where it was not.
        after: How it is from then on.
        out: When it is not to be believed.
    """

    view: CameraView
    who: Int64
    own_boxes: Boxes
    late_s: float
    late_sd_s: float
    turned_s: float
    after: PinholeCamera
    out: tuple[Stretch, ...] = ()

    @property
    def before(self) -> PinholeCamera:
        """How it was calibrated."""
        assert self.view.calibration is not None
        return self.view.calibration

    @property
    def frame_s(self) -> Float64:
        """(F,) times of all its frames."""
        return self.view.seen.time_s - self.late_s

    def boxes(self) -> Boxes:
        """Those of its boxes that are looked at, and believed."""
        frame_s = self.own_boxes.frame_s - self.late_s
        kept = self._believed(frame_s)
        boxes = self.own_boxes[kept[self.own_boxes.frame]]
        return dataclasses.replace(boxes, frame_s=frame_s[kept], frame=(np.cumsum(kept) - 1)[boxes.frame])

    def looks(self, settings: BoxSettings, at_most_each_s: float) -> tuple[Float64, Int64, Float64, Float64]:
        """Times (m,), shoppers (m,), places (m, 2) and covariances (m, 2, 2) of what it saw of shoppers.

        Args:
            settings: How boxes err.
            at_most_each_s: Of frames that come quicker, some are passed over.
        """
        seen, times = self.view.seen, self.frame_s
        step_s = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
        each = max(1, int(at_most_each_s / step_s + 1e-3))
        frame = np.repeat(np.arange(len(times)), np.diff(seen.first_row))
        rows = np.flatnonzero((self.who >= 0) & (frame % each == 0) & self._believed(times[frame]))
        time_s, later = times[frame[rows]], times[frame[rows]] >= self.turned_s
        xy, covariance = np.full((len(rows), 2), np.nan), np.full((len(rows), 2, 2), np.nan)
        for camera, own in ((self.before, ~later), (self.after, later)):
            place = sight(camera, seen.boxes.xyxy[rows[own]], settings)
            xy[own], covariance[own] = place.xy_m, place.covariance_m2
        known = np.isfinite(xy[:, 0])
        return time_s[known], self.who[rows[known]], xy[known], covariance[known]

    def compared(self, boxes: Boxes, others: Others, settings: BoxSettings, gate_sd: float) -> Found:
        """How well boxes of it lie on those whom others see, turned or not.

        Args:
            boxes: Of it, on the recording's clock.
            others: Where the others see people.
            settings: How boxes err.
            gate_sd: A box further off is of nobody.
        """
        people = shown(boxes.frame_s, others)
        before = compare(self.before, boxes, people, settings, gate_sd)
        if self.after is self.before:
            return found_of(self.before, boxes, people, before, settings)
        after = compare(self.after, boxes, people, settings, gate_sd)
        later = boxes.time_s >= self.turned_s
        both = after.only(later).joined(before.only(~later))
        return found_of(self.after, boxes, people, both, settings)

    def _believed(self, time_s: Float64) -> Bool:
        kept = np.ones(len(time_s), np.bool_)
        for out in self.out:
            kept &= (time_s < out.from_s) | (time_s >= out.until_s)
        return kept
