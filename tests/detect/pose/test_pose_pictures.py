from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gocv.core import DataError
from gocv.detect.pose.pictures import PosePictures, joined, read_pose_pictures, write_pose_pictures


def table(n: int = 3) -> PosePictures:
    return PosePictures(
        picture=np.array([f"pictures/{i}.jpg" for i in range(n)], dtype=np.str_),
        source=np.array(["here"] * n, dtype=np.str_),
        xyxy=np.tile([0.0, 0.0, 10.0, 20.0], (n, 1)),
        keypoints_px=np.ones((n, 17, 2)),
        seen=np.ones((n, 17)),
        weight=np.ones((n, 17)),
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_pose_pictures(tmp_path, table())
    found = read_pose_pictures(tmp_path)
    assert [Path(name).relative_to(tmp_path).as_posix() for name in found.picture] == list(table().picture)
    assert np.array_equal(found.keypoints_px, table().keypoints_px)
    assert len(joined([found, found[np.array([0])]])) == 4


def test_a_place_that_counts_must_be_one() -> None:
    wrong = np.ones((3, 17, 2))
    wrong[1, 4] = np.nan
    with pytest.raises(DataError, match="row 2, key 'keypoints_px'"):
        dataclasses.replace(table(), keypoints_px=wrong)
    dataclasses.replace(table(), keypoints_px=wrong, weight=np.zeros((3, 17)))


def test_what_is_wrong_with_a_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        read_pose_pictures(tmp_path)
    np.savez(tmp_path / "poses.npz", picture=np.array(["a"]))
    with pytest.raises(DataError, match="source"):
        read_pose_pictures(tmp_path)
    (tmp_path / "poses.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read"):
        read_pose_pictures(tmp_path)
    with pytest.raises(DataError, match="at least one"):
        joined([])
