"""The table of tracks."""

from __future__ import annotations

import numpy as np

from gocv.track import TrackTable


def table() -> TrackTable:
    made = TrackTable({"state": 2, "id": 1})
    made.add(3, state=[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], id=np.array([7.0, 8.0, 9.0]))
    return made


def test_attributes_that_are_not_named_are_nought() -> None:
    made = table()
    made.add(1, id=10.0)
    assert made["state"].tolist() == [[1, 2, 3, 0], [4, 5, 6, 0]]
    assert made["id"].tolist() == [7, 8, 9, 10]


def test_tracks_are_dropped_for_all_attributes_at_once() -> None:
    made = table()
    made.keep(np.array([True, False, True]))
    assert made["state"].tolist() == [[1, 3], [4, 6]]
    assert made["id"].tolist() == [7, 9]
    made.keep(np.zeros(2, bool))
    assert len(made) == 0
    assert made["state"].shape == (2, 0)


def test_an_attribute_is_a_view() -> None:
    made = table()
    made["id"][1] = 80
    made["state"] = 0.0
    assert made["id"].tolist() == [7, 80, 9]
    assert not made["state"].any()


def test_an_attribute_may_come_later() -> None:
    made = table()
    assert "appearance" not in made
    made.widen("appearance", 4)
    assert "appearance" in made
    assert made["appearance"].shape == (4, 3)
    assert made["id"].tolist() == [7, 8, 9]
    made.add(0)
    assert len(made) == 3
