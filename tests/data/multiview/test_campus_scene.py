"""CAMPUS Auditorium: two calibrated views place the same people alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocv.core import DataError
from gocv.data.multiview import MultiviewScene, read_campus, read_multiview
from gocv.geometry import iou

EDGE_PX = 8


@pytest.fixture(scope="module")
def campus(shared_data: Path) -> MultiviewScene:
    return read_multiview(shared_data / "campus_auditorium", "campus")


def places(scene: MultiviewScene, name: str) -> dict[tuple[int, int], np.ndarray]:
    """Where the feet of boxes that keep clear of the picture's border meet the floor, by frame and person."""
    labels, camera = scene.labels[name], scene.cameras[name]
    xyxy = labels.boxes.xyxy.astype(float)
    clear = (xyxy[:, :2] >= EDGE_PX).all(axis=1)
    clear &= (xyxy[:, 2:] <= np.array([1920, 1080]) - EDGE_PX).all(axis=1)
    xy_m = camera.pixels_to_floor(np.stack([xyxy[:, [0, 2]].mean(axis=1), xyxy[:, 3]], axis=1))
    frame = np.repeat(labels.frame, np.diff(labels.first_row))
    rows = zip(frame[clear].tolist(), labels.track_id[clear].tolist(), xy_m[clear], strict=True)
    return {(number, person): place for number, person, place in rows}


def test_two_views_place_the_same_person_alike(campus: MultiviewScene) -> None:
    """0.30 m in the median over the boxes that keep clear of the border in both views, hidden in part or not."""
    one, other = places(campus, "HC3"), places(campus, "HC4")
    apart_m = np.array([np.linalg.norm(one[key] - other[key]) for key in one.keys() & other.keys()])
    assert len(apart_m) > 1500
    assert np.median(apart_m) < 0.35
    assert np.percentile(apart_m, 90) < 0.8


def test_the_views_share_one_clock(campus: MultiviewScene) -> None:
    """Half a second off, either way, the two views agree worse."""
    one, other = places(campus, "HC3"), places(campus, "HC4")

    def apart_m(later: int) -> float:
        moved = {(frame + later, person): place for (frame, person), place in other.items()}
        return float(np.median([np.linalg.norm(one[key] - moved[key]) for key in one.keys() & moved.keys()]))

    assert apart_m(0) < 0.85 * min(apart_m(-15), apart_m(15))


def test_detections_are_of_the_frames_of_the_labels(campus: MultiviewScene) -> None:
    """Labels find a detection that overlaps them more at the same frame number than a third of a second off."""
    for name, labels in campus.labels.items():
        found = campus.detections[name]
        assert len(found.frame) == len(labels.frame)
        np.testing.assert_allclose(found.time_s, labels.time_s)

        def overlap(later: int, labels=labels, found=found) -> float:
            frames = range(100, 5300, 40)
            pairs = [(labels.detections(f).xyxy, found.detections(f + later).xyxy) for f in frames]
            return float(np.mean(np.concatenate([iou(a, b).max(axis=1) for a, b in pairs if len(a) and len(b)])))

        assert overlap(0) > max(overlap(-10), overlap(10)), name
        assert overlap(0) > 0.4, name


def test_auditorium_is_whole(campus: MultiviewScene) -> None:
    assert {name: camera is not None for name, camera in campus.cameras.items()} == {
        "HC3": True,
        "HC4": True,
        "IP2": False,
        "IP5": False,
    }
    assert {name: len(labels.boxes) for name, labels in campus.labels.items()} == {
        "HC3": 13_694,
        "HC4": 3_262,
        "IP2": 44_223,
        "IP5": 72_989,
    }
    assert {name: len(found.boxes) for name, found in campus.detections.items()} == {
        "HC3": 9_909,
        "HC4": 3_767,
        "IP2": 36_093,
        "IP5": 41_746,
    }
    assert [len(labels) for labels in campus.labels.values()] == [5458, 5458, 5457, 5457]
    assert campus.area_m is None


def test_the_floor_truth_is_the_mean_over_views(campus: MultiviewScene) -> None:
    one, other, truth = places(campus, "HC3"), places(campus, "HC4"), campus.truth
    keys = zip(np.rint(truth.time_s * 30_000 / 1_001).astype(int).tolist(), truth.person.tolist(), strict=True)
    expected = [np.mean([side[key] for side in (one, other) if key in side], axis=0) for key in keys]
    np.testing.assert_allclose(truth.xy_m, expected, atol=1e-9)
    assert len(truth) == len(one.keys() | other.keys())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1 0 0 9 9 0 0 0 0", "has 9 columns"),
        ('1 0 0 9 nine 0 0 0 0 "PERSON"', "no number"),
        ('1 0 0 0 9 0 0 0 0 "PERSON"', "will not do"),
        ('1.5 0 0 9 9 0 0 0 0 "PERSON"', "will not do"),
        ('7 0 0 9 9 3 0 0 0 "PERSON"', "in this frame already"),
    ],
)
def test_a_wrong_row_of_labels_is_named(shared_data: Path, tmp_path: Path, line: str, expected: str) -> None:
    (tmp_path / "cam_param.mat").write_bytes((shared_data / "campus_auditorium/cam_param.mat").read_bytes())
    (tmp_path / "view-HC3.txt").write_text(f'7 0 0 9 9 3 0 0 0 "PERSON"\n3 0 0 9 9 0 0 0 0 "CAR"\n{line}\n')
    with pytest.raises(DataError, match=expected) as error:
        read_campus(tmp_path)
    assert "view-HC3.txt" in str(error.value)
    assert "row 3" in str(error.value) or "no number" in str(error.value)


def test_broken_detections_are_named(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "cam_param.mat").write_bytes((shared_data / "campus_auditorium/cam_param.mat").read_bytes())
    (tmp_path / "view-HC3.txt").write_text("")
    (tmp_path / "view-HC3-rendered.detections.json.gz").write_text("{}")
    with pytest.raises(DataError, match=r"json\.gz.*gzip"):
        read_campus(tmp_path)


def test_a_folder_without_views_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"view-NAME\.txt"):
        read_campus(tmp_path)
