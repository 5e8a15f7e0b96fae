"""Labels of MERL Shopping."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat

from gocv.core import DataError
from gocv.data.merl import MERL_ACTIONS, merl_split, read_merl


def write(path, tables) -> None:
    cells = np.empty((len(tables), 1), object)
    for i, table in enumerate(tables):
        cells[i, 0] = np.array(table, float).reshape(-1, 2)
    savemat(path, {"tlabs": cells})


def test_frames_count_from_0_and_spans_end_before_their_stop(tmp_path) -> None:
    write(tmp_path / "27_2_label.mat", [[[3, 5]], [[6, 6]], [], [], [[5, 7]]])
    (video,) = read_merl(tmp_path)
    assert (video.name, video.subject, video.part) == ("27_2", 27, "test")
    assert list(zip(video.label.tolist(), video.first.tolist(), video.stop.tolist(), strict=True)) == [
        (0, 2, 5),
        (1, 5, 6),
        (4, 4, 7),
    ]
    assert video.frames(8).tolist() == [-1, -1, 0, 0, 4, 1, 4, -1]


def test_the_labels_are_those_of_106_videos_split_by_subject(shared_data) -> None:
    videos = read_merl(shared_data / "merl_labels")
    assert [len(merl_split(videos, part)) for part in ("train", "val", "test")] == [60, 18, 28]
    assert len({video.subject for video in videos}) == 41
    assert [video.name for video in videos[:4]] == ["1_1", "1_2", "1_3", "2_1"]
    counts = np.bincount(np.concatenate([video.label for video in videos]), minlength=len(MERL_ACTIONS))
    assert counts.tolist() == [1711, 1621, 562, 674, 809]


@pytest.mark.parametrize(
    ("name", "tables", "message"),
    [
        ("1_1", [[[0, 5]], [], [], [], []], "no span of frames"),
        ("1_1", [[[7, 5]], [], [], [], []], "no span of frames"),
        ("1_1", [[[1.5, 5]], [], [], [], []], "no span of frames"),
        ("1_1", [[], []], "2 tables"),
        ("42_1", [[], [], [], [], []], "no subject 42"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path, name, tables, message) -> None:
    write(tmp_path / f"{name}_label.mat", tables)
    with pytest.raises(DataError, match=f"{name}_label.mat.*{message}"):
        read_merl(tmp_path)


def test_no_labels_and_no_mat_file_are_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="holds no labels"):
        read_merl(tmp_path)
    (tmp_path / "1_1_label.mat").write_text("text")
    with pytest.raises(DataError, match="cannot be read"):
        read_merl(tmp_path)
