from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocv.bench.labelled import METHODS, OURS, accuracies, folded_event, folded_store, labelled_changes, our_accuracies
from gocv.bench.labelled_limit import weight_limit
from gocv.sim.stock import Disorder
from gocv.sim.stores import read_store

STORE = Path(__file__).parents[2] / "configs" / "sim" / "stores" / "aim3s_household.yaml"


@pytest.fixture(scope="module")
def layout():
    return read_store(STORE)


@pytest.fixture(scope="module")
def changes(layout):
    return labelled_changes(layout, Disorder(), 300, events=60)


def test_takes_and_returns_take_turns(changes):
    assert [c.put for c in changes] == [False, True] * 30
    assert all(one.product == other.product for one, other in zip(changes[::2], changes[1::2], strict=True))
    assert all((c.delta_g.sum() > 0) == c.put for c in changes)


def test_noise_is_measured_where_nothing_moved(changes):
    still = np.array([c.delta_g[-1] for c in changes if abs(c.delta_g[-3:]).max() < 8])
    sd_g = np.sqrt([c.covariance_g2[-1, -1] for c in changes])
    assert np.mean(sd_g) == pytest.approx(np.std(still), rel=0.5)


@pytest.mark.parametrize("cell", [1, 3, 12])
def test_folding_sums_the_plates_of_a_cell(layout, changes, cell):
    event = folded_event(changes[0], cell)
    assert len(event.plates) == 12 // cell
    assert event.delta_g == pytest.approx(changes[0].delta_g.reshape(-1, cell).sum(axis=1))
    variance_g2 = np.diag(changes[0].covariance_g2).reshape(-1, cell).sum(axis=1)
    assert np.diag(event.covariance_g2) == pytest.approx(variance_g2)
    store = folded_store(layout.store, cell)
    assert set(event.plates) <= set(store.plates)
    assert store.planogram.keys() == layout.store.planogram.keys()
    assert max(p.plate for plates in store.planogram.values() for p in plates) <= 12 // cell


def test_ours_names_more_than_the_published_method(layout, changes):
    ours, theirs = our_accuracies(layout, changes), accuracies(layout, changes)
    alone, cart, together = (np.array(ours[method]) for method in OURS)
    best = np.array(theirs[METHODS[-1]])
    assert alone[0] >= 96
    assert (alone[:3] > best[:3]).all()
    assert together[:3].mean() >= alone[:3].mean()
    assert cart[0] >= 96


def test_nobody_does_better_than_the_limit(layout, changes):
    alone, together = weight_limit(layout, changes)
    ours = our_accuracies(layout, changes)
    assert together >= alone > 70
    assert ours[OURS[0]][-1] <= alone + 5
