from __future__ import annotations

import copy
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from gocv.core import ConfigError, DataError
from gocv.interact.products import ProductEncoder, ProductLikelihood, gallery_of
from gocv.interact.products.encoder import SHIPPED, squeezed
from gocv.interact.products.export import export_onnx
from gocv.interact.products.made_up import package
from gocv.interact.products.model import ProductModel

PICTURES = [package(4 * number)[0] for number in range(5)]


def test_the_file_gives_the_networks_vectors_for_pictures_of_any_size(weights: Path, model: ProductModel) -> None:
    encoder = ProductEncoder(weights, batch=2, threads=1)
    found = encoder.encode(PICTURES)
    crops = np.stack([squeezed(one, 32) for one in PICTURES])
    with torch.inference_mode():
        wanted = model(torch.from_numpy(crops).permute(0, 3, 1, 2).float()).numpy()
    assert found.shape == (5, 8)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    assert (found * wanted).sum(axis=1).min() > 0.9999
    assert encoder.encode([]).shape == (0, 8)
    assert (np.abs(found @ found.T - 1) > 1e-3)[np.triu_indices(5, 1)].all()


def test_the_file_is_small_and_says_nothing_of_this_machine(weights: Path) -> None:
    content = weights.read_bytes()
    assert len(content) < 3_000_000
    assert str(Path(__file__).parents[3]).encode() not in content


def test_a_file_that_gives_other_vectors_is_refused(
    model: ProductModel, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter's answer is that of another network, whose last layer is another."""
    other = copy.deepcopy(model)
    torch.nn.init.normal_(other.reduce.weight)
    monkeypatch.setattr(torch.onnx, "export", lambda _, __, file, **___: shutil.copy(weights, file))
    with pytest.raises(DataError, match="cosine"):
        export_onnx(other, tmp_path / "m.onnx", {})
    assert list(tmp_path.iterdir()) == []
    assert export_onnx(model, tmp_path / "m.onnx", {}) > 0.9999


@pytest.mark.parametrize("content", [None, b"", b"nothing"])
def test_what_is_no_network_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "m.onnx"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=r"m\.onnx"):
        ProductEncoder(file)


@pytest.mark.parametrize(
    "picture", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused_by_its_row(weights: Path, picture: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(DataError, match="row 1"):
        ProductEncoder(weights).encode([PICTURES[0], picture])
    with pytest.raises(ConfigError, match="batch"):
        ProductEncoder(weights, batch=0)


def test_a_gallery_of_pictures_knows_them(weights: Path) -> None:
    encoder = ProductEncoder(weights, threads=1)
    said = ProductLikelihood(50.0, -40.0, -0.5, encoder.name)
    gallery = gallery_of(encoder, {f"p{i}": [one] for i, one in enumerate(PICTURES)}, said)
    found = gallery.match(encoder.encode(PICTURES))
    assert found.probability.argmax(axis=1).tolist() == list(range(5))
    with pytest.raises(DataError, match="fitted to encoder"):
        gallery_of(encoder, {}, ProductLikelihood(1.0, 0.0, 0.0, "other"))


def test_the_encoder_that_comes_with_gocv_fits_its_likelihood_and_knows_a_package_again() -> None:
    encoder, said = ProductEncoder(threads=1), ProductLikelihood.shipped()
    assert said.encoder == encoder.name
    assert SHIPPED.stat().st_size <= 4_000_000
    gallery = gallery_of(encoder, {f"p{i}": [one] for i, one in enumerate(PICTURES)})
    darker = [(0.7 * one[5:-5, 5:-5]).astype(np.uint8) for one in PICTURES]
    assert gallery.match(encoder.encode(darker)).probability.argmax(axis=1).tolist() == list(range(5))
