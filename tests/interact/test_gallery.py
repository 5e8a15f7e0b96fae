from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocv.core import DataError
from gocv.interact.gallery import Gallery

X, Y, Z = np.eye(3)


def test_a_prototype_is_the_mean_of_the_catalogue_vectors() -> None:
    gallery = Gallery(["tea", "cup", "tea"], [X, Z, 5 * Y])
    assert gallery.products == ("cup", "tea")
    np.testing.assert_allclose(gallery.prototypes(), [Z, (X + Y) / np.sqrt(2)], atol=1e-6)


def test_what_is_learnt_draws_the_prototype_to_it_and_counts_once_an_event() -> None:
    gallery = Gallery(["tea", "cup"], [X, Z])
    assert gallery.learn("tea", [Y, Y, Y])
    np.testing.assert_allclose(gallery.prototypes()[1], (2 * X + Y) / np.sqrt(5), atol=1e-6)
    np.testing.assert_allclose(gallery.prototypes()[0], Z)
    assert gallery.learnt().tolist() == [0, 1]


def test_only_the_newest_events_are_kept() -> None:
    gallery = Gallery(["tea"], [X], most=2)
    for look in (Y, Z, Z):
        gallery.learn("tea", [look])
    np.testing.assert_allclose(gallery.prototypes()[0], (X + Z) / np.sqrt(2), atol=1e-6)


def test_an_unknown_product_is_not_learnt() -> None:
    gallery = Gallery(["tea"], [X])
    assert not gallery.learn("gold", [Y])
    assert not gallery.learn("tea", np.empty((0, 3)))
    assert gallery.learnt().tolist() == [0]


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    gallery = Gallery(["tea", "cup", "tea"], [X, Z, Y], most=3)
    gallery.learn("cup", [Y])
    gallery.save(tmp_path / "gallery.safetensors")
    loaded = Gallery.load(tmp_path / "gallery.safetensors")
    assert loaded.products == gallery.products
    np.testing.assert_array_equal(loaded.prototypes(), gallery.prototypes())
    for _ in range(3):
        loaded.learn("cup", [X])
    assert loaded.learnt().tolist() == [3, 0]


@pytest.mark.parametrize("content", [b"", b"no safetensors at all"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DataError, match=r"Gallery\.save"):
        Gallery.load(tmp_path / "file")


@pytest.mark.parametrize("vectors", [[[0.0, 0.0, 0.0]], [[np.nan, 1.0, 0.0]], [[1.0, 0, 0], [0, 1.0, 0]], [1.0, 2.0]])
def test_vectors_that_are_no_directions_are_refused(vectors: list[list[float]]) -> None:
    with pytest.raises(DataError):
        Gallery(["tea"], vectors)
