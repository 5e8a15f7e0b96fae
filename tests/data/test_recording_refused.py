"""What opening a recording refuses, and what it reports and goes on without."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from gocv.core import DataError, PlateId
from gocv.data.recording import Problem, Recording, TruthReceipt, check_recording

Spoil = Callable[[Path], object]


def settings(change: Callable[[dict], object]) -> Spoil:
    """Change recording.yaml."""

    def spoil(folder: Path) -> None:
        file = folder / "recording.yaml"
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
        change(values)
        file.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")

    return spoil


def put(key: str, value: object) -> Spoil:
    """Set one key of recording.yaml, such as "cameras.0.video"."""

    def change(values: dict) -> None:
        *groups, last = [int(part) if part.isdecimal() else part for part in key.split(".")]
        for part in groups:
            values = values[part] if isinstance(part, int) else values.setdefault(part, {})
        values[last] = value

    return settings(change)


def line(name: str, number: int, text: str) -> Spoil:
    """Replace a line of a text file; line 0 is the header."""

    def spoil(folder: Path) -> None:
        lines = (folder / name).read_text(encoding="utf-8").split("\n")
        lines[number] = text
        (folder / name).write_text("\n".join(lines), encoding="utf-8")

    return spoil


def content(name: str, data: bytes | str) -> Spoil:
    return lambda folder: (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


YAML, PRODUCTS, PLATES = "recording.yaml", "store/products.csv", "store/plates.csv"
PLANOGRAM, EVENTS, RECEIPTS = "store/planogram.csv", "truth/events.csv", "truth/receipts.json"


def refused(folder: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        Recording.open(folder)
    error = caught.value
    (problem,) = check_recording(folder)
    assert (problem.severity, problem.file, problem.row, problem.key) == ("error", error.file, error.row, error.key)
    return error


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("version", 2, "version 2 cannot be read (expected 1)"),
        ("version", "1", "cannot be read"),
        ("camera", [], "is not a known key (expected 'cameras')"),
        ("clock.durations_s", 5, "(expected 'duration_s')"),
        ("cameras.1.vidoe", "a", "(expected 'video')"),
        ("scales.groups.0.rate", 6, "(expected 'rate_hz')"),
        ("cameras.0.calibration.focal", 6, "(expected 'focal_px')"),
        ("name", 7, "valid string: got 7"),
        ("units.length", "cm", "should be 'm': got 'cm'"),
        # numbers
        ("clock.duration_s", -1, "greater than or equal to 0: got -1"),
        ("clock.duration_s", float("inf"), "finite number"),
        ("clock.origin_unix_s", float("nan"), "finite number"),
        ("clock.origin_unix_s", 1.76e12, "less than or equal to"),
        ("clock.origin_unix_s", 10**400, "valid number"),
        ("cameras.0.time_offset_s", "later", "got 'later'"),
        ("scales.clock.drift_ppm", 10_001, "less than or equal to 10000"),
        ("scales.groups.0.rate_hz", 0, "greater than 0"),
        ("scales.groups.0.rate_hz", 1e9, "less than or equal to 10000"),
        ("zones.0.polygon_m", [[0, 0], [1, 1]], "at least 3 items"),
        ("zones.0.polygon_m.2.1", float("nan"), "finite number"),
        ("cameras.0.calibration.width_px", 0, "greater than 0"),
        ("cameras.0.calibration.distortion", [0.1] * 6, "at most 5 items"),
        ("cameras.0.calibration.rotation_vector.0", 90, "less than or equal to 6.28"),
        # names and paths
        ("cameras.0.name", "decke/1", "should match pattern"),
        ("cameras.0.name", "décke", "should match pattern"),
        ("cameras.0.video", "/etc/passwd", "inside the recording's folder: got '/etc/passwd'"),
        ("cameras.0.video", "a/../../b.mp4", "inside the recording's folder"),
        ("cameras.0.timestamps", "..\\b.csv", "inside the recording's folder"),
        ("scales.groups.0.file", "C:\\b.parquet", "inside the recording's folder"),
        ("joints", ".", "inside the recording's folder"),
        ("truth.events", "", "inside the recording's folder"),
        ("store.plates", "a\0b", "inside the recording's folder"),
    ],
)
def test_a_setting_that_will_not_do(key: str, value: object, words: str, small_recording: Path) -> None:
    put(key, value)(small_recording)
    error = refused(small_recording)
    assert (error.file, error.row, error.key) == (str(small_recording / YAML), None, key)
    assert words in str(error)


@pytest.mark.parametrize(
    ("spoil", "row", "key", "words"),
    [
        (settings(lambda v: v.update(version=2, lights=[])), None, "version", "version 2 cannot be read"),
        (settings(lambda v: v.pop("version")), None, "version", "is missing"),
        (settings(lambda v: v.pop("clock")), None, "clock", "Field required"),
        (put("cameras.0.calibration.distortion", []), None, "cameras.0.calibration.distortion.0", "Field required"),
        (put("cameras.0.calibration.focal_px", [-5, 5]), None, "cameras.ceiling-1.calibration.matrix", "expected"),
        (put("cameras.1.name", "ceiling-1"), None, "cameras", "each name once: 'ceiling-1' stands there 2 times"),
        (put("scales.groups.1.name", "left"), None, "scales.groups", "'left' stands there 2 times"),
        (settings(lambda v: v["zones"].append(v["zones"][0])), None, "zones", "'entrance' stands there 2 times"),
        (content(YAML, "version: 1\nname: [\n"), 3, None, "is not YAML"),
        (content(YAML, "version: 1\nname: a\nname: b\n"), 3, None, "'name' stands there twice"),
        (content(YAML, b"name: \xff"), None, None, "cannot be read"),
    ],
)
def test_settings_that_will_not_do(spoil: Spoil, row, key, words: str, small_recording: Path) -> None:
    spoil(small_recording)
    error = refused(small_recording)
    assert (error.file, error.row, error.key) == (str(small_recording / YAML), row, key)
    assert words in str(error)


@pytest.mark.parametrize(
    ("file", "row", "text", "key", "words"),
    [
        (PRODUCTS, 0, "product,name,weight,weight_sd_g,price", "weight_g", "the column is missing"),
        (PRODUCTS, 2, "007,again,1,1,1", "product", "'007' stands in the table twice"),
        (PRODUCTS, 2, "42,Milk,-1,,", "weight_g", "'-1' will not do (expected a finite number at least 0)"),
        (PRODUCTS, 2, "42,Milk,1,nan,", "weight_sd_g", "'nan' will not do"),
        (PRODUCTS, 2, ",Milk,1,1,", "product", "is blank"),
        (PLATES, 1, "0,1,1,,,,,,,,", "gondola", "'0' will not do (expected a whole number from 1"),
        (PLATES, 1, "1,1,1.5,,,,,,,,", "plate", "'1.5' will not do"),
        (PLATES, 2, "1,1,1,,,,,,,,", "plate", "plate 1/1/1 stands in the table twice"),
        (PLATES, 1, "1,1,1,1,,1,,,,,", "y_m", "(expected x_m, y_m, z_m: all of them or none)"),
        (PLATES, 1, "1,1,1,1,1,1,0,0,90,,", "rz_rad", "at most 6.28"),
        (PLATES, 1, "1,1,1,1,1,1,,,,0.3,", "depth_m", "(expected width_m, depth_m: all of them or none)"),
        (PLANOGRAM, 1, "007,1,1", None, "has 3 cells (expected 4)"),
        (PLANOGRAM, 1, "007,1,1,-1", "plate", "'-1' will not do"),
        (EVENTS, 1, "x,anna,007,1,1/1/1", "time_s", "'x' will not do"),
        (EVENTS, 1, "1,,007,1,1/1/1", "shopper", "is blank"),
        (EVENTS, 2, "1,anna,007,0,1/1/1", "quantity", "moves nothing"),
        (EVENTS, 1, "1,anna,007,1,1/1/1;1/1", "plates", "'1/1' is not gondola/shelf/plate (expected"),
    ],
)
def test_a_row_that_will_not_do(file: str, row: int, text: str, key, words: str, small_recording: Path) -> None:
    line(file, row, text)(small_recording)
    error = refused(small_recording)
    assert (error.file, error.row, error.key) == (str(small_recording / file), row or None, key)
    assert words in str(error)


@pytest.mark.parametrize("file", [PRODUCTS, PLATES, PLANOGRAM])
def test_the_tables_of_the_store_must_be_there(file: str, small_recording: Path) -> None:
    (small_recording / file).unlink()
    assert str(refused(small_recording)).startswith(f"{small_recording / file}: cannot be read: No such file")


ITEM = {"product": "1", "quantity": 1}


@pytest.mark.parametrize(
    ("receipts", "key", "words"),
    [
        ([{"shopper": "a", "items": []}, {"shopper": "a", "items": [ITEM]}], "receipts", "'a' stands there 2 times"),
        ([{"shopper": "a", "items": [ITEM, ITEM]}], "receipts.0.items", "'1' stands there 2 times"),
        ([{"shopper": "a", "items": [{**ITEM, "quantity": 0}]}], "receipts.0.items.0.quantity", "or equal to 1"),
        ([{"shoper": "a", "items": []}], "receipts.0.shoper", "(expected 'shopper')"),
        ([{"shopper": 7, "items": []}], "receipts.0.shopper", "valid string"),
        ([{"shopper": "", "items": []}], "receipts.0.shopper", "at least 1 character"),
    ],
)
def test_receipts_that_will_not_do(receipts: list[dict], key: str, words: str, small_recording: Path) -> None:
    content(RECEIPTS, json.dumps({"receipts": receipts}))(small_recording)
    error = refused(small_recording)
    assert (error.file, error.row, error.key) == (str(small_recording / RECEIPTS), None, key)
    assert words in str(error)


@pytest.mark.parametrize(
    ("data", "words"), [("{", "cannot be read"), ("[" * 100_000, "cannot be read"), ("[]", "valid dictionary")]
)
def test_receipts_that_are_none(data: str, words: str, small_recording: Path) -> None:
    content(RECEIPTS, data)(small_recording)
    assert f"{RECEIPTS}: {words}" in str(refused(small_recording)).replace("Input should be a ", "")


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: None], ids=["folder", "file", "nothing"])
def test_what_is_no_recording_is_refused(make: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "r"
    make(path)
    with pytest.raises(DataError, match=r"r: is not a recording \(expected a folder that holds recording.yaml\)"):
        Recording.open(path)


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("video/ceiling-1.mp4", "cameras.ceiling-1.video"),
        ("video/ceiling-1.csv", "cameras.ceiling-1.timestamps"),
        ("detections/door.parquet", "cameras.door.detections"),
        ("scales/left.parquet", "scales.groups.left.file"),
        ("joints.parquet", "joints"),
        (EVENTS, "truth.events"),
        (RECEIPTS, "truth.receipts"),
    ],
)
def test_a_file_that_is_missing_is_reported(file: str, key: str, small_recording: Path) -> None:
    (small_recording / file).unlink()
    message = f"{file} is missing: the run goes on without it"
    problem = Problem("warning", message, str(small_recording / YAML), key=key)
    assert Recording.open(small_recording).problems == (problem,)
    assert problem in check_recording(small_recording)


@pytest.mark.parametrize("name", ["x" * 5000, "video", "video/ceiling-1.mp4/x"])
def test_what_cannot_be_a_file_is_missing(name: str, small_recording: Path) -> None:
    put("cameras.0.video", name)(small_recording)
    (problem,) = Recording.open(small_recording).problems
    assert problem.message.startswith(f"{name} is missing")


@pytest.mark.parametrize(
    ("file", "number", "text", "row", "key", "words"),
    [
        (PLANOGRAM, 1, "008,1,1,1", 1, "product", "product 008 is not in the catalogue: this row of the planogram is"),
        (PLANOGRAM, 2, "007,7,7,7", 2, "plate", "plate 7/7/7 does not exist: this row of the planogram is ignored"),
        (PLANOGRAM, 3, "9,2,1,1", 3, "product", "product 9 (unplaced) has no weight on file"),
        (PRODUCTS, 1, "007,Milk,0,,", 1, "product", "product 007 (Milk) has no weight on file"),
    ],
)
def test_a_planogram_that_does_not_fit_is_reported(file, number, text, row, key, words, small_recording: Path) -> None:
    line(file, number, text)(small_recording)
    (problem,) = Recording.open(small_recording).problems
    assert (problem.severity, problem.row, problem.key) == ("warning", row, key)
    assert problem.file == str(small_recording / PLANOGRAM)
    assert words in str(problem)


def test_what_is_missing_is_left_out_and_the_rest_is_there(small_recording: Path) -> None:
    for name in ("scales/left.parquet", "video/ceiling-1.mp4", EVENTS):
        (small_recording / name).unlink()
    recording = Recording.open(small_recording)
    assert [g.name for g in recording.scales] == ["right"]
    assert recording.cameras[0].video is None
    assert recording.cameras[0].calibration is not None
    assert recording.truth is not None
    assert recording.truth.events == ()
    assert recording.truth.receipts == (TruthReceipt("anna", {"007": 2}), TruthReceipt("Бо", {}))


def test_a_planogram_keeps_the_rows_that_are_right(small_recording: Path) -> None:
    line(PLANOGRAM, 1, "008,1,1,1")(small_recording)
    recording = Recording.open(small_recording)
    assert recording.store.planogram == {"007": {PlateId(1, 1, 2)}, "42": {PlateId(2, 1, 1)}}


def test_tables_as_spreadsheets_save_them(small_recording: Path) -> None:
    before = Recording.open(small_recording)
    for name in (PRODUCTS, PLATES, PLANOGRAM, EVENTS, "video/ceiling-1.csv"):
        text = (small_recording / name).read_text(encoding="utf-8")
        (small_recording / name).write_text(
            "\ufeff" + text.replace("\n", "\r\n") + "\r\n", encoding="utf-8", newline=""
        )
    after = Recording.open(small_recording)
    assert repr(after.store.products) == repr(before.store.products)
    assert after.store.planogram == before.store.planogram
    assert after.truth == before.truth
    assert check_recording(small_recording) == []


def test_plates_that_only_a_scale_file_knows_are_not_surveyed(small_recording: Path) -> None:
    content(PLATES, "gondola,shelf,plate,x_m,y_m,z_m,rx_rad,ry_rad,rz_rad,width_m,depth_m\n")(small_recording)
    recording = Recording.open(small_recording)
    assert sorted(recording.store.plates) == [(1, 1, 1), (1, 1, 2), (2, 1, 1)]
    assert all(np.isnan(plate.centre_m).all() for plate in recording.store.plates.values())
    assert recording.store.planogram["007"] == {PlateId(1, 1, 1), PlateId(1, 1, 2)}


def test_links_are_followed(small_recording: Path, tmp_path: Path) -> None:
    video = small_recording / "video/ceiling-1.mp4"
    shutil.move(video, tmp_path / "elsewhere.mp4")
    video.symlink_to(tmp_path / "elsewhere.mp4")
    assert check_recording(small_recording) == []
