"""Events part at rests and between plates far apart, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import PlateId, ScaleSamples, WeightEvent
from gocv.shelf import FaimDetector

PLATES = tuple(PlateId(1, 1, k) for k in range(1, 13))
RATE_HZ = 60.0


def moves(*steps: tuple[float, int, float], lift_s: float = 0.3, noise_g: float = 0.7, seed: int = 0) -> ScaleSamples:
    """Samples of a shelf in which each (time_s, plate, grams) changes a plate along a smooth lift."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(12 * RATE_HZ)) / RATE_HZ
    weight_g = 3_000 + rng.normal(0, noise_g, (len(time_s), len(PLATES)))
    for at, plate, grams in steps:
        done = np.clip((time_s - at) / lift_s + 0.5, 0, 1)
        weight_g[:, plate - 1] += grams * done**2 * (3 - 2 * done)
    return ScaleSamples(PLATES, time_s=time_s, weight_g=weight_g)


def found(samples: ScaleSamples, chunk: int = 720, split_rest_s: float | None = 0.25) -> list[WeightEvent]:
    detector = FaimDetector(RATE_HZ, variance_g2=60, split_rest_s=split_rest_s)
    events = [e for k in range(0, len(samples), chunk) for e in detector.update(samples[k : k + chunk])]
    return sorted(events + detector.flush(), key=lambda e: e.time_s)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(5, 3, -200)], [(5, {3}, -200)], id="one take"),
        pytest.param(
            [(5, 3, -200), (5.9, 3, -200)], [(5, {3}, -200), (5.9, {3}, -200)], id="one thing after the other"
        ),
        pytest.param([(5, 3, -200), (5.9, 4, -90)], [(5, {3}, -200), (5.9, {4}, -90)], id="neighbouring plates"),
        pytest.param([(5, 2, -200), (5.05, 9, -300)], [(5, {2}, -200), (5.05, {9}, -300)], id="far apart at once"),
        pytest.param([(5, 3, -200), (5.05, 4, -150)], [(5, {3, 4}, -350)], id="astride two plates"),
        pytest.param([(4.5, 3, 60), (5.2, 3, -260)], [(5.2, {3}, -200)], id="pressed before it is lifted"),
        pytest.param([(5, 3, -200), (5.9, 3, -15)], [(5, {3}, -215)], id="something settles"),
        pytest.param([(5, 3, -200), (6, 9, 150)], [(5, {3}, -200), (6, {9}, 150)], id="take, and return elsewhere"),
    ],
)
@pytest.mark.parametrize("chunk", [12, 720])
def test_events_part(steps: list[tuple[float, int, float]], expected: list, chunk: int) -> None:
    events = found(moves(*steps), chunk)
    assert [{p.plate for p in e.plates} for e in events] == [plates for _, plates, _ in expected]
    for event, (time_s, _, grams) in zip(events, expected, strict=True):
        assert event.time_s == pytest.approx(time_s, abs=0.1)
        assert event.total_g == pytest.approx(grams, abs=3)
        assert event.start_s <= event.time_s <= event.end_s


def test_as_published_nothing_parts() -> None:
    (event,) = found(moves((5, 3, -200), (5.9, 9, -200)), split_rest_s=None)
    assert event.total_g == pytest.approx(-400, abs=3)
    assert {p.plate for p in event.plates} == {3, 9}


@pytest.mark.parametrize("seed", range(10))
def test_noise_alone_parts_nothing(seed: int) -> None:
    """A slow lift on a shaky shelf stays one event."""
    (event,) = found(moves((5, 3, -300), lift_s=0.8, noise_g=3, seed=seed))
    assert event.total_g == pytest.approx(-300, abs=6)
