from __future__ import annotations

import numpy as np
import pytest

from gocv.core import JOINTS, FloorTracks, Plate, PlateId, Product, ShelfId, Store, WeightEvent
from gocv.fusion.baselines import faim_carts, faim_outcome, faim_receipts
from gocv.metrics import score_receipts

PLATES = tuple(PlateId(1, 1, k) for k in range(1, 13))
WHERE = {"cola": [1, 2, 3], "tea": [5, 6], "soap": [8], "mint": [8], "salt": [11]}
GRAMS = {"cola": 350.0, "tea": 120.0, "soap": 90.0, "mint": 40.0, "salt": 500.0, "secret": float("nan")}
STORE = Store(
    {name: Product(name, name, grams, 2.0) for name, grams in GRAMS.items()},
    {p: Plate(p, np.array([p.plate, 0.0, 1.0]), np.eye(3), np.array([0.9, 0.4])) for p in PLATES},
    {name: frozenset(PLATES[k - 1] for k in on) for name, on in WHERE.items()},
)


def event(time_s, **grams):
    """An event from p1=..., p2=..., half of which had happened at `time_s`."""
    plates = tuple(PLATES[int(name[1:]) - 1] for name in grams)
    delta_g = np.array(list(grams.values()), float)
    name = f"{time_s}:{','.join(grams)}"
    return WeightEvent(
        name, ShelfId(1, 1), time_s - 0.5, time_s + 0.5, time_s, plates, delta_g, np.eye(len(plates)), 1.0
    )


def hands(*rows):
    """Rows of (shopper, seconds, metres from x = 0 along the shelf[, score])."""
    names = tuple(dict.fromkeys(r[0] for r in rows))
    joints_m, score = np.full((len(rows), len(JOINTS), 3), np.nan), np.zeros((len(rows), len(JOINTS)))
    for i, (_, _, x, *sure) in enumerate(rows):
        joints_m[i, JOINTS.index("l_wrist")] = [x, 0.0, 1.0]
        score[i, JOINTS.index("l_wrist")] = sure[0] if sure else 0.95
    index = np.array([names.index(r[0]) for r in rows], np.int64)
    return FloorTracks.sightings(
        names, np.array([r[1] for r in rows], float), index, joints_m=joints_m, joint_score=score
    )


@pytest.mark.parametrize(
    ("grams", "found"),
    [
        ({"p1": -351}, ("cola", 1)),
        ({"p5": -60, "p6": -61}, ("tea", 1)),
        ({"p8": -89}, ("soap", 1)),
        ({"p8": -41}, ("mint", 1)),
        ({"p8": 91}, ("soap", -1)),
        ({"p11": -92}, None),
        ({"p8": -180}, ("soap", 1)),
        ({"p4": -90}, None),
        ({"p5": -60, "p8": -59.5}, ("tea", 1)),
        ({"p2": -1000}, None),
    ],
    ids=[
        *("one", "over two plates", "weight decides", "the lighter one", "put back", "nothing of that weight there"),
        *("two at once are one", "nothing stands there", "by where and by how much", "too heavy for anything"),
    ],
)
def test_what_an_event_was(grams, found):
    decided = faim_carts([event(3, **grams)], FloorTracks.empty(shoppers=()), STORE).decisions
    assert [(d.product, d.quantity) for d in decided] == ([found] if found else [])
    assert all(d.shopper is None and 0 < d.score <= 1 for d in decided)


@pytest.mark.parametrize(
    ("rows", "who"),
    [
        ([("ann", 3, 7.0), ("bob", 3, 8.5)], "bob"),
        ([("ann", 3, 7.0), ("bob", 3, 8.5, 0.7)], "ann"),
        ([("ann", 3, 7.0), ("bob", 3.6, 8.0)], "ann"),
        ([("ann", 1, 8.0)], None),
    ],
    ids=["nearest", "joints of a low score do not count", "at the time", "nobody there"],
)
def test_whose_hand_was_nearest(rows, who):
    found = faim_carts([event(3, p8=-90)], hands(*rows), STORE)
    assert [d.shopper for d in found.decisions] == [who]
    assert found.carts == {name: {"soap": 1} if name == who else {} for name in {r[0] for r in rows}}


def test_carts_hold_no_less_than_nothing():
    shoppers = hands(*(("ann", t, 8.0) for t in (1, 2, 3, 4)))
    happened = [event(1, p8=90), event(2, p8=-90), event(3, p8=-40), event(4, p8=90)]
    assert faim_carts(happened[:3], shoppers, STORE).carts == {"ann": {"soap": 1, "mint": 1}}
    assert faim_carts(happened[::-1], shoppers, STORE).carts == {"ann": {"mint": 1}}


class TestRealRecordings:
    def test_benchmark_1(self, benchmark_1):
        truth = {r.shopper: r.items for r in benchmark_1.truth.receipts}
        found = faim_receipts(benchmark_1)
        assert score_receipts(found, truth).f1 == 1
        assert found == truth

    def test_cps_test_01_has_no_joints_to_name_a_shopper(self, cps_test_01):
        found = faim_outcome(cps_test_01)
        assert {d.shopper for d in found.decisions} <= {None}
        assert found.carts == {}
