from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gocv.core import DataError
from gocv.interact.catalogue import catalogue_crop, read_catalogue


def picture(colour: tuple[int, int, int], box: tuple[int, int, int, int], side: int = 100) -> np.ndarray:
    found = np.full((side, side, 3), 255, np.uint8)
    left, top, right, bottom = box
    found[top:bottom, left:right] = colour
    return found


@pytest.mark.parametrize("box", [(10, 10, 30, 50), (60, 20, 90, 80)])
def test_a_pack_is_cut_out_and_laid_on_grey_in_one_size(box: tuple[int, int, int, int]) -> None:
    crop = catalogue_crop(picture((200, 0, 0), box), 48)
    red = (crop[..., 0] > 190) & (crop[..., 1] < 10)
    rows = np.flatnonzero(red.any(axis=1))
    assert rows[-1] - rows[0] + 1 == pytest.approx(0.45 * 48, abs=2)
    assert (crop[0] == crop[0, 0]).all()
    assert not (crop > 240).all(axis=2).any(), "no white of the background is left"
    columns = np.flatnonzero(red.any(axis=0))
    assert (rows[0] + rows[-1]) / 2 == pytest.approx(23.5, abs=1)
    assert (columns[0] + columns[-1]) / 2 == pytest.approx(23.5, abs=1)


def test_a_picture_without_background_is_all_pack() -> None:
    crop = catalogue_crop(np.full((20, 20, 3), 77, np.uint8), 48)
    assert (crop[24, 24] == 77).all()


def test_a_product_has_all_pictures_that_bear_its_id(tmp_path: Path) -> None:
    for name in ("tea.png", "tea-2.png", "tea-extra.png", "iced-tea-3.jpg", "cup.png", "milk.txt"):
        if name.endswith(".txt"):
            (tmp_path / name).write_text("no picture")
        else:
            Image.fromarray(picture((0, 0, 200), (10, 10, 50, 50))).save(tmp_path / name)
    products, crops = read_catalogue(tmp_path, {"tea", "iced-tea", "milk"}, 32)
    assert products == ("iced-tea", "tea", "tea")
    assert crops.shape == (3, 32, 32, 3)
    assert read_catalogue(tmp_path, set(), 32)[1].shape == (0, 32, 32, 3)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="PRODUCT_ID"):
        read_catalogue(tmp_path / "none", {"tea"}, 32)
