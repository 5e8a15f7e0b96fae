from __future__ import annotations

import numpy as np
import pytest

from gocv.core import JOINTS, FloorTracks, Plate, PlateId, Store, Zone
from gocv.fusion.unseen import reached, strangers

HERE, BESIDE, UNSURVEYED = PlateId(1, 1, 1), PlateId(1, 1, 3), PlateId(1, 1, 5)
PLACES = {HERE: (0.0, 0.0, 1.0), BESIDE: (0.2, 0.0, 1.0)}
SURVEYED = {p: Plate(p, np.array(at), np.eye(3), np.array([0.1, 0.4])) for p, at in PLACES.items()}
STORE = Store({}, SURVEYED | {UNSURVEYED: Plate.unsurveyed(UNSURVEYED)}, {})
DOOR = Zone("entrance", np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]))


def walk(**places):
    """Shoppers with a row each tenth of a second: from second, where they stand and where their left wrist is."""
    rows = sorted(
        (begin + k / 10, name, xy, wrist) for name, (begin, way) in places.items() for k, (xy, wrist) in enumerate(way)
    )
    joints_m = np.full((len(rows), len(JOINTS), 3), np.nan)
    joints_m[:, JOINTS.index("l_wrist")] = [wrist for *_, wrist in rows]
    names = tuple(sorted(places))
    return FloorTracks.sightings(
        names,
        np.array([row[0] for row in rows]),
        np.array([names.index(row[1]) for row in rows], np.int64),
        xy_m=np.array([row[2] for row in rows], float),
        joints_m=joints_m,
        joint_score=np.ones((len(rows), len(JOINTS))),
    )


@pytest.mark.parametrize(
    ("wrist", "ticks", "named"),
    [
        pytest.param((0.0, -0.1, 1.1), 6, True, id="over it"),
        pytest.param((0.0, -0.1, 1.1), 2, False, id="only passing"),
        pytest.param((0.2, -0.1, 1.1), 6, False, id="over another"),
        pytest.param((0.0, -0.1, 1.5), 6, False, id="over the shelf above"),
        pytest.param((0.0, -0.6, 1.1), 6, False, id="before the shelf"),
    ],
)
def test_whose_hand_was_at_a_plate_in_trouble(wrist, ticks, named):
    shoppers = walk(ann=(5.0, [((0, -0.5), wrist)] * ticks), bob=(5.0, [((3, -0.5), (3.0, 0.0, 1.0))] * 9))
    shoppers = shoppers[np.random.default_rng(1).permutation(len(shoppers))]
    found = reached([HERE, PlateId(9, 9, 9), UNSURVEYED], shoppers, STORE)
    assert [entry["where"] for entry in found] == ["shopper ann"] * named
    assert all("plate 1/1/1" in entry["problem"] for entry in found)


OUT, IN = (0.5, 0.5), (4.0, 4.0)


@pytest.mark.parametrize(
    ("way", "does"),
    [
        pytest.param([OUT, IN, OUT], [], id="comes and goes"),
        pytest.param([(1.3, 0.5), IN, (0.5, -0.3)], [], id="near the door"),
        pytest.param([IN, IN, OUT], ["appears"], id="appears"),
        pytest.param([OUT, IN, IN], ["vanishes"], id="vanishes"),
    ],
)
def test_who_appears_or_vanishes_inside(way, does):
    hand = (0.0, 0.0, 0.0)
    always = [(IN, hand)] * 200
    slowly = [(xy, hand) for xy in way for _ in range(20)]
    shoppers = walk(ann=(8.0, slowly), staff=(0.0, always))
    shoppers = shoppers[np.random.default_rng(1).permutation(len(shoppers))]
    assert [entry["problem"].split()[0] for entry in strangers(shoppers, [DOOR])] == does
    assert list(strangers(shoppers, [])) == []


def test_who_is_there_for_a_moment_only():
    hand = (0.0, 0.0, 0.0)
    shoppers = walk(ann=(8.0, [(OUT, hand)] * 3), bob=(0.0, [(OUT, hand)] * 200))
    assert [entry["where"] for entry in strangers(shoppers, [DOOR])] == ["shopper ann"]
