"""Broken recordings: what can be worked around is reported and the rest goes on; what cannot is refused by place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gocv.core import ConfigError, DataError, PlateId
from gocv.data.config import load
from gocv.data.recording import Recording, check_recording
from gocv.pipeline import PipelineConfig, run

Copy = Callable[[Recording], Path]


def run_and_read(path: Path, out: Path, config: PipelineConfig | None = None) -> dict[str, Any]:
    run(Recording.open(path), out, config)
    return json.loads((out / "receipts.json").read_text())


def carts(result: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {r["shopper"]: {i["product"]: i["quantity"] for i in r["items"]} for r in result["receipts"]}


def said(result: dict[str, Any], stage: str) -> str:
    return "\n".join(f"{e['where']}: {e['problem']}" for e in result["report"][stage])


def scale_file_of(path: Path, plate: PlateId) -> Path:
    return next(g.file for g in Recording.open(path).scales if plate in g.plates)


def rewrite_scales(file: Path, change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> None:
    table = pq.read_table(file)
    columns = change({name: table[name].to_numpy().copy() for name in table.column_names})
    pq.write_table(pa.table(columns, schema=table.schema), file)


def test_a_plate_of_nan(demo: Recording, copy_of: Copy, tmp_path: Path) -> None:
    whole = carts(run_and_read(demo.path, tmp_path / "whole"))
    path = copy_of(demo)
    touched = {plate for event in demo.truth.events for plate in event.plates}
    plate = next(p for p in sorted(demo.store.plates) if p not in touched)
    rewrite_scales(scale_file_of(path, plate), lambda c: {**c, str(plate): np.full(len(c["time_s"]), np.nan, "f4")})
    result = run_and_read(path, tmp_path / "run")
    assert f"plate {plate}: no reading at all" in said(result, "shelf")
    assert carts(result) == whole
    assert any(str(plate) in str(problem) for problem in check_recording(path))


def test_a_gap_of_three_seconds(demo: Recording, copy_of: Copy, tmp_path: Path) -> None:
    """The first take falls into the gap; its change of weight is still found."""
    path = copy_of(demo)
    first = min(demo.truth.events, key=lambda e: e.time_s)
    clock = demo.scale_clock
    start_s = (first.time_s - 1.5 - clock.offset_s) / (1 + clock.drift_ppm * 1e-6)

    def without_gap(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        kept = (columns["time_s"] < start_s) | (columns["time_s"] > start_s + 3)
        return {name: values[kept] for name, values in columns.items()}

    rewrite_scales(scale_file_of(path, first.plates[0]), without_gap)
    result = run_and_read(path, tmp_path / "run")
    assert "no samples from" in said(result, "shelf")
    assert result["receipts"]
    assert carts(result)[first.shopper].get(first.product, 0) >= 1
    assert any("gap" in str(problem) for problem in check_recording(path))


def test_a_product_without_weight(demo: Recording, copy_of: Copy, tmp_path: Path) -> None:
    path = copy_of(demo)
    product = demo.truth.events[0].product
    table = path / "store" / "products.csv"
    lines = [
        ",".join([*line.split(",")[:2], "", "", ""]) if line.startswith(product + ",") else line
        for line in table.read_text().splitlines()
    ]
    table.write_text("\n".join(lines) + "\n")
    result = run_and_read(path, tmp_path / "run")
    assert f"product {product}" in said(result, "recording")
    assert "has no weight" in said(result, "recording")
    assert any(product in cart for cart in carts(result).values())


def test_a_planogram_that_names_a_plate_that_does_not_exist(demo: Recording, copy_of: Copy, tmp_path: Path) -> None:
    path = copy_of(demo)
    whole = carts(run_and_read(demo.path, tmp_path / "whole"))
    table = path / "store" / "planogram.csv"
    product = next(iter(demo.store.products))
    rows = len(table.read_text().splitlines())
    table.write_text(table.read_text() + f"{product},9,9,9\n")
    result = run_and_read(path, tmp_path / "run")
    assert f"store/planogram.csv, row {rows}, plate: plate 9/9/9 does not exist" in said(result, "recording")
    assert carts(result) == whole


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("recording.yaml", "clock:", "clok:", r"recording\.yaml.*'clok'.*'clock'"),
        ("recording.yaml", "duration_s:", "duration:", r"recording\.yaml.*'clock\.duration'.*'duration_s'"),
        ("store/products.csv", "weight_g", "weight", r"products\.csv, key 'weight_g'.*missing"),
    ],
)
def test_a_misspelt_key_in_the_recording(
    demo: Recording, copy_of: Copy, file: str, old: str, new: str, message: str
) -> None:
    path = copy_of(demo)
    text = (path / file).read_text()
    (path / file).write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        Recording.open(path)
    assert [p.severity for p in check_recording(path)] == ["error"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fusoin:\n  beam: 3\n", r"config\.yaml.*'fusoin'.*'fusion'"),
        ("fusion:\n  nearness:\n    hand_sd: 0.2\n", r"config\.yaml.*'fusion\.nearness\.hand_sd'.*'hand_sd_m'"),
        ("fusion:\n  beam: many\n", r"config\.yaml.*'fusion\.beam'"),
        ("fusion: [\n", r"config\.yaml, row \d"),
    ],
)
def test_a_misspelt_key_in_the_settings(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load(PipelineConfig, tmp_path / "config.yaml")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("shelf.rest=3", r"'shelf\.rest'.*'rest_s'"),
        ("shelf.part=fiam", r"'shelf\.part'.*'faim'"),
        ("shelf.window=wide", r"'shelf\.window'"),
        ("track.min_hits=0", r"'track\.min_hits'"),
    ],
)
def test_a_misspelt_setting_of_a_part(demo: Recording, tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run(demo, tmp_path / "run", load(PipelineConfig, None, [override]))


def test_a_scale_file_that_is_no_parquet(demo: Recording, copy_of: Copy, tmp_path: Path) -> None:
    path = copy_of(demo)
    broken = Recording.open(path).scales[0]
    broken.file.write_bytes(b"not parquet")
    result = run_and_read(path, tmp_path / "run")
    assert f"scale group {broken.name} is left out" in said(result, "recording")
    assert len(result["receipts"]) >= 3


def test_a_missing_and_a_truncated_clip(
    cps_test_01: Recording, yolox: PipelineConfig, copy_of: Copy, tmp_path: Path
) -> None:
    path = copy_of(cps_test_01)
    (path / "video" / "cam1.mp4").unlink()
    clip = path / "video" / "cam7.mp4"
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    for name in ("cam5.mp4",):
        (path / "video" / name).write_bytes(b"no video at all")
    result = run_and_read(path, tmp_path / "run", yolox)
    assert "cam1.mp4 is missing" in said(result, "recording")
    assert "camera cam7" in said(result, "detect")
    assert "camera cam5: left out" in said(result, "detect")
    assert list(carts(result).values()) == [{"071063437089": 1, "632565000012": 1}]


def test_footage_without_a_detector(cps_test_01: Recording, tmp_path: Path) -> None:
    """What was taken is not lost when nobody can be named for it."""
    result = run_and_read(cps_test_01.path, tmp_path / "run")
    assert "no detector is configured" in said(result, "detect")
    assert carts(result) == {None: {"071063437089": 1, "632565000012": 1}}
    assert result["receipts"][0]["needs_review"]


def test_a_run_folder_that_is_something_else(demo: Recording, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(DataError, match="is not a run"):
        run(demo, tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["letters.txt"]


def test_a_run_folder_in_the_recording(demo: Recording, copy_of: Copy) -> None:
    path = copy_of(demo)
    with pytest.raises(DataError, match="lies in the recording"):
        run(Recording.open(path), path / "run")
    assert not (path / "run").exists()
