"""What goes into a recording comes out of it, and it appears whole or not at all."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gocv.core import DataError, FloorTracks, Plate, PlateId, Product, ScaleSamples, Store, Zone
from gocv.data.recording import (
    Camera,
    Recording,
    RecordingWriter,
    Truth,
    TruthEvent,
    TruthReceipt,
    check_recording,
    frame_times,
)
from gocv.geometry import PinholeCamera, rodrigues

EMPTY = Store({}, {}, {})
PLATES = (PlateId(1, 1, 1), PlateId(1, 1, 2))


def happened(time_s: float = 0.0, quantity: int = 1) -> Truth:
    return Truth((TruthEvent(time_s, "a", "p", quantity, ()),))


def writer(path: Path, **given: object) -> RecordingWriter:
    return RecordingWriter(path, **{"name": "made", "origin_unix_s": 0, "duration_s": 9, "store": EMPTY, **given})


def test_the_small_recording_is_what_was_written(small_recording: Path) -> None:
    recording = Recording.open(small_recording)
    assert (recording.name, recording.origin_unix_s, recording.duration_s) == ("small", 1.76e9, 10.0)
    assert recording.problems == ()
    assert recording.notes == ("made by hand: for a test",)
    assert check_recording(small_recording) == []

    ceiling, door = recording.cameras
    assert (ceiling.name, ceiling.video, ceiling.time_offset_s, ceiling.detections) == (
        "ceiling-1", small_recording / "video/ceiling-1.mp4", 0.5, None,
    )  # fmt: skip
    assert ceiling.calibration is not None
    np.testing.assert_allclose(ceiling.calibration.position_m, [0, 0, 3], atol=1e-12)
    pixels, _ = ceiling.calibration.project([[2.0, 1.0, 0.0]])
    np.testing.assert_allclose(pixels, [[7.5, 7.5]], atol=1e-9)
    assert frame_times(ceiling) == pytest.approx([0, 0.1, 0.25, 0.3, 0.4])
    assert frame_times(door) is None
    assert (door.video, door.calibration, door.detections) == (None, None, small_recording / "detections/door.parquet")

    left, right = recording.scales
    assert (left.name, left.rate_hz, left.plates, right.plates) == ("left", 60.0, PLATES, (PlateId(2, 1, 1),))
    samples = ScaleSamples.concatenate(list(recording.scale_chunks(left, chunk_s=1.0)))
    np.testing.assert_allclose(samples.time_s, np.arange(600) / 60, atol=1e-9)
    assert np.argwhere(np.isnan(samples.weight_g)).tolist() == [[5, 0]]

    tracks = recording.floor_tracks()
    assert tracks.shoppers == ("anna", "Бо")
    assert tracks.time_s.tolist() == list(range(10))
    assert recording.floor_tracks([(2.0, 3.0)]).time_s.tolist() == [2.0, 3.0]
    assert sum(map(len, recording.floor_track_chunks())) == 10

    assert recording.truth == Truth(
        (TruthEvent(1.5, "Бо", "42", -1, ()), TruthEvent(2.5, "anna", "007", 2, PLATES)),
        (TruthReceipt("anna", {"007": 2}), TruthReceipt("Бо", {})),
    )
    assert recording.store.zones[0].name == "entrance"


def test_the_least_recording(tmp_path: Path) -> None:
    with writer(tmp_path / "least"):
        pass
    recording = Recording.open(tmp_path / "least")
    assert (recording.cameras, recording.scales, recording.joints, recording.truth) == ((), (), None, None)
    assert recording.problems == ()
    assert len(recording.floor_tracks()) == 0
    assert list(recording.floor_track_chunks()) == []


def test_the_example_of_the_documentation_is_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[2] / "docs" / "recording.md").read_text(encoding="utf-8")
    folder = tmp_path / "example"
    for block in text.split("<!-- file: ")[1:]:
        name, _, rest = block.partition(" -->")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(rest.split("```")[1].partition("\n")[2], encoding="utf-8")
    monkeypatch.chdir(folder)
    runpy.run_path("make_samples.py")
    (problem,) = check_recording(folder)
    assert problem.message.startswith("there is neither footage nor joints")
    recording = Recording.open(folder)
    camera = recording.cameras[0].calibration
    assert camera is not None
    np.testing.assert_allclose(
        camera.project([[1.0, 1.0, 0.0], [1.0, 2.0, 0.0]])[0], [[639.5, 479.5], [639.5, 246.17]], atol=0.01
    )
    assert recording.truth is not None
    assert [row.units for row in recording.truth.planogram] == [8, 8, 7]


word = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8).map(str.strip)
name = word.filter(bool)
metres = st.floats(-1e3, 1e3)
maybe = st.floats(0, 1e6, exclude_min=True) | st.just(float("nan"))
plate_ids = st.builds(PlateId, *[st.integers(1, 10**9 - 1)] * 3)


@st.composite
def plates(draw: st.DrawFn) -> Plate:
    plate = draw(plate_ids)
    if draw(st.booleans()):
        return Plate.unsurveyed(plate)
    turn = draw(st.tuples(*[st.floats(-1.7, 1.7)] * 3))
    size = draw(st.tuples(*[st.floats(0, 9)] * 2))
    return Plate(plate, np.array(draw(st.tuples(metres, metres, metres))), rodrigues(turn), np.array(size))


@st.composite
def stores(draw: st.DrawFn) -> Store:
    products = draw(st.lists(st.builds(Product, name, name, maybe, maybe, maybe), max_size=4, unique_by=lambda p: p.id))
    known = {p.id: p for p in draw(st.lists(plates(), max_size=4))}
    standing = st.frozensets(st.sampled_from(sorted(known)), min_size=1) if known else st.nothing()
    planogram = {p.id: draw(standing) for p in products if known and draw(st.booleans())}
    polygon = st.lists(st.tuples(metres, metres), min_size=3, max_size=5).map(np.array)
    zones = draw(st.lists(st.builds(Zone, name, polygon), max_size=2, unique_by=lambda z: z.name))
    return Store({p.id: p for p in products}, known, planogram, tuple(zones))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(stores(), word, st.lists(word, max_size=2), st.floats(-1e10, 1e10), st.floats(0, 1e6))
def test_stores_come_back(tmp_path_factory, store: Store, title: str, notes, origin_unix_s, duration_s) -> None:
    path = tmp_path_factory.getbasetemp() / "stores"
    clock = {"origin_unix_s": origin_unix_s, "duration_s": duration_s}
    with writer(path, name=title, store=store, overwrite=True, **clock) as made:
        for note in notes:
            made.note(note)
    found = Recording.open(path)
    assert (found.name, list(found.notes)) == (title, notes)
    assert (found.origin_unix_s, found.duration_s) == (origin_unix_s, duration_s)
    assert repr(found.store.products) == repr(dict(sorted(store.products.items())))
    assert found.store.planogram == store.planogram
    assert {p.message.partition(" has no weight")[1] for p in found.problems} <= {" has no weight"}
    assert found.store.plates.keys() == store.plates.keys()
    for key, plate in store.plates.items():
        other = found.store.plates[key]
        np.testing.assert_array_equal(other.centre_m, plate.centre_m)
        np.testing.assert_array_equal(other.size_m, plate.size_m)
        np.testing.assert_allclose(other.rotation, plate.rotation, atol=1e-12)
    assert [z.name for z in found.store.zones] == [z.name for z in store.zones]
    for other, zone in zip(found.store.zones, store.zones, strict=True):
        np.testing.assert_array_equal(other.polygon_m, zone.polygon_m)


@st.composite
def sample_chunks(draw: st.DrawFn) -> list[ScaleSamples]:
    ids = tuple(draw(st.lists(plate_ids, min_size=1, max_size=3, unique=True)))
    weight = st.floats(width=32, allow_infinity=False)
    row = st.tuples(st.floats(0, 1e6), st.tuples(*[weight] * len(ids)))
    chunks = draw(st.lists(st.lists(row, max_size=20), max_size=4))
    return [ScaleSamples(ids, [t for t, _ in c], [w for _, w in c]) for c in chunks] or [ScaleSamples.empty(plates=ids)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(sample_chunks(), st.floats(-1e6, 1e6), st.floats(-1e4, 1e4), st.integers(1, 30))
def test_samples_come_back(tmp_path_factory, chunks: list[ScaleSamples], offset_s, drift_ppm, rows: int) -> None:
    path = tmp_path_factory.getbasetemp() / "samples"
    with writer(path, overwrite=True) as made:
        made.set_scale_clock(offset_s, drift_ppm)
        group = made.open_scale_group("g", chunks[0].plates, 10.0)
        for chunk in chunks:
            group.write(chunk)
    recording = Recording.open(path)
    wanted = ScaleSamples.concatenate(chunks)
    read = list(recording.scale_chunks(recording.scales[0], rows / 10.0))
    assert all(0 < len(chunk) <= rows for chunk in read)
    found = ScaleSamples.concatenate([ScaleSamples.empty(plates=wanted.plates), *read])
    assert found.plates == wanted.plates
    np.testing.assert_array_equal(found.weight_g, wanted.weight_g)
    np.testing.assert_array_equal(found.time_s, offset_s + (1 + drift_ppm * 1e-6) * wanted.time_s)


def test_chunks_that_wait_are_not_changed_with_the_callers_array(tmp_path: Path) -> None:
    time_s, weight_g = np.zeros(1), np.zeros((1, 1), np.float32)
    with writer(tmp_path / "r") as made:
        group = made.open_scale_group("g", PLATES[:1])
        for i in range(3):
            time_s[:] = weight_g[:] = i
            group.write(ScaleSamples(PLATES[:1], time_s, weight_g))
    recording = Recording.open(tmp_path / "r")
    (found,) = recording.scale_chunks(recording.scales[0])
    assert found.time_s.tolist() == found.weight_g[:, 0].tolist() == [0, 1, 2]


def test_a_camera_with_skew_comes_back(tmp_path: Path) -> None:
    matrix = [[500.0, 3.0, 320.0], [0.0, 510.0, 240.0], [0.0, 0.0, 1.0]]
    camera = PinholeCamera.from_pose(640, 480, matrix, position_m=[1, 2, 3], rotation_vector=[2.0, 0.1, -0.2])
    with writer(tmp_path / "r") as made:
        made.add_camera(Camera("a", calibration=camera))
    found = Recording.open(tmp_path / "r").cameras[0].calibration
    assert found is not None
    np.testing.assert_array_equal(found.matrix, camera.matrix)
    np.testing.assert_allclose(found.camera_T_world, camera.camera_T_world, atol=1e-12)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_the_same_recording_is_the_same_bytes(write_small_recording, small_recording: Path, tmp_path: Path) -> None:
    assert contents(write_small_recording(tmp_path / "again")) == contents(small_recording)


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, DataError])
def test_an_exception_leaves_what_was_there(there: bool, kind, small_recording: Path, tmp_path: Path) -> None:
    path = small_recording if there else tmp_path / "new"
    before = contents(path)

    def write(made: RecordingWriter) -> None:
        made.open_scale_group("g", PLATES).write(ScaleSamples(PLATES, [0.0], [[1.0, 2.0]]))
        made.write_joints(FloorTracks.sightings(("a",), [0.0], [0]))
        raise kind("no more")

    with pytest.raises(kind), writer(path, overwrite=there) as made:
        write(made)
    assert contents(path) == before
    assert [f.name for f in tmp_path.iterdir()] == ["recording"]


def test_the_old_recording_stays_until_the_new_one_is_whole(small_recording: Path, tmp_path: Path) -> None:
    before = contents(small_recording)
    with writer(small_recording, overwrite=True):
        assert contents(small_recording) == before
    assert Recording.open(small_recording).name == "made"
    assert [f.name for f in tmp_path.iterdir()] == ["recording"]


def test_the_old_recording_is_put_back_when_the_new_one_cannot_take_its_place(
    small_recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, replace = contents(small_recording), os.replace

    def failing(source: Path, target: Path) -> None:
        if str(source).endswith(".part") and Path(target) == small_recording.resolve():
            raise OSError("the disk is gone")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="the disk is gone"), writer(small_recording, overwrite=True):
        pass
    assert contents(small_recording) == before
    assert [f.name for f in tmp_path.iterdir()] == ["recording"]


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(small_recording: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(small_recording, target_is_directory=True)
    with writer(link, overwrite=True):
        pass
    assert link.is_symlink()
    assert Recording.open(small_recording).name == "made"


def test_what_is_there_is_not_replaced_unless_asked_and_never_if_it_is_no_recording(
    small_recording: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"recording: is there already \(expected a new folder"):
        writer(small_recording)
    (tmp_path / "other").mkdir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "other", tmp_path / "file"):
        with pytest.raises(DataError, match="is not a recording, so it will not be overwritten"):
            writer(path, overwrite=True)
    with pytest.raises(DataError, match="is there already"), writer(tmp_path / "late"):
        (tmp_path / "late").mkdir()
    assert list((tmp_path / "late").iterdir()) == []


@pytest.mark.parametrize(
    ("write", "complaint"),
    [
        (lambda w: w.add_camera(Camera("../a")), r"key 'name': .*got '../a'"),
        (lambda w: w.open_scale_group("a/b", PLATES), r"key 'name': .*got 'a/b'"),
        (lambda w: w.open_scale_group("a", PLATES, 0.0), r"key 'rate_hz': .*greater than 0"),
        (
            lambda w: w.add_camera(Camera("a", video=Path("absent.mp4"))),
            r"absent.mp4, key 'cameras.a.video': cannot be copied: No such file",
        ),
        (
            lambda w: w.open_scale_group("a", PLATES).write(ScaleSamples.empty(plates=PLATES[:1])),
            r"a.parquet: these samples are of other plates \(expected 1/1/1, 1/1/2\)",
        ),
        (
            lambda w: (w.add_camera(Camera("a")), w.add_camera(Camera("a"))),
            r"recording.yaml, key 'cameras': .*'a' stands there 2 times",
        ),
        (
            lambda w: (w.open_scale_group("a", PLATES), w.open_scale_group("b", PLATES)),
            r"b.parquet, key '1/1/1': scale group a weighs this plate too",
        ),
        (lambda w: w.open_scale_group("a", ()), r"a.parquet: scale group a is left out: holds no plates"),
        (
            lambda w: w.set_scale_clock(0.0, 2e4),
            r"recording.yaml, key 'scales.clock.drift_ppm': .*less than or equal to 10000",
        ),
        (lambda w: w.write_truth(happened(time_s=np.nan)), r"events.csv, row 1, key 'time_s': is blank"),
        (lambda w: w.write_truth(happened(quantity=0)), r"events.csv, row 1, key 'quantity': moves nothing"),
        (
            lambda w: w.write_truth(Truth((), (TruthReceipt("a", {"p": 0}),))),
            r"receipts.json, key 'receipts.0.items.0.quantity'",
        ),
    ],
)
def test_what_could_not_be_read_again_is_not_written(write, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=complaint) as caught, writer(tmp_path / "r") as made:
        write(made)
    assert ".part" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"duration_s": -1.0}, "r/recording.yaml, key 'clock.duration_s': Input should be greater than or equal to 0"),
        ({"duration_s": np.nan}, "key 'clock.duration_s': Input should be a finite number"),
        ({"origin_unix_s": 1.76e12}, "key 'clock.origin_unix_s': Input should be less than or equal to 1000"),
        ({"store": Store({"": Product("", "a")}, {}, {})}, "store/products.csv, row 1, key 'product': is blank"),
        ({"store": Store({"a": Product("a", "a", np.inf)}, {}, {})}, "store/products.csv, row 1, key 'weight_g'"),
        ({"store": Store({}, {}, {}, (Zone("z", np.zeros((2, 2))),))}, "recording.yaml, key 'zones.0.polygon_m'"),
    ],
)
def test_settings_that_could_not_be_read_again(given: dict[str, object], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=complaint), writer(tmp_path / "r", **given):
        pass
    assert list(tmp_path.iterdir()) == []
