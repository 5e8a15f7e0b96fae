"""How much of a change the plates beside it show too: measured from the events of a store, whatever they were.

Scales differ: some are stiff, on others a plate shows 1 to 2 % of what happens one or two plates away. Four plates that
each show 1 % make a thing 4 % heavier or, where it is expected in vain, lighter: more than what parts many products. So
it is measured. In an event with one footprint (the plates that carry more than a trace of it) the second plate from
either end of it carries nothing itself. With y its change and x that of the plates within reach,

    y = κ x + e,        e ~ N(0, v + τ² x²),

v the noise as measured, τ how much κ differs between plates. κ and τ are weighed against what is usual.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from gocv.core import WeightEvent
from gocv.shelf.priors import ExplainSettings

_LEAST_G = 100.0
_TRACE = 0.04
"""Share of the event below which a plate is not of its footprint."""
_AWAY = 2
_WORTH = 10
"""As many readings as what is usual counts for."""
_MOST = 0.05


def measure_crosstalk(events: Iterable[WeightEvent], settings: ExplainSettings | None = None) -> ExplainSettings:
    """The settings with the cross-talk of these events.

    Args:
        events: Of one store, any order; those that are small, or change plates that are no neighbours, do not count.
        settings: What is usual, and everything else.
    """
    settings = settings or ExplainSettings()
    readings = np.array([reading for event in events for reading in _readings(event)]).reshape(-1, 3)
    x, y, noise_g2 = readings.T
    sane = np.abs(y) < _MOST * np.abs(x) + 4 * np.sqrt(noise_g2)
    x, y, noise_g2 = x[sane], y[sane], noise_g2[sane]
    usual, spread = settings.crosstalk, max(settings.crosstalk_sd, 1e-3)
    count = (spread * x) ** 2 / (noise_g2 + (spread * x) ** 2)  # a reading counts as far as noise lets it
    mean = usual
    for _ in range(5):
        weight = x**2 / (noise_g2 + (spread * x) ** 2)
        worth = _WORTH / 4 / max(settings.crosstalk_sd, 1e-3) ** 2
        mean = float((weight @ (y / x) + worth * usual) / (weight.sum() + worth))
        over = float(count @ ((y / x - mean) ** 2 - noise_g2 / x**2))
        spread = max(over + _WORTH * settings.crosstalk_sd**2, 0.0) / (float(count.sum()) + _WORTH)
        spread = max(math.sqrt(spread), 1e-3)
    return settings.model_copy(update={"crosstalk": min(max(mean, 0.0), _MOST), "crosstalk_sd": spread})


def _readings(event: WeightEvent) -> Iterator[tuple[float, float, float]]:
    """(change within reach, own change, variance of it) of plates that carry nothing but may show something."""
    changed = {
        p.plate: (float(d), float(v))
        for p, d, v in zip(event.plates, event.delta_g, np.diag(event.covariance_g2), strict=True)
    }
    total_g = sum(d for d, _ in changed.values())
    if not abs(total_g) > _LEAST_G:  # also of what is no number
        return
    foot = sorted(n for n, (d, _) in changed.items() if abs(d) > _TRACE * abs(total_g))
    if not foot or foot[-1] - foot[0] >= len(foot) or any(changed[n][0] * total_g < 0 for n in foot):
        return
    for edge, step in ((foot[0], -1), (foot[-1], 1)):
        at = edge + _AWAY * step
        within = [changed[n][0] for n in range(min(at, edge), max(at, edge) + 1) if n != at and n in changed]
        if at in changed and abs(sum(within)) > _LEAST_G / 2:
            yield sum(within), *changed[at]
