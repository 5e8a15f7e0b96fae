"""The weight-event detector of MPS, winner of the AutoCheckout competition (CPS-IoT Week 2020), as published.

Moving mean and standard deviation over 60 samples of the shelf's summed weight; active where the deviation exceeds
20 g; runs of at least 30 samples; events that change the sum by more than 10 g; plates that change by more than 5 g.

The trigger looks at raw readings, so vibration sets it off: on BENCHMARK-1 it holds about half of the time on four
shelves of gondola 1. That is the published method, and it stays. Where the publication is silent:

- Windows are centred, and the change is taken half a window outside the run, from μ(start - 30) to μ(end + 30), as in
  FAIM, whose formulas these otherwise are.
- As in FAIM, a run is closed by more than 30 samples below the threshold; before, the level after it is not at rest.
- The 10 g are those of the shelf's sum, over all of its plates.
- An event that does not end is cut after a minute, so that memory is bounded.
"""

from __future__ import annotations

from gocv.shelf.baselines.raw_variance import RawVarianceDetector
from gocv.shelf.runs import refuse_below


class MpsDetector(RawVarianceDetector):
    """Finds weight events in one group of plates that are sampled together, chunk by chunk, as MPS did.

    An event's `time_s` is where the deviation was highest, at which MPS looks for the shopper.

    Args:
        rate_hz: Samples per second.
        window: Samples of the moving mean and of the moving standard deviation.
        sd_g: A shelf is active where the standard deviation of its summed weight exceeds this, grams.
        min_run: Active runs must be at least this long, samples.
        min_change_g: Events must change the shelf's sum by more than this, grams.
        min_plate_g: Plates that change by more than this contribute, grams.
        max_event_s: Longest event, seconds.

    Raises:
        ConfigError: An argument is out of range.
    """

    def __init__(
        self,
        rate_hz: float = 60.0,
        window: int = 60,
        sd_g: float = 20.0,
        min_run: int = 30,
        min_change_g: float = 10.0,
        min_plate_g: float = 5.0,
        max_event_s: float = 60.0,
    ) -> None:
        refuse_below((("sd_g", sd_g, 0), ("min_run", min_run, 0)))
        super().__init__(
            rate_hz,
            window=window,
            variance_g2=sd_g**2,
            shortest=min_run,
            min_change_g=min_change_g,
            min_plate_g=min_plate_g,
            max_event_s=max_event_s,
        )
