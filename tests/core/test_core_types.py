from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import (
    DataError,
    Detections,
    Detector,
    EventDetector,
    FloorTracks,
    Plate,
    PlateId,
    Product,
    ScaleSamples,
    ShelfId,
    Store,
    Tracker,
    WeightEvent,
)

number = st.integers(1, 999_999_999)


@given(number, number, number)
def test_plate_ids_read_what_they_write(gondola: int, shelf: int, plate: int) -> None:
    assert PlateId.parse(str(PlateId(gondola, shelf, plate))) == (gondola, shelf, plate)


@pytest.mark.parametrize(
    "text",
    ["", "1", "1/2", "1/2/3/4", "0/1/1", "1/1/0", "-1/1/1", "+1/1/1", "1/a/1", " 1/1/1", "1/1/1\n", "1//1", "01/1/1",
     "1/1/1.0", "1/1/1_0", "1/1/²", "1/1/١", "1/1/1000000000"],
)  # fmt: skip
def test_other_spellings_of_plates_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not gondola/shelf/plate"):
        PlateId.parse(text)


def test_plates_sort_by_number_and_know_their_shelf() -> None:
    assert sorted([PlateId(1, 10, 1), PlateId(1, 2, 1)]) == [(1, 2, 1), (1, 10, 1)]
    assert PlateId(3, 2, 1).shelf_id == ShelfId(3, 2)
    assert str(ShelfId(3, 2)) == "3/2"


def test_a_plate_that_is_not_surveyed_has_no_place() -> None:
    plate = Plate.unsurveyed(PlateId(1, 1, 1))
    assert np.isnan(plate.centre_m).all()
    assert np.isnan(plate.size_m).all()
    np.testing.assert_array_equal(plate.rotation, np.eye(3))


def test_products_on_plates() -> None:
    one, two, three = (PlateId(1, 1, i) for i in (1, 2, 3))
    planogram = {"b": frozenset({one}), "a": frozenset({one, two}), "c": frozenset({three})}
    store = Store({p: Product(p, p) for p in planogram}, {}, planogram)
    assert store.products_on(frozenset({one})) == ["a", "b"]
    assert store.products_on(frozenset({two, three})) == ["a", "c"]
    assert store.products_on(frozenset()) == []


def test_samples_have_a_column_for_each_plate() -> None:
    plates = (PlateId(1, 1, 1), PlateId(1, 1, 2))
    assert ScaleSamples(plates, time_s=[0.0], weight_g=[[1.0, np.nan]]).weight_g.dtype == np.float32
    with pytest.raises(DataError, match=r"weight_g has 1 columns \(expected 2, one a plate\)"):
        ScaleSamples(plates, time_s=[0.0], weight_g=[[1.0]])
    with pytest.raises(DataError, match=r"weight_g has 2 rows \(expected 1"):
        ScaleSamples(plates, time_s=[0.0], weight_g=[[1.0, 1.0], [1.0, 1.0]])


@pytest.mark.parametrize("shopper", [[2], [-1]])
def test_shoppers_are_indices_of_those_listed(shopper: list[int]) -> None:
    with pytest.raises(DataError, match=r"names a shopper that is not listed \(expected an index into shoppers\)"):
        FloorTracks.sightings(("a", "b"), [0.0], shopper)


def test_sightings_know_what_they_are_given_and_nothing_else() -> None:
    tracks = FloorTracks.sightings(("a",), [0.0, 1.0], [0, 0], xy_m=[[1, 2], [3, 4]])
    np.testing.assert_array_equal(tracks.xy_m, [[1, 2], [3, 4]])
    assert np.isnan(tracks.covariance_m2).all()
    assert np.isnan(tracks.joints_m).all()
    assert not tracks.joint_score.any()


def test_the_total_of_an_event_is_that_of_its_plates() -> None:
    plates = (PlateId(1, 1, 1), PlateId(1, 1, 2))
    event = WeightEvent("e", ShelfId(1, 1), 0.0, 1.0, 0.5, plates, np.array([-100.0, 25.0]), np.eye(2), 1.0)
    assert event.total_g == -75.0


class _Part:
    classes = ("person",)
    needs = frozenset[str]()

    def detect(self, frames):
        return [Detections.empty() for _ in frames]

    def update(self, *args, **kwargs): ...

    def flush(self): ...

    def report(self): ...

    def reset(self): ...


@pytest.mark.parametrize("protocol", [Detector, Tracker, EventDetector])
def test_parts_need_methods_not_bases(protocol: type) -> None:
    assert isinstance(_Part(), protocol)
    assert not isinstance(object(), protocol)
