"""What stands around the detector in a run: tiles, skipping, a rate for each camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocv.core import ConfigError, Frame, Store
from gocv.data.config import load
from gocv.data.detections import read_detections
from gocv.data.recording import Camera, Recording, RecordingWriter
from gocv.data.video import write_video
from gocv.detect.skipping import SkippingDetector
from gocv.detect.tiles import TiledDetector
from gocv.pipeline import PipelineConfig, run
from gocv.pipeline.detecting import make_detector, paced


def settings(model: Path, *overrides: str) -> PipelineConfig:
    return load(PipelineConfig, None, [f"detect.model={model}", *overrides])


def frames(count: int) -> list[Frame]:
    return [Frame(np.zeros((20, 40, 3), np.uint8), "1", 0.1 * i, i) for i in range(count)]


def test_a_frame_is_skipped_as_a_whole(mirror: Path) -> None:
    config = settings(mirror, "detect.skip={}", "detect.tiles={width_px: 20, height_px: 10}")
    assert config.detect is not None
    detector = make_detector(config.detect)
    assert isinstance(detector, SkippingDetector)
    assert isinstance(detector._detector, TiledDetector)
    detector.detect(frames(30))
    assert (detector.frames, detector.looks) == (30, 1)


def test_without_more_settings_it_is_the_part_alone(mirror: Path) -> None:
    config = settings(mirror)
    assert config.detect is not None
    assert not isinstance(make_detector(config.detect), (SkippingDetector, TiledDetector))


@pytest.mark.parametrize(
    ("overrides", "first", "second"),
    [
        ([], 12, 12),
        (["detect.every=3"], 4, 4),
        (["detect.every={first: 4}"], 3, 12),
        (["detect.rate_hz=5"], 6, 6),
        (["detect.rate_hz={second: 2.5}"], 12, 3),
        (["detect.every=2", "detect.rate_hz={first: 2.5}"], 3, 6),
    ],
)
def test_each_camera_has_its_rate(mirror: Path, overrides: list[str], first: int, second: int) -> None:
    detect = settings(mirror, *overrides).detect
    assert detect is not None
    assert len(list(paced(frames(12), detect, "first"))) == first
    assert len(list(paced(frames(12), detect, "second"))) == second


@pytest.mark.parametrize("wrong", ["detect.rate_hz=0", "detect.every=0", "detect.skip={calm: 1}", "detect.tile={}"])
def test_what_is_no_setting_is_refused(mirror: Path, wrong: str) -> None:
    with pytest.raises(ConfigError, match="detect"):
        make_detector(settings(mirror, wrong).detect)  # type: ignore[arg-type]


def test_a_run_looks_at_the_rate_and_keeps_the_times(mirror: Path, tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", [np.zeros((32, 64, 3), np.uint8)] * 20, 10.0)
    store = Store({}, {}, {})
    with RecordingWriter(tmp_path / "in", name="in", origin_unix_s=0.0, duration_s=2.0, store=store) as writer:
        writer.add_camera(Camera("film", video=tmp_path / "film.mp4"))
    run(Recording.open(tmp_path / "in"), tmp_path / "run", settings(mirror, "detect.rate_hz=4"))
    table = read_detections(tmp_path / "run" / "detections-film.parquet", ("person",))
    assert table.frame.tolist() == [0, 3, 5, 8, 10, 13, 15, 18]
    np.testing.assert_allclose(table.time_s, table.frame / 10, atol=1e-6)
