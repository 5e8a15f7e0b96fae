"""The network that comes with gocv, on pictures that are drawn here."""

from __future__ import annotations

import numpy as np

from gocv.interact.evidence import LookEvidence
from gocv.interact.hands import SHIPPED, OnnxHandEncoder


def hand(colour: tuple[int, int, int] | None, shift: int = 0) -> np.ndarray:
    """A forearm that comes from the right, before a floor; a pack of a colour in its hand, or nothing."""
    picture = np.full((48, 48, 3), (150, 145, 140), np.uint8)
    picture[22:27, 24 + shift :] = (205, 160, 130)
    if colour is not None:
        picture[15:31, 17 + shift : 26 + shift] = colour
    return picture


def test_it_is_small_and_fits_the_crops() -> None:
    encoder = OnnxHandEncoder()
    assert SHIPPED.stat().st_size < 1_000_000
    assert (encoder.size, encoder.length) == (48, 64)


def test_a_pack_in_a_hand_is_noticed_and_known_again_by_its_colour() -> None:
    colours = ((200, 30, 30), (30, 60, 190), (230, 200, 40))
    crops = np.array([hand(None), *(hand(c) for c in colours), *(hand(c, 2) for c in colours)])
    holds, vector = OnnxHandEncoder().encode(crops)
    assert holds[1:].min() > holds[0]
    np.testing.assert_array_equal((vector[1:4] @ vector[4:].T).argmax(axis=1), [0, 1, 2])


def test_what_looks_say_is_known() -> None:
    made = LookEvidence.shipped().made
    assert made["part"] == "tune"
    assert made["of_products"] > 20
