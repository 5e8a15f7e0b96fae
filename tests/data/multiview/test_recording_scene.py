"""A recording as a scene: cameras, who is in each frame, what was detected, who stood where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gocv.core import JOINTS, DataError, Detections, FloorTracks, Store
from gocv.data.detections import DetectionTableWriter
from gocv.data.multiview import read_multiview
from gocv.data.recording import Camera, RecordingWriter, Truth, TruthName
from gocv.geometry import PinholeCamera

CAMERA = PinholeCamera.look_at([0, 0, 3], [2, 2, 0], width_px=640, height_px=480, focal_px=400)


def body(x: float, y: float) -> list[float]:
    """17 keypoints above (x, y), the ankles 20 cm apart."""
    points = np.tile([x, y, 1.0], (17, 1))
    points[15, :2] += [0.1, 0.0]
    points[16, :2] -= [0.1, 0.0]
    return points.ravel().tolist()


def truth_table(file: Path, rows: list[tuple[int, str | None, float, float]]) -> Path:
    """Rows of frame, name, left edge and visible fraction; frames at 10 a second."""
    named = [name is not None for _, name, _, _ in rows]
    lefts = [left if ok else None for ok, (_, _, left, _) in zip(named, rows, strict=True)]
    columns = {
        "frame": pa.array([row[0] for row in rows], pa.int64()),
        "time_s": pa.array([row[0] / 10 for row in rows], pa.float64()),
        "name": pa.array([row[1] for row in rows], pa.string()),
        "left_px": pa.array(lefts, pa.float32()),
        "top_px": pa.array([10.0 if ok else None for ok in named], pa.float32()),
        "right_px": pa.array([None if left is None else left + 30 for left in lefts], pa.float32()),
        "bottom_px": pa.array([90.0 if ok else None for ok in named], pa.float32()),
        "visible_fraction": pa.array([r[3] if ok else None for ok, r in zip(named, rows, strict=True)], pa.float32()),
        "keypoints_m": pa.array(
            [body(r[0], 2.0) if ok else None for ok, r in zip(named, rows, strict=True)], pa.list_(pa.float32(), 51)
        ),
    }
    pq.write_table(pa.table(columns), file)
    return file


def recorded(folder: Path, cameras: list[Camera], **parts: object) -> Path:
    with RecordingWriter(
        folder / "rec", name="r", origin_unix_s=0, duration_s=5, store=Store({}, {}, {}, ())
    ) as writer:
        for camera in cameras:
            writer.add_camera(camera)
        if "joints" in parts:
            writer.write_joints(parts["joints"])
        if "truth" in parts:
            writer.write_truth(parts["truth"])
    return folder / "rec"


def test_labels_are_those_of_whom_something_is_seen(tmp_path: Path) -> None:
    one = truth_table(
        tmp_path / "a.parquet", [(0, "zoe", 5.0, 1.0), (0, "abe", 50.0, 0.0), (1, None, 0, 0), (2, "abe", 7.0, 0.4)]
    )
    other = truth_table(tmp_path / "b.parquet", [(0, "zoe", 200.0, 0.1), (1, None, 0, 0)])
    scene = read_multiview(
        recorded(tmp_path, [Camera("a", calibration=CAMERA, truth=one), Camera("b", truth=other)]), "recording"
    )
    assert scene.cameras["b"] is None
    np.testing.assert_allclose(scene.cameras["a"].camera_T_world, CAMERA.camera_T_world, atol=1e-12)
    labels = scene.labels["a"]
    assert labels.frame.tolist() == [0, 1, 2]
    assert labels.first_row.tolist() == [0, 1, 1, 2]
    assert labels.track_id.tolist() == [1, 0]
    assert labels.boxes.xyxy[:, 0].tolist() == [5.0, 7.0]
    assert scene.labels["b"].track_id.tolist() == [1]


def test_everybody_in_a_table_stands_between_their_ankles_once(tmp_path: Path) -> None:
    one = truth_table(tmp_path / "a.parquet", [(0, "zoe", 5.0, 1.0), (0, "abe", 50.0, 0.0), (2, "abe", 7.0, 0.4)])
    other = truth_table(tmp_path / "b.parquet", [(0, "zoe", 200.0, 0.1)])
    scene = read_multiview(recorded(tmp_path, [Camera("a", truth=one), Camera("b", truth=other)]), "recording")
    assert scene.truth.person.tolist() == [0, 1, 0]
    np.testing.assert_allclose(scene.truth.time_s, [0, 0, 0.2])
    np.testing.assert_allclose(scene.truth.xy_m, [[0, 2], [0, 2], [2, 2]], atol=1e-6)


def test_without_tables_the_recorded_joints_say_who_stood_where(tmp_path: Path) -> None:
    joints = np.zeros((3, len(JOINTS), 3))
    tracks = FloorTracks.sightings(
        ("broken", "zoe"),
        np.array([0.0, 1.0, 2.0]),
        np.array([1, 0, 0]),
        joints_m=joints,
        xy_m=np.array([[1.0, 1.0], [2.0, 2.0], [np.nan, np.nan]]),
    )
    truth = Truth(names=(TruthName(0.0, "zoe", "zoe"), TruthName(0.5, "broken", "zoe")))
    scene = read_multiview(recorded(tmp_path, [], joints=tracks, truth=truth), "recording")
    assert scene.truth.person.tolist() == [0, 0]
    assert scene.truth.xy_m.tolist() == [[1, 1], [2, 2]]
    assert "people: zoe" in scene.notes


def test_detections_of_people_are_read(tmp_path: Path) -> None:
    with DetectionTableWriter(tmp_path / "d.parquet", classes=["person", "dog"]) as writer:
        boxes = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32)
        writer.write(0, 0.0, Detections(boxes, np.array([0.5, 0.9], np.float32), np.array([0, 1])))
        writer.write(1, 0.1, Detections.empty())
    scene = read_multiview(recorded(tmp_path, [Camera("a", detections=tmp_path / "d.parquet")]), "recording")
    assert scene.detections["a"].boxes.xyxy.tolist() == [[1, 2, 3, 4]]
    assert len(scene.detections["a"]) == 2
    assert not scene.labels


def test_a_recording_without_cameras_is_a_scene(tmp_path: Path) -> None:
    scene = read_multiview(recorded(tmp_path, []), "recording")
    assert not scene.cameras
    assert len(scene.truth) == 0


def test_a_table_without_names_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"frame": [0], "time_s": [0.0]}), tmp_path / "a.parquet")
    path = recorded(tmp_path, [Camera("a", truth=tmp_path / "a.parquet")])
    with pytest.raises(DataError, match=r"a\.parquet, key 'name'"):
        read_multiview(path, "recording")


def test_frames_out_of_order_are_refused(tmp_path: Path) -> None:
    table = truth_table(tmp_path / "a.parquet", [(1, "zoe", 5.0, 1.0), (0, "zoe", 5.0, 1.0)])
    path = recorded(tmp_path, [Camera("a", truth=table)])
    with pytest.raises(DataError, match=r"a\.parquet, row 2, key 'time_s'"):
        read_multiview(path, "recording")
