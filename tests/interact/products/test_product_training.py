from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gocv.core import ConfigError
from gocv.data.products import read_grocerystore
from gocv.interact.products import training
from gocv.interact.products.losses import ProductLoss, ProductLossSettings
from gocv.interact.products.made_up import cut_out, package, set_before
from gocv.interact.products.model import ProductModel
from gocv.interact.products.pictures import ProductAugmentSettings, TrainingPictures
from gocv.interact.products.training import ProductData, ProductTrainSettings, train_product

LOOP = {"accelerator": "cpu", "devices": 1, "tensorboard": False}
STEADY = {"kind": "constant", "warmup_epochs": 0.0}


def settings(root: Path, **changes: Any) -> ProductTrainSettings:
    values = {
        "data": {"root": str(root), "made_up": 2},
        "model": {"size_px": 32, "vector": 8},
        "frozen": 14,
        "batch": {"products": 4, "pictures": 2},
        "loop": LOOP,
        **changes,
    }
    return ProductTrainSettings.model_validate(values)


def test_a_training_that_was_killed_goes_on_to_the_same_weights(
    grocery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written to ONNX has a test of its own; here its place is taken by the weights as they are."""
    written: dict[str, ProductModel] = {}

    def keep(model: ProductModel, path: Path, about: dict[str, Any]) -> None:
        written[path.parent.name] = copy.deepcopy(model)
        assert about["settings"]["data"]["root"] == grocery.name  # and no place on somebody's machine

    monkeypatch.setattr(training, "export_onnx", keep)
    one, two = (settings(grocery, loop={**LOOP, "epochs": epochs}, schedule=STEADY) for epochs in (1, 2))
    assert train_product(two, tmp_path / "whole") == tmp_path / "whole" / "model.onnx"
    train_product(one, tmp_path / "halves")
    first = copy.deepcopy(written["halves"])
    train_product(two, tmp_path / "halves")
    whole, halves = (written[name].state_dict() for name in ("whole", "halves"))
    assert all(torch.equal(value, whole[key]) for key, value in halves.items())
    assert not torch.equal(first.reduce.weight, written["whole"].reduce.weight)
    stayed = [[bool((a == b).all()) for a, b in zip(*pair, strict=True)] for pair in parts_of(first, written["whole"])]
    assert all(stayed[0])
    assert not any(stayed[1])
    with pytest.raises(ConfigError, match="when this training began"):
        train_product(settings(grocery, frozen=15, loop={**LOOP, "epochs": 3}), tmp_path / "whole")


def parts_of(one: ProductModel, other: ProductModel) -> list[tuple[list[torch.Tensor], list[torch.Tensor]]]:
    """Weights of both in the last frozen part of the trunk, and in the first that learns."""
    kept, learning = ([list(m.trunk[row].parameters()) for m in (one, other)] for row in (13, 14))
    return [(kept[0], kept[1]), (learning[0], learning[1])]


@pytest.mark.parametrize(
    ("data", "key"), [({"root": ""}, "data.root"), ({"root": "x", "left_out": 3}, "data.left_out")]
)
def test_settings_that_do_not_fit_are_refused(tmp_path: Path, data: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        train_product(settings(tmp_path, data=data), tmp_path / "run")


def test_products_that_are_left_out_are_not_learnt_and_are_scored(grocery: Path) -> None:
    data = ProductData(settings(grocery, data={"root": str(grocery), "parts": 3, "left_out": 1}))
    assert set(data.pictures.product.tolist()) == {0, 2, 3, 5}
    assert set(data.scored.train.product.tolist()) == set(data.scored.catalogue.product.tolist()) == {1, 4}


def test_the_same_row_and_seed_give_the_same_picture(grocery: Path) -> None:
    dataset = read_grocerystore(grocery)
    rows = TrainingPictures(dataset.train, dataset.catalogue, 3, 32, ProductAugmentSettings())
    assert rows.products == 9
    for row in (0, len(dataset.train), len(rows) - 1):
        image, product = rows[row, 5]
        assert (image == rows[row, 5][0]).all()
        assert not (image == rows[row, 6][0]).all()
        assert image.shape == (32, 32, 3)
        assert product == rows.product[row]
    assert (rows.source == 1).sum() == 6


def test_the_margin_makes_the_right_product_harder() -> None:
    torch.manual_seed(0)
    product = torch.tensor([0, 0, 1, 1])
    given = {"contrastive": 0.0, "smoothing": 0.0}
    plain = ProductLoss(ProductLossSettings(margin=0.0, **given), 3, 4)
    strict = ProductLoss(ProductLossSettings(margin=0.3, **given), 3, 4)
    strict.load_state_dict(plain.state_dict())
    vectors = torch.nn.functional.normalize(torch.randn(4, 4), dim=1)
    cosine = vectors @ torch.nn.functional.normalize(plain.proxies, dim=1).T
    wanted = torch.nn.functional.cross_entropy(16 * cosine, product)
    assert torch.allclose(plain(vectors, product)["proxy"], wanted)
    assert strict(vectors, product)["proxy"] > plain(vectors, product)["proxy"]


def test_sister_packages_share_a_layout_and_are_not_the_same() -> None:
    one, sister, stranger = package(0)[0], package(1)[0], package(4)[0]
    assert one.shape == sister.shape
    assert (one == sister).all(axis=2).mean() > 0.2
    assert not (one == sister).all()
    assert stranger.shape != one.shape or (one == stranger).all(axis=2).mean() < (one == sister).all(axis=2).mean()


def test_a_product_is_cut_out_of_white_and_set_before_a_background() -> None:
    picture = np.full((60, 40, 3), 255, np.uint8)
    picture[10:50, 5:35] = (200, 30, 30)
    picture[20:30, 10:20] = 255  # white inside stays
    mask = cut_out(picture)
    assert mask[10:50, 5:35].all()
    assert mask.sum() == 40 * 30
    background = np.full((80, 80, 3), (0, 0, 90), np.uint8)
    found = set_before(picture, mask, background, np.random.default_rng(0))
    red = (found == (200, 30, 30)).all(axis=2)
    assert 0.05 < red.mean() < 0.7
    assert (found == (0, 0, 90)).all(axis=2).mean() > 0.2
    assert (set_before(picture, mask & False, background, np.random.default_rng(0)) == background).all()
