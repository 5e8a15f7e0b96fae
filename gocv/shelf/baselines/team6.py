"""The weight-event detector of Team 6, second in the AutoCheckout competition (CPS-IoT Week 2020), as published.

A window of 90 samples; active where the raw variance of the shelf's summed weight exceeds 100 g²; events that change
the sum by more than 10 g.

The trigger looks at raw readings, so vibration sets it off, and no run is too short. That is the published method, and
it stays. Where the publication is silent:

- Windows are centred, and the change is taken half a window outside the run, as in FAIM: there the readings of the
  means and those of the run do not overlap.
- A run is closed by more than 45 samples below the threshold; before, the level after it is not at rest.
- The 10 g are those of the shelf's sum, over all of its plates.
- Plates that change by no more than 5 g are not those of the event, as with the other systems.
- An event that does not end is cut after a minute, so that memory is bounded.
"""

from __future__ import annotations

from gocv.shelf.baselines.raw_variance import RawVarianceDetector
from gocv.shelf.runs import refuse_below


class Team6Detector(RawVarianceDetector):
    """Finds weight events in one group of plates that are sampled together, chunk by chunk, as Team 6 did.

    Args:
        rate_hz: Samples per second.
        window: Samples of the moving variance and of the means.
        variance_g2: A shelf is active where the variance of its summed weight exceeds this, g².
        min_change_g: Events must change the shelf's sum by more than this, grams.
        min_plate_g: Plates that change by more than this contribute, grams.
        max_event_s: Longest event, seconds.

    Raises:
        ConfigError: An argument is out of range.
    """

    def __init__(
        self,
        rate_hz: float = 60.0,
        window: int = 90,
        variance_g2: float = 100.0,
        min_change_g: float = 10.0,
        min_plate_g: float = 5.0,
        max_event_s: float = 60.0,
    ) -> None:
        refuse_below((("variance_g2", variance_g2, 0),))
        super().__init__(
            rate_hz,
            window=window,
            variance_g2=variance_g2,
            shortest=1,
            min_change_g=min_change_g,
            min_plate_g=min_plate_g,
            max_event_s=max_event_s,
        )
