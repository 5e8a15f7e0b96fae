"""The weight-event detector of FAIM, with the change taken from the plates that changed.

Falcão et al., "FAIM: Vision and Weight Sensing Fusion Framework for Autonomous Inventory Monitoring in Convenience
Stores", Frontiers in Built Environment 2020, doi 10.3389/fbuil.2020.568372. For shelf s with plates p:

    w_s = Σ_p w_{s,p},   μ_s = moving mean of w_s,   v_s = moving variance of μ_s   (both over 60 samples),
    active where v_s > 500 g²;  an event is an active run of more than 30 samples, closed by a stable run of
    more than 30 samples;  Δ_p = μ_p(end + 30) - μ_p(start - 30);  plates with |Δ_p| > 5 g contribute.

Windows are centred here. The paper keeps an event when the change of the shelf's sum is over 10 g; the sum also
collects the drift of a dozen plates that nobody touched (13 g on the one event of BENCHMARK-1), so ours is the sum
over the contributing plates alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gocv.core import WeightEvent
from gocv.shelf.change import describe_change
from gocv.shelf.rests import clusters, rests_within
from gocv.shelf.runs import Run, RunDetector, Shelf, moving_mean, moving_variance, refuse_below


class FaimDetector(RunDetector):
    """Finds weight events in one group of plates that are sampled together, chunk by chunk.

    What it finds does not depend on how the samples are cut into chunks. Memory is bounded: an event that has not
    come to rest after `max_event_s` is cut there and reported; the level where it was cut ends the one part and begins
    the next. The store is taken to be at rest in the first and the last half window of samples.

    Args:
        rate_hz: Samples per second.
        window: Samples of the moving mean and of the moving variance.
        variance_g2: A shelf is active where v_s exceeds this, g².
        min_run: Active runs must be longer than this, and so must the stable run that closes one, samples.
        min_change_g: Events must change the contributing plates by more than this in all, grams.
        min_plate_g: Plates that change by more than this contribute, grams.
        max_event_s: Longest event, seconds.
        split_rest_s: Part an event in several where it rests for this long (`gocv.shelf.rests`), seconds. None: never,
            as published.

    Raises:
        ConfigError: An argument is out of range.
    """

    def __init__(
        self,
        rate_hz: float = 60.0,
        window: int = 60,
        variance_g2: float = 500.0,
        min_run: int = 30,
        min_change_g: float = 10.0,
        min_plate_g: float = 5.0,
        max_event_s: float = 60.0,
        split_rest_s: float | None = None,
    ) -> None:
        refuse_below(
            (
                ("rate_hz", rate_hz, 1e-3),
                ("window", window, 2),
                ("variance_g2", variance_g2, 0),
                ("min_run", min_run, 0),
                ("min_change_g", min_change_g, 0),
                ("min_plate_g", min_plate_g, 0),
                ("max_event_s", max_event_s, 2 * window / rate_hz if rate_hz > 0 else 0),
            )
        )
        super().__init__(
            rate_hz,
            window=window,
            variance_g2=variance_g2,
            shortest=min_run + 1,
            settle=min_run,
            reach=window,
            still=window // 2,
            max_event_s=max_event_s,
        )
        self.min_run = min_run
        self.min_change_g = min_change_g
        self.min_plate_g = min_plate_g
        self.split_rest = None if split_rest_s is None else max(2, round(split_rest_s * rate_hz))

    def _variance(self, sums_g: NDArray[np.float64]) -> NDArray[np.float64]:
        return moving_variance(moving_mean(sums_g, self.window), self.window)

    def _changes(self, run: Run) -> Iterator[WeightEvent]:
        rests = self._rests(run.before, run.between, run.after)
        levels = [run.before, *(run.between[rest] for rest in rests), run.after]
        middles = [0, *((rest.start + rest.stop) // 2 for rest in rests), len(run.between)]
        for was, became, (first, last) in zip(levels[:-1], levels[1:], itertools.pairwise(middles), strict=True):
            yield from self._describe(run.shelf, run.begin + first, was, run.between[first:last], became)

    def _rests(
        self, before: NDArray[np.float32], between: NDArray[np.float32], after: NDArray[np.float32]
    ) -> list[slice]:
        """Rows of `between` that part the event in several."""
        if self.split_rest is None:
            return []
        return rests_within(before, between, after, self.split_rest, self.min_plate_g)

    def _describe(
        self,
        shelf: Shelf,
        begin: int,
        before: NDArray[np.float32],
        between: NDArray[np.float32],
        after: NDArray[np.float32],
    ) -> Iterator[WeightEvent]:
        """The events of one step, whose readings `between` begin at the point `begin`."""
        step = describe_change(before, between, after, self.min_plate_g)
        if step is None:
            return
        for columns in [step.plates] if self.split_rest is None else clusters(step.plates):
            change = describe_change(before[:, columns], between[:, columns], after[:, columns], self.min_plate_g)
            if change is None or abs(change.delta_g.sum()) <= self.min_change_g:
                continue
            time_s = self._time(begin + change.half)
            start_s, end_s = self._time(begin + max(change.first - 1, 0)), self._time(begin + change.last)
            yield self._event(shelf, change, columns, start_s, end_s, time_s)
