from __future__ import annotations

import math

import numpy as np
import pytest

from gocv.core import PlateId, ShelfId, WeightEvent
from gocv.shelf import ExplainSettings, measure_crosstalk

USUAL = ExplainSettings()


def event_of(delta_g, sd_g=1.0):
    plates = tuple(PlateId(1, 1, n + 1) for n in range(len(delta_g)))
    noise = np.eye(len(delta_g)) * sd_g**2
    return WeightEvent("", ShelfId(1, 1), 0, 1, 0.5, plates, np.asarray(delta_g, float), noise, 1.0)


def events_of(crosstalk, spread, count, seed=0, grams=500):
    """Takes and put-downs astride two plates of twelve."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(count):
        at, share = int(rng.integers(3, 8)), rng.uniform(0.2, 0.8)
        load_g = np.zeros(12)
        load_g[[at, at + 1]] = grams * rng.choice((-1, 1)) * np.array([share, 1 - share])
        near = sum(np.eye(12, k=k) for k in (-2, -1, 1, 2))
        shown = (crosstalk + spread * rng.standard_normal((12, 12))) * near
        found.append(event_of(load_g + shown @ load_g + rng.normal(0, 1, 12)))
    return found


@pytest.mark.parametrize("crosstalk", [0.0, 0.006, 0.012, 0.02])
@pytest.mark.parametrize("spread", [0.0, 0.006])
def test_many_events_tell_it(crosstalk, spread):
    found = measure_crosstalk(events_of(crosstalk, spread, 200))
    assert found.crosstalk == pytest.approx(crosstalk, abs=0.0015)
    assert found.crosstalk_sd == pytest.approx(max(spread, 0.001), abs=0.002)


def test_few_events_change_little():
    found = measure_crosstalk(events_of(0.02, 0.0, 1))
    assert USUAL.crosstalk < found.crosstalk < 0.013


@pytest.mark.parametrize(
    "delta_g",
    [
        pytest.param([0, 0, -30, 0, 0, 0], id="small"),
        pytest.param([0, -300, 0, 0, -200, 0], id="two footprints"),
        pytest.param([0, -300, 250, 0, 0, 0], id="both ways"),
        pytest.param([-300, -300, -300, -300], id="no plate beside it"),
        pytest.param([0, 0, math.nan, -300, 0, 0], id="no number"),
    ],
)
def test_what_says_nothing_changes_nothing(delta_g):
    found = measure_crosstalk([event_of(delta_g)])
    assert (found.crosstalk, found.crosstalk_sd) == pytest.approx((USUAL.crosstalk, USUAL.crosstalk_sd))


def test_all_else_stays():
    settings = ExplainSettings(max_units=3)
    assert measure_crosstalk([], settings).model_dump(exclude={"crosstalk", "crosstalk_sd"}) == settings.model_dump(
        exclude={"crosstalk", "crosstalk_sd"}
    )
