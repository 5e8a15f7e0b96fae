"""Poses that are estimated in the footage, and the joints that several cameras make of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gocv.core import JOINTS, ConfigError, Detections, Frame, Poses, Store
from gocv.data.config import load
from gocv.data.detections import DetectionTableWriter
from gocv.data.floor_tracks import read_floor_tracks
from gocv.data.poses import COCO17, PoseTableWriter, read_poses
from gocv.data.recording import Camera, Recording, RecordingWriter
from gocv.data.video import write_video
from gocv.geometry import PinholeCamera
from gocv.pipeline import PipelineConfig, run

RATE_HZ, FRAMES, SIZE = 10.0, 30, (640, 480)
BODY = {"shoulder": (0.2, 1.45), "elbow": (0.25, 1.2), "wrist": (0.3, 1.0)}


def camera(turn: float) -> PinholeCamera:
    place = [4 * np.cos(turn), 4 * np.sin(turn), 2.7]
    return PinholeCamera.look_at(place, [0, 0, 1], width_px=SIZE[0], height_px=SIZE[1], focal_px=330)


CAMERAS = {"east": camera(0.0), "north": camera(1.6), "west": camera(3.0)}


def joint(name: str, time_s: float) -> np.ndarray:
    """Of somebody who walks at half a metre a second along x."""
    side, _, part = name.partition("_")
    aside, height = BODY[part]
    return np.array([-0.7 + 0.5 * time_s, aside if side == "l" else -aside, height])


class Known:
    """Knows where the arms are; each camera's boxes are handed to it one frame at a time or several."""

    keypoints = COCO17

    def estimate(self, frames: Sequence[Frame], people: Sequence[Detections]) -> list[Poses]:
        return [self._one(frame, len(boxes)) for frame, boxes in zip(frames, people, strict=True)]

    def _one(self, frame: Frame, count: int) -> Poses:
        points = np.full((count, 17, 2), np.nan)
        for k, name in enumerate(COCO17):
            if name.partition("_")[2] in BODY:
                points[:, k] = CAMERAS[frame.camera].project(joint(name, frame.time_s)[None])[0]
        return Poses(points, np.isfinite(points).all(axis=2) * 0.8)


class Everywhere:
    """A detector that finds a person and a cup, the cup first, where the person's head and feet are."""

    classes = ("cup", "person")

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        return [Detections([[0, 0, 9, 9], box(f.camera, f.time_s)], [0.9, 0.9], [0, 1]) for f in frames]


def box(name: str, time_s: float) -> list[float]:
    x = -0.7 + 0.5 * time_s
    corners = np.array([[x + dx, dy, z] for dx in (-0.25, 0.25) for dy in (-0.25, 0.25) for z in (0.0, 1.75)])
    pixels = CAMERAS[name].project(corners)[0]
    return [*pixels.min(axis=0), *pixels.max(axis=0)]


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two parts, under the names that they would have if a package brought them."""
    added = {
        "gocv.pose_estimators": SimpleNamespace(name="known", load=lambda: Known),
        "gocv.detectors": SimpleNamespace(name="everywhere", load=lambda: Everywhere),
    }
    real = entry_points
    monkeypatch.setattr(
        "gocv.pipeline.parts.entry_points", lambda group: [*real(group=group), *filter(None, [added.get(group)])]
    )


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Footage, boxes and poses of each camera."""
    folder = tmp_path_factory.mktemp("parts")
    write_video(folder / "dark.mp4", (np.zeros((*SIZE[::-1], 3), np.uint8) for _ in range(FRAMES)), RATE_HZ)
    for name in CAMERAS:
        with DetectionTableWriter(folder / f"{name}.parquet", classes=("person",)) as writer:
            for frame in range(FRAMES):
                writer.write(frame, frame / RATE_HZ, Detections([box(name, frame / RATE_HZ)], [0.9], [0]))
    with PoseTableWriter(folder / "poses.parquet") as poses:
        poses.write(0, 0.0, Poses(np.ones((1, 17, 2)), np.ones((1, 17))))
    return folder


def recording(path: Path, parts: Path, *, boxes: bool, **east: Any) -> Recording:
    with RecordingWriter(path, name="arms", origin_unix_s=0.0, duration_s=3.0, store=Store({}, {}, {})) as writer:
        for name, calibration in CAMERAS.items():
            given = {"detections": parts / f"{name}.parquet"} if boxes else {}
            extra = east if name == "east" else {}
            writer.add_camera(
                Camera(name, **{"calibration": calibration, "video": parts / "dark.mp4", **given, **extra})
            )
    return Recording.open(path)


def settings(*overrides: str) -> PipelineConfig:
    return load(PipelineConfig, None, overrides)


def said(folder: Path, stage: str) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = json.loads((folder / "stages" / f"{stage}.json").read_text())["report"]
    return entries


@pytest.mark.parametrize("boxes", [True, False])
def test_joints_come_out_of_the_footage(parts: Path, tmp_path: Path, boxes: bool) -> None:
    """Of recorded boxes as of those that a detector finds, among other things."""
    run(recording(tmp_path / "in", parts, boxes=boxes), tmp_path / "run", settings("pose.part=known", *DETECT[boxes:]))
    table = read_poses(tmp_path / "run" / "poses-north.parquet")
    assert table.frame.tolist() == list(range(FRAMES))
    assert table.box.tolist() == [0] * FRAMES
    shoppers = read_floor_tracks(tmp_path / "run" / "shoppers.parquet")
    wrist = shoppers.joints_m[:, JOINTS.index("l_wrist")]
    known = np.isfinite(wrist).all(axis=1)
    assert known.mean() > 0.8
    truth = np.array([joint("l_wrist", time_s) for time_s in shoppers.time_s[known]])
    assert np.abs(wrist[known] - truth).max() < 0.03


DETECT = ("detect.part=everywhere",)


def test_without_an_estimator_there_are_no_joints(parts: Path, tmp_path: Path) -> None:
    run(recording(tmp_path / "in", parts, boxes=True), tmp_path / "run", settings("pose.part=known"))
    assert len(list((tmp_path / "run").glob("poses-*.parquet"))) == 3
    run(recording(tmp_path / "in2", parts, boxes=True), tmp_path / "run", settings())
    assert not list((tmp_path / "run").glob("poses-*.parquet"))
    assert np.isnan(read_floor_tracks(tmp_path / "run" / "shoppers.parquet").joints_m).all()


def test_recorded_poses_are_not_looked_for_again(parts: Path, tmp_path: Path) -> None:
    given = recording(tmp_path / "in", parts, boxes=True, poses=parts / "poses.parquet")
    run(given, tmp_path / "run", settings("pose.part=known"))
    assert sorted(p.name for p in (tmp_path / "run").glob("poses-*")) == ["poses-north.parquet", "poses-west.parquet"]


def test_a_video_that_cannot_be_read_leaves_its_boxes_without_poses(parts: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    given = recording(tmp_path / "in", parts, boxes=True, video=tmp_path / "broken.mp4")
    run(given, tmp_path / "run", settings("pose.part=known"))
    (entry,) = said(tmp_path / "run", "detect")
    assert entry["where"] == "camera east"
    assert "no poses" in entry["problem"]
    assert (tmp_path / "run" / "detections-east.parquet").is_file()


def test_an_estimator_that_gives_too_few_is_told_on(
    parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Known, "_one", lambda *_: Poses(np.empty((0, 17, 2)), np.empty((0, 17))))
    run(recording(tmp_path / "in", parts, boxes=True), tmp_path / "run", settings("pose.part=known"))
    assert all("an estimator gave" in entry["problem"] for entry in said(tmp_path / "run", "detect"))


def test_an_unknown_estimator_is_refused_before_any_work(parts: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"pose\.part"):
        run(recording(tmp_path / "in", parts, boxes=True), tmp_path / "run", settings("pose.part=knwon"))
