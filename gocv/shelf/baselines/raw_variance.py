"""What the detectors of MPS and Team 6 share: runs in which the raw variance of a shelf's summed weight is high."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gocv.core import WeightEvent
from gocv.shelf.change import describe_change
from gocv.shelf.runs import Run, RunDetector, moving_variance, refuse_below

_STILL = 30
"""Samples at the very start and end in which the store is taken to be at rest, as with FAIM."""


class RawVarianceDetector(RunDetector):
    """Finds runs in which the moving variance of the raw sum of a shelf's plates is high.

    For shelf s with plates p, w_s = Σ_p w_{s,p} and h half a window:

        active where the variance of w_s over the centred window exceeds `variance_g2`;
        an event is an active run of at least `shortest` samples, closed by a stable run of more than h;
        Δ_p = mean of w_{s,p} over the window centred at end + h, minus that centred at start - h;
        kept where |Σ_p Δ_p| > `min_change_g`, over all plates of the shelf; plates with |Δ_p| > `min_plate_g` are
        those of the event.

    An event's `start_s` and `end_s` are the ends of its run, its `time_s` is where the variance was highest.

    Args:
        rate_hz: Samples per second.
        window: Samples of the moving variance and of the means.
        variance_g2: A shelf is active where the variance exceeds this, g².
        shortest: Shortest run, samples.
        min_change_g: Events must change the shelf's sum by more than this, grams.
        min_plate_g: Plates that change by more than this are those of the event, grams.
        max_event_s: Longest event, seconds.

    Raises:
        ConfigError: An argument is out of range.
    """

    def __init__(
        self,
        rate_hz: float,
        *,
        window: int,
        variance_g2: float,
        shortest: int,
        min_change_g: float,
        min_plate_g: float,
        max_event_s: float,
    ) -> None:
        refuse_below(
            (
                ("rate_hz", rate_hz, 1e-3),
                ("window", window, 2),
                ("min_change_g", min_change_g, 0),
                ("min_plate_g", min_plate_g, 0),
                ("max_event_s", max_event_s, 2 * window / rate_hz if rate_hz > 0 else 0),
            )
        )
        super().__init__(
            rate_hz,
            window=window,
            variance_g2=variance_g2,
            shortest=shortest,
            settle=window // 2,
            reach=window // 2,
            still=min(_STILL, window // 2),
            max_event_s=max_event_s,
        )
        self.min_change_g = min_change_g
        self.min_plate_g = min_plate_g

    def _variance(self, sums_g: NDArray[np.float64]) -> NDArray[np.float64]:
        return moving_variance(sums_g, self.window)

    def _at_rest(self, weight_g: NDArray[np.float32]) -> NDArray[np.float32]:
        # Their mean: where vibration alone is over the threshold, readings with their noise would never close a run.
        mean_g = weight_g.mean(axis=0, dtype=np.float64).astype(np.float32)
        return np.tile(mean_g, (len(weight_g), 1))

    def _changes(self, run: Run) -> Iterator[WeightEvent]:
        change = describe_change(run.before, run.between, run.after, self.min_plate_g)
        levels_g = [rest.mean(axis=0, dtype=np.float64).sum() for rest in (run.before, run.after)]
        if change is None or abs(levels_g[1] - levels_g[0]) <= self.min_change_g:
            return
        start_s, end_s = self._time(run.start), self._time(run.end - 1)
        yield self._event(run.shelf, change, change.plates, start_s, end_s, self._time(self._peak(run)))

    def _peak(self, run: Run) -> int:
        """The grid point of the run where the variance is highest, the first of several.

        Found anew from the readings of the run alone: sums carried along from chunk to chunk differ in their last
        digits, which would decide between neighbours that are nearly as high.
        """
        half = self.window // 2
        sums_g = self._span(run.shelf, run.start - half, run.end + half).sum(axis=1, dtype=np.float64)[:, None]
        return run.start + int(np.argmax(self._variance(sums_g - sums_g[0])[: run.end - run.start]))
