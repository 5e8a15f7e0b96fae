"""A shelf, and shoppers whose hands go where they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from gocv.core import JOINTS, FloorTracks, HandLooks, Plate, PlateId, Store, Zone

ARM_M = 0.25
CODES = np.eye(4, dtype=np.float32)
"""What hands look like: 0 with nothing in them, 1 to 3 with products."""


@pytest.fixture
def store() -> Store:
    """Two shelves of one gondola along x, 0.4 m deep from y = 1.0, at 0.8 m and 1.2 m, and a plate nobody surveyed."""
    plates = {}
    for shelf, height in ((1, 0.8), (2, 1.2)):
        for number in (1, 2, 3):
            plate = PlateId(1, shelf, number)
            plates[plate] = Plate(plate, np.array([0.1 * number, 1.2, height]), np.eye(3), np.array([0.1, 0.4]))
    lost = PlateId(2, 1, 1)
    plates[lost] = Plate.unsurveyed(lost)
    counter = Zone("counter", np.array([[3.0, 0.0], [4.0, 0.0], [4.0, 1.0], [3.0, 1.0]]))
    return Store({}, plates, {}, (counter,))


@pytest.fixture
def walk() -> Callable[..., FloorTracks]:
    """Makes the tracks of shoppers from where their right hands are: (n, 3) of each, ten a second, NaN where unseen."""

    def made(hands_m: Sequence[np.ndarray], *, start_s: float = 0.0, left_m: np.ndarray | None = None) -> FloorTracks:
        rows = []
        for shopper, hand in enumerate(hands_m):
            joints = np.full((len(hand), len(JOINTS), 3), [0.2, 0.5, 1.4])
            joints[:, JOINTS.index("head"), 2] = 1.7
            # The wrist is a hand's length before the middle of the hand, the elbow further along -y.
            joints[:, JOINTS.index("r_wrist")] = hand - [0.0, 0.08, 0.0]
            joints[:, JOINTS.index("r_elbow")] = hand - [0.0, 0.08 + ARM_M, 0.0]
            joints[:, JOINTS.index("l_wrist")] = [0.0, 0.4, 0.8] if left_m is None else left_m - [0.0, 0.08, 0.0]
            joints[:, JOINTS.index("l_elbow")] = joints[:, JOINTS.index("l_wrist")] - [0.0, ARM_M, 0.0]
            time_s = start_s + 0.1 * np.arange(len(hand))
            seen = np.isfinite(hand).all(axis=1)
            score = np.ones((len(hand), len(JOINTS)))
            for joint in ("r_wrist", "r_elbow"):
                score[~seen, JOINTS.index(joint)] = 0.0
            rows += [(t, shopper, j, s) for t, j, s in zip(time_s, joints, score, strict=True)]
        rows.sort(key=lambda row: row[:2])
        names = tuple(f"shopper-{i + 1}" for i in range(len(hands_m)))
        if not rows:
            return FloorTracks.empty(shoppers=names)
        time_s, shopper, joints_m, score = (np.array(values) for values in zip(*rows, strict=True))
        return FloorTracks.sightings(names, time_s, shopper, joints_m=joints_m, joint_score=score)

    return made


@pytest.fixture
def reach() -> Callable[..., np.ndarray]:
    """Makes the way of a hand: out of the shelf but for spans of rows in which it is so deep in it."""

    def made(rows: int, *spans: tuple[int, int], depth_m: float = 0.2, height_m: float = 0.9) -> np.ndarray:
        hand = np.tile([0.2, 0.6, height_m], (rows, 1))
        for first, stop in spans:
            hand[first:stop, 1] = 1.0 + depth_m
        return hand

    return made


@pytest.fixture
def seen() -> Callable[..., HandLooks]:
    """Makes looks of one shopper's right hand: what is in it (0 nothing) at each tenth of a second, in 2 cameras."""

    def made(held: Sequence[int], *, start_s: float = 0.0, sure: float = 0.95) -> HandLooks:
        held = np.repeat(np.asarray(held), 2)
        n = len(held)
        return HandLooks(
            ("shopper-1",),
            ("east", "west"),
            time_s=start_s + 0.1 * (np.arange(n) // 2),
            shopper=np.zeros(n, np.int64),
            hand=np.ones(n, np.int64),
            camera=np.arange(n) % 2,
            side_px=np.full(n, 40.0),
            holds=np.where(held > 0, sure, 1 - sure),
            vector=CODES[held],
        )

    return made
