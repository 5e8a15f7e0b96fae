"""Stores of recordings: real ones, and awkward ones made for the purpose."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from gocv.core import DataError, Plate, PlateId, Product, Store, Zone
from gocv.data.recording import Camera, Recording, RecordingWriter
from gocv.geometry import PinholeCamera
from gocv.sim.scales import SHAKY, ScaleNoise
from gocv.sim.stores.demo import demo_layout
from gocv.sim.stores.floor_checks import standing_places
from gocv.sim.stores.from_recording import recorded_store
from gocv.sim.stores.survey import survey


@pytest.mark.parametrize("name", ["benchmark_1", "cps_test_01"])
def test_the_nanostore_has_its_plates_where_they_were_surveyed(name: str, request: pytest.FixtureRequest) -> None:
    recording: Recording = request.getfixturevalue(name)
    layout = recorded_store(recording)
    surveyed = {i: plate for i, plate in recording.store.plates.items() if np.isfinite(plate.centre_m).all()}
    assert len(layout.gondolas) == 5
    assert sum(len(gondola.heights_m) for gondola in layout.gondolas.values()) == 30
    assert len(layout.store.plates) == 306
    assert layout.store.plates.keys() == surveyed.keys()
    for i, plate in surveyed.items():
        found = layout.store.plates[i]
        np.testing.assert_allclose(found.centre_m, plate.centre_m, atol=0.01)
        np.testing.assert_allclose(found.size_m, plate.size_m, atol=0.01)
        turn = math.acos(min(1.0, (np.trace(found.rotation.T @ plate.rotation) - 1) / 2))
        assert turn < math.radians(1.0)


@pytest.mark.parametrize(("name", "placed"), [("benchmark_1", 108), ("cps_test_01", 121)])
def test_the_nanostore_sells_what_it_sold(name: str, placed: int, request: pytest.FixtureRequest) -> None:
    recording: Recording = request.getfixturevalue(name)
    layout = recorded_store(recording)
    assert set(layout.store.products) == set(recording.store.products)
    assert layout.store.planogram == recording.store.planogram
    assert len(layout.store.planogram) == placed
    for facing in layout.facings:
        assert facing.article.weight_g == recording.store.products[facing.article.id].weight_g
        assert facing.article.width_m <= facing.right_m - facing.left_m + 1e-9
    assert layout.is_free(np.array([layout.door_m])).all()
    for gondola in layout.gondolas.values():
        assert layout.is_free(standing_places(gondola)).mean() > 0.8


def test_a_row_with_a_gap_becomes_two_facings_and_channels_without_a_plate_are_left_out(benchmark_1) -> None:
    store = recorded_store(benchmark_1)
    kinder = [(f.first_plate, f.plates) for f in store.facings if f.article.id == "009800570034"]
    assert kinder == [(1, 1), (5, 8)]
    (note,) = [note for note in store.notes if "gondola 2" in note]
    assert note.startswith("18 plates")
    assert PlateId(1, 4, 13) not in store.store.plates


def test_scales_shake_only_where_that_is_asked_for(benchmark_1) -> None:
    quiet = recorded_store(benchmark_1).gondolas
    assert {gondola.noise for gondola in quiet.values()} == {ScaleNoise()}
    shaken = recorded_store(benchmark_1, noise={1: SHAKY}).gondolas
    assert [gondola.number for gondola in shaken.values() if gondola.noise == SHAKY] == [1]


def recording_of(path, store: Store) -> Recording:
    with RecordingWriter(path, name="made", origin_unix_s=1.0, duration_s=10.0, store=store):
        pass
    return Recording.open(path)


def test_the_demonstration_store_comes_back_from_its_own_recording(tmp_path) -> None:
    demo = demo_layout()
    store = recorded_store(recording_of(tmp_path / "made", demo.store))
    assert store.notes == ()
    for i, plate in demo.store.plates.items():
        np.testing.assert_allclose(store.store.plates[i].centre_m, plate.centre_m, atol=1e-6)
    assert store.store.planogram == demo.store.planogram
    entrance = next(zone for zone in demo.store.zones if zone.name == "entrance")
    np.testing.assert_allclose(store.door_m, entrance.polygon_m.mean(axis=0))
    rooms = {(f.article.id, f.shelf): (f.left_m, f.right_m) for f in demo.facings}
    for facing in store.facings:
        np.testing.assert_allclose((facing.left_m, facing.right_m), rooms[facing.article.id, facing.shelf], atol=1e-6)


def test_a_store_that_nobody_surveyed_gets_a_geometry_that_can_be_walked(tmp_path) -> None:
    ids = [PlateId(g, s, p) for g in (1, 2) for s in (1, 2, 3) for p in range(1, 9)]
    products = {name: Product(name, name, weight) for name, weight in (("a", 100.0), ("b", float("nan")), ("c", 300.0))}
    planogram = {
        "a": frozenset({PlateId(1, 1, 1), PlateId(1, 1, 2)}),
        "b": frozenset({PlateId(1, 1, 2)}),
        "c": frozenset({PlateId(2, 3, 8)}),
    }
    store = Store(products, {i: Plate.unsurveyed(i) for i in ids}, planogram)
    found = recorded_store(recording_of(tmp_path / "made", store))
    assert set(found.store.plates) == set(ids)
    assert all(np.isfinite(plate.centre_m).all() for plate in found.store.plates.values())
    for gondola in found.gondolas.values():
        assert found.is_free(standing_places(gondola)).all()
    weights = {facing.article.id: facing.article.weight_g for facing in found.facings}
    assert weights == {"a": 100.0, "b": 200.0, "c": 300.0}
    assert math.isnan(found.store.products["b"].weight_g)
    assert any("product b has no weight on file: its units weigh 200 g" in note for note in found.notes)
    assert sum("is not surveyed" in note for note in found.notes) == 2


def surveyed(gondola: int, shelf: int, count: int, pitch_m: float, height_m: float) -> dict[PlateId, Plate]:
    return {
        PlateId(gondola, shelf, n + 1): Plate(
            PlateId(gondola, shelf, n + 1),
            np.array([(n + 0.5) * pitch_m, 0.2, height_m]),
            np.eye(3),
            np.array([pitch_m, 0.4]),
        )
        for n in range(count)
    }


def test_shelves_that_are_not_alike_are_made_alike_and_a_note_says_by_how_much() -> None:
    plates = surveyed(1, 1, 8, 0.10, 0.3) | surveyed(1, 2, 8, 0.10, 0.6) | surveyed(1, 4, 6, 0.12, 1.2)
    found = survey(plates, ())
    (gondola,) = found.gondolas
    assert (gondola.plates, gondola.pitch_m) == (8, pytest.approx(0.10))
    assert gondola.heights_m == pytest.approx((0.3, 0.6, 0.9, 1.2))
    text = " ".join(found.notes)
    assert "{'1/4': 6}" in text
    assert "heights of shelves [3]" in text
    assert "0.110 m" in text
    assert "shelves that the recording does not have: 1/3" in text


def test_plates_that_products_stand_on_are_added_to_a_surveyed_shelf() -> None:
    plates = surveyed(1, 1, 8, 0.10, 0.3) | {PlateId(1, 1, n): Plate.unsurveyed(PlateId(1, 1, n)) for n in (9, 10, 11)}
    found = survey(plates, {PlateId(1, 1, 10)})
    assert found.gondolas[0].plates == 10
    assert any("1/1/11" in note for note in found.notes)


def test_plates_that_count_from_the_right_are_refused(tmp_path) -> None:
    plates = {
        i: dataclasses.replace(plate, centre_m=plate.centre_m * [-1, 1, 1])
        for i, plate in surveyed(1, 1, 4, 0.1, 0.3).items()
    }
    store = Store({"a": Product("a", "a", 9.0)}, plates, {"a": frozenset({PlateId(1, 1, 1)})})
    with pytest.raises(DataError, match="count from the left") as refused:
        recorded_store(recording_of(tmp_path / "made", store))
    assert refused.value.key == "plates"
    assert refused.value.file == str(tmp_path / "made")


def test_a_store_with_nothing_in_it_is_refused(tmp_path) -> None:
    store = Store({}, surveyed(1, 1, 4, 0.1, 0.3), {})
    with pytest.raises(DataError, match="nothing to simulate") as refused:
        recorded_store(recording_of(tmp_path / "made", store))
    assert refused.value.key == "planogram"


def test_calibrated_cameras_are_in_the_room_and_buried_ones_are_left_out(tmp_path) -> None:
    demo = demo_layout()
    recording = recording_of(tmp_path / "made", demo.store)
    view = {"width_px": 640, "height_px": 360, "focal_px": 300.0}
    places = {"high": (-1.0, 2.0, 3.1), "buried": (2.0, 3.9, 1.0)}
    cameras = tuple(
        Camera(name, None, 0.0, None, PinholeCamera.look_at(place, (3.0, 2.0, 1.0), **view), None)
        for name, place in places.items()
    )
    found = recorded_store(dataclasses.replace(recording, cameras=cameras))
    assert list(found.cameras) == ["high"]
    assert found.ceiling_m >= 3.1
    assert found.origin_m[0] < -1.0
    assert any("camera buried" in note for note in found.notes)


def test_a_door_that_is_blocked_is_moved(tmp_path) -> None:
    demo = demo_layout()
    inside = Zone("entrance", np.array([[1.4, 3.7], [2.4, 3.7], [2.4, 4.1], [1.4, 4.1]]))
    store = dataclasses.replace(demo.store, zones=(inside, demo.store.zones[1]))
    found = recorded_store(recording_of(tmp_path / "made", store))
    assert found.is_free(np.array([found.door_m])).all()
    assert any("the door is assumed" in note for note in found.notes)
