"""The two recordings of the NanoStore data that can be had in the open, and the CSV form in small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gocv.core import JOINTS, DataError, PlateId, ScaleSamples
from gocv.data.nanostore import convert_nanostore, read_layout
from gocv.data.recording import Recording, TruthEvent, TruthReceipt, check_recording

WATER, FIRE, FIJI = "071142008582", "071063437089", "632565000012"


def samples(recording: Recording, gondola: int) -> ScaleSamples:
    group = next(g for g in recording.scales if g.name == f"gondola-{gondola}")
    return ScaleSamples.concatenate(list(recording.scale_chunks(group)))


def series(recording: Recording, *plates: tuple[int, int, int]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    sampled = samples(recording, plates[0][0])
    return sampled.time_s, sampled.weight_g[:, [sampled.plates.index(PlateId(*p)) for p in plates]].sum(axis=1)


def step(recording: Recording, *plates: tuple[int, int, int], at: float) -> float:
    """Grams gained by the plates between 2 s before and 2 s after."""
    time_s, weight_g = series(recording, *plates)
    before, after = weight_g[np.abs(time_s - at + 2.5) < 0.5], weight_g[np.abs(time_s - at - 2.5) < 0.5]
    return float(after.mean() - before.mean())


def test_benchmark_1_has_its_scales(benchmark_1: Recording) -> None:
    assert [(g.name, g.rate_hz, len(g.plates)) for g in benchmark_1.scales] == [
        ("gondola-1", 60.0, 74),
        ("gondola-2", 60.0, 72),
        ("gondola-3", 60.0, 60),
        ("gondola-4", 60.0, 72),
    ]
    for gondola in (1, 2, 3, 4):
        sampled = samples(benchmark_1, gondola)
        assert len(sampled) == 86 * 12
        np.testing.assert_allclose(np.diff(sampled.time_s), 1 / 60, atol=1e-4)
        assert np.isfinite(sampled.weight_g).all()
    constant = np.ptp(samples(benchmark_1, 2).weight_g, axis=0) == 0
    assert constant.sum() == 15  # places without a load cell are kept


def test_benchmark_1_has_its_one_event_where_the_wrist_was(benchmark_1: Recording) -> None:
    time_s, weight_g = series(benchmark_1, (1, 5, 11))
    taken_s = float(time_s[np.argmax(weight_g < (weight_g[:60].mean() + weight_g[-60:].mean()) / 2)])
    assert step(benchmark_1, (1, 5, 11), at=taken_s) == pytest.approx(-623, abs=2)
    tracks = benchmark_1.floor_tracks()
    assert tracks.shoppers == ("3325379692103139202",)
    wrist = tracks.joints_m[np.abs(tracks.time_s - taken_s) < 1.0, JOINTS.index("r_wrist")]
    np.testing.assert_allclose(wrist[np.nanargmax(wrist[:, 1])], [1.08, -0.04, 1.34], atol=0.03)
    plate = benchmark_1.store.plates[PlateId(1, 5, 11)]
    reach_m = np.abs(wrist[np.nanargmax(wrist[:, 1])] - plate.centre_m)
    assert (reach_m < [plate.size_m[0] / 2, plate.size_m[1] / 2 + 0.15, 0.1]).all()


def test_benchmark_1_has_its_store_and_its_receipt(benchmark_1: Recording, shared_data: Path) -> None:
    assert benchmark_1.truth is not None
    assert benchmark_1.truth.receipts == (TruthReceipt("3325379692103139202", {WATER: 1}),)
    store = benchmark_1.store
    assert len(store.products) == 361
    assert store.products[WATER].weight_g == pytest.approx(621.67, abs=0.01)
    assert store.planogram[WATER] == {PlateId(1, 5, 11), PlateId(1, 5, 12)}
    assert np.isnan(store.products[WATER].weight_sd_g)
    surveyed = read_layout(shared_data / "nanostore" / "layout")
    assert len(surveyed) == 306
    unsurveyed = {plate for plate, at in store.plates.items() if np.isnan(at.centre_m).any()}
    assert set(store.plates) == set(surveyed) | unsurveyed
    assert {(p.gondola, p.plate) for p in unsurveyed} == {
        (1, 13),
        (1, 14),
        *((g, p) for g in (2, 4) for p in (10, 11, 12)),
    }
    said = "\n".join(benchmark_1.notes)
    for words in ("350 products are listed more than once", "planogram.json, row 3", "38 of 278 weighed plates"):
        assert words in said
    assert not [p for p in check_recording(benchmark_1.path) if p.severity == "error"]


def test_layout_fits_the_store(shared_data: Path) -> None:
    plates = read_layout(shared_data / "nanostore" / "layout")
    centres = np.array([plate.centre_m for plate in plates.values()])
    assert (np.ptp(centres, axis=0) < [7.4, 4.2, 2.0]).all()
    np.testing.assert_allclose(plates[PlateId(1, 5, 11)].centre_m, [1.0922, 0.2889, 1.3748], atol=1e-4)
    # gondola 5 stands along the end wall: its shoppers look along +x
    np.testing.assert_allclose(plates[PlateId(5, 1, 1)].rotation @ [0, 1, 0], [1, 0, 0], atol=1e-4)


def test_cps_test_01_has_its_truth_and_the_weights_agree(cps_test_01: Recording) -> None:
    shopper = "3594178763236981970"
    assert cps_test_01.truth is not None
    first, second = cps_test_01.truth.events
    assert first == TruthEvent(first.time_s, shopper, FIRE, 1, (PlateId(2, 5, 4), PlateId(2, 5, 5)))
    assert second == TruthEvent(second.time_s, shopper, FIJI, 1, (PlateId(1, 5, 10),))
    assert cps_test_01.truth.receipts == (TruthReceipt(shopper, {FIRE: 1, FIJI: 1}),)
    assert step(cps_test_01, (1, 5, 10), at=second.time_s) == pytest.approx(-560, abs=8)
    assert step(cps_test_01, *((2, 5, p) for p in (3, 4, 5)), at=first.time_s) == pytest.approx(-100, abs=5)


def test_cps_test_01_has_its_store(cps_test_01: Recording) -> None:
    assert sum(len(g.plates) for g in cps_test_01.scales) == 348
    assert cps_test_01.origin_unix_s == pytest.approx(1_580_250_245.0896, abs=1e-3)
    for gondola, rows in ((1, 2016), (2, 2016), (3, 2028), (4, 2016), (5, 2028)):
        sampled = samples(cps_test_01, gondola)
        assert len(sampled) == rows
        assert (np.diff(sampled.time_s) > 0).all()  # gondola 4's messages overlap by 5 ms at one place
    placed = cps_test_01.store.planogram
    assert len(placed) == 121
    assert not [product for product in placed if product.startswith("name:")]
    assert placed[FIRE] == {PlateId(2, 5, p) for p in (4, 5, 6)}
    assert cps_test_01.store.products[FIJI].weight_g == 538.0
    assert sum(product.startswith("name:") for product in cps_test_01.store.products) > 100
    assert not [p for p in check_recording(cps_test_01.path) if p.severity == "error"]


def test_cps_test_01_has_its_cameras_uncalibrated(cps_test_01: Recording) -> None:
    assert [c.name for c in cps_test_01.cameras] == ["cam1", "cam3", "cam5", "cam7"]
    assert all(c.calibration is None and c.time_offset_s == 0 and c.video is not None for c in cps_test_01.cameras)
    assert cps_test_01.duration_s == pytest.approx(33.9)
    assert cps_test_01.joints is None
    assert any("assumed to start at time 0" in note for note in cps_test_01.notes)


def write_series(folder: Path, rows: int = 8_000) -> Path:
    (folder / "plates").mkdir(parents=True)
    for plate in (1, 2):
        lines = [f"{1_580_000_000 + i / 60!r},{1000 * plate + i}\n" for i in range(rows)]
        (folder / "plates" / f"gondola_1_shelf_1_plate_{plate}.csv").write_text("".join(lines))
    (folder / "products.csv").write_text("Name,Gondola,Shelf,Plate,Weight,Price\nTea,1,1,1,100,2\n")
    return folder


def test_series_become_a_recording(tmp_path: Path) -> None:
    notes = convert_nanostore(write_series(tmp_path / "made"), tmp_path / "got")
    got = Recording.open(tmp_path / "got")
    time_s, weight_g = series(got, (1, 1, 2))
    np.testing.assert_allclose(time_s, np.arange(8_000) / 60, atol=1e-6)
    np.testing.assert_array_equal(weight_g, 2000 + np.arange(8_000))
    assert (got.truth, got.cameras, got.scales[0].rate_hz) == (None, (), 60.0)
    assert list(got.store.products) == ["name:Tea"]
    assert "no products collection was found to look up barcodes in" in notes


def replace_line(number: int, line: str) -> Callable[[Path], None]:
    def spoil(file: Path) -> None:
        lines = file.read_text().splitlines(keepends=True)
        lines[number - 1] = line
        file.write_text("".join(lines))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (replace_line(5000, "1580000083.3,heavy\n"), r"plate_2.csv, row 5000: '1580000083.3,heavy' will not do"),
        (replace_line(7, "1580000000.1\n"), r"plate_2.csv, row 7"),
        (replace_line(7, "nan,5\n"), r"plate_2.csv, row 7"),
        (replace_line(5000, "1580000001.5,3\n"), r"plate_2.csv, row 5000: has another time than .*plate_1.csv"),
        (replace_line(8000, ""), r"plate_2.csv: ends at row 7999"),
        (lambda file: file.write_bytes(b"\xff"), r"plate_2.csv, row 1: cannot be read"),
        (lambda file: (file.parent.parent / "products.csv").unlink(), r"products.csv: cannot be read"),
    ],
)
def test_broken_series_name_file_and_row(spoil: Callable[[Path], None], complaint: str, tmp_path: Path) -> None:
    source = write_series(tmp_path / "made")
    spoil(source / "plates" / "gondola_1_shelf_1_plate_2.csv")
    with pytest.raises(DataError, match=complaint):
        convert_nanostore(source, tmp_path / "got")
    assert [f.name for f in tmp_path.iterdir()] == ["made"]


def test_a_clip_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    source = write_series(tmp_path / "made", rows=60)
    (source / "video").mkdir()
    (source / "video" / "cam1.mp4").write_bytes(b"no video")
    notes = convert_nanostore(source, tmp_path / "got")
    assert any("cam1.mp4 cannot be read and was left out" in note for note in notes)
    assert Recording.open(tmp_path / "got").cameras == ()
