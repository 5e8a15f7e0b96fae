from __future__ import annotations

import numpy as np
import pytest

from gocv.detect.pose.crops import GREY, cut, to_frame, windows

SIZE = (48, 40)


@pytest.mark.parametrize(
    ("box", "wanted"),
    [
        ([100, 100, 120, 148], [90, 100, 130, 148]),
        ([100, 100, 180, 110], [100, 57, 180, 153]),
        ([10, 10, 10, 10], [10 - 5 / 12, 9.5, 10 + 5 / 12, 10.5]),
    ],
)
def test_windows_hold_the_box_in_the_proportions_of_the_input(box: list[float], wanted: list[float]) -> None:
    assert windows([box], SIZE, 1.0)[0] == pytest.approx(wanted)


def test_there_may_be_no_windows() -> None:
    none = windows(np.empty((0, 4)), SIZE, 1.25)
    assert none.shape == (0, 4)
    assert cut(np.zeros((9, 9, 3), np.uint8), none, SIZE).shape == (0, *SIZE, 3)


@pytest.mark.parametrize("box", [[60, 30, 70, 55], [0, 0, 20, 40], [150, 70, 199, 99], [-30, -20, 260, 140]])
def test_a_dot_is_where_the_way_back_says(box: list[float]) -> None:
    """A bright square around a pixel of the frame is found again from where it lies in the crop."""
    image = np.zeros((100, 200, 3), np.uint8)
    x, y = int(np.clip((box[0] + box[2]) / 2 + 3, 4, 195)), int(np.clip((box[1] + box[3]) / 2 - 2, 4, 95))
    image[y - 3 : y + 4, x - 3 : x + 4] = 255
    parts = windows([box], (192, 160), 1.25)
    (crop,) = cut(image, parts, (192, 160))
    rows, columns = np.nonzero(crop[..., 0] > 180)
    (back,) = to_frame([[[columns.mean(), rows.mean()]]], parts, (192, 160))[0]
    assert back == pytest.approx([x, y], abs=0.6 * (parts[0, 2] - parts[0, 0]) / 160 + 0.05)


def test_beyond_the_picture_all_is_grey() -> None:
    image = np.full((50, 50, 3), 200, np.uint8)
    (crop,) = cut(image, np.array([[-20.0, 1.0, 20.0, 49.0]]), SIZE)
    assert np.unique(crop[:, :20]).tolist() == [GREY]
    assert np.unique(crop[:, 20:]).tolist() == [200]
    (outside,) = cut(image, np.array([[60.0, 1.0, 100.0, 49.0]]), SIZE)
    assert np.unique(outside).tolist() == [GREY]
