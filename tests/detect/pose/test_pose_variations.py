from __future__ import annotations

import numpy as np
import pytest

from gocv.data.poses import COCO17
from gocv.detect.pose.variations import MIRRORED, Variations, VariationSettings

SIZE = (192, 160)
BOX = np.array([60.0, 20.0, 140.0, 180.0], np.float32)
PLAIN = {"colour": 0.0, "blur": 0.0, "compress": 0.0, "coarse": 0.0, "cover": 0.0}


def picture(place: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A bright dot on black, and all keypoints on it."""
    image = np.zeros((200, 200, 3), np.uint8)
    x, y = place
    image[y - 2 : y + 3, x - 2 : x + 3] = 255
    return image, np.tile(np.array([x, y], np.float32), (17, 1))


@pytest.mark.parametrize("seed", range(12))
def test_keypoints_move_with_the_picture(seed: int) -> None:
    image, points = picture((105, 90))
    vary = Variations(VariationSettings(**PLAIN, turn=0.7, part=0.3), SIZE)
    ones = np.ones(17, np.float32)
    found = vary(image, BOX, points, ones, ones, seed)
    if not found.weight[0]:
        pytest.skip("the dot is beyond the crop")
    bright = found.crop[..., 0] > 170
    rows, columns = np.nonzero(bright)
    assert found.points[0] == pytest.approx([columns.mean(), rows.mean()], abs=0.8)


def test_a_mirror_image_has_left_and_right_exchanged() -> None:
    assert [COCO17[i] for i in MIRRORED[:3]] == ["nose", "r_eye", "l_eye"]
    assert [COCO17[i] for i in MIRRORED[9:11]] == ["r_wrist", "l_wrist"]
    image, points = picture((100, 100))
    seen = np.arange(17, dtype=np.float32) / 17
    vary = Variations(VariationSettings(**PLAIN, mirror=1.0, turn=0, lean_deg=0, scale=0, shift=0, part=0), SIZE)
    points[9] = [120, 100]
    found = vary(image, BOX, points, seen, np.ones(17, np.float32), 0)
    assert found.seen == pytest.approx(seen[list(MIRRORED)])
    assert found.points[10, 0] < found.points[9, 0]


def test_the_same_seed_varies_alike_and_another_otherwise() -> None:
    image, points = picture((100, 100))
    ones, vary = np.ones(17, np.float32), Variations(VariationSettings(), SIZE)
    one, again, other = (vary(image, BOX, points, ones, ones, seed) for seed in (4, 4, 5))
    assert np.array_equal(one.crop, again.crop)
    assert np.array_equal(one.points, again.points)
    assert not np.array_equal(one.crop, other.crop)


def test_what_is_cut_off_counts_nothing_and_is_not_seen() -> None:
    image, points = picture((100, 100))
    points[0] = [2, 2]
    ones = np.ones(17, np.float32)
    found = Variations(None, SIZE)(image, np.array([90, 90, 110, 110], np.float32), points, ones, ones, 0)
    assert (found.weight[0], found.seen[0]) == (0, 0)
    assert (found.weight[1], found.seen[1]) == (1, 1)


def test_what_a_rectangle_covers_is_not_seen() -> None:
    image, points = picture((100, 100))
    ones = np.ones(17, np.float32)
    vary = Variations(VariationSettings(**{**PLAIN, "cover": 1.0}, part=0, shift=0, scale=0), SIZE)
    found = [vary(image, BOX, points, ones, ones, seed) for seed in range(60)]
    hidden = [one for one in found if one.seen[0] == 0]
    assert 3 < len(hidden) < 50
    assert all(0 < one.weight[0] < 1 for one in hidden)
    assert all(one.weight[0] == 1 for one in found if one.seen[0] == 1)
