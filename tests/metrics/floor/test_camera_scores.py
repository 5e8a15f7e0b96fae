"""Identities in the pictures of several cameras."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import DataError
from gocv.metrics.floor import CameraBoxes, score_cameras


def boxes(*rows: tuple[int, int, float]) -> CameraBoxes:
    """Frame, identity and left edge of boxes of one size."""
    table = np.array(rows, np.float64).reshape(-1, 3)
    corner = np.stack([table[:, 2], np.zeros(len(table))], axis=1)
    return CameraBoxes(table[:, 0], table[:, 1], np.concatenate([corner, corner + np.array([20, 50])], axis=1))


TRUTH = {name: boxes(*((frame, 1, 0.0) for frame in range(4))) for name in ("left", "right")}


@pytest.mark.parametrize(("of_right", "idf1"), [(7, 1.0), (8, 0.5)])
def test_pooled_scores_know_whether_cameras_agree_on_an_identity(of_right: int, idf1: float) -> None:
    found = {
        "left": boxes(*((frame, 7, 1.0) for frame in range(4))),
        "right": boxes(*((frame, of_right, 1.0) for frame in range(4))),
    }
    got = score_cameras(TRUTH, found)
    assert [one.idf1 for one in got.cameras.values()] == [1.0, 1.0]
    assert got.pooled.idf1 == idf1
    assert got.pooled.mota == 1  # CLEAR follows nobody from one camera to another


def test_a_camera_that_found_nobody_misses_everybody() -> None:
    got = score_cameras(TRUTH, {"left": TRUTH["left"]})
    assert got.cameras["right"].idr == 0
    assert (got.pooled.idr, got.pooled.idp) == (0.5, 1)


def test_frames_of_different_cameras_are_different_frames() -> None:
    truth = {"left": boxes((5, 1, 0.0)), "right": boxes((5, 2, 0.0))}
    found = {"left": boxes((5, 2, 0.0)), "right": boxes((5, 2, 0.0))}
    assert score_cameras(truth, found).pooled.idf1 == 0.5


def test_no_labels_are_refused() -> None:
    with pytest.raises(DataError, match="no camera has labelled boxes"):
        score_cameras({}, TRUTH)


def test_an_identity_twice_in_a_frame_is_refused_and_the_camera_named() -> None:
    with pytest.raises(DataError, match="camera left: found has id 3 more than once in frame 0"):
        score_cameras(TRUTH, {"left": boxes((0, 3, 0.0), (0, 3, 30.0))})
