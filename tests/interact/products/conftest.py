"""A small network and small pictures of products."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gocv.interact.products import ProductModelConfig
from gocv.interact.products.export import export_onnx
from gocv.interact.products.made_up import package
from gocv.interact.products.model import ProductModel


@pytest.fixture(scope="session")
def model() -> ProductModel:
    """Of random weights that 8 bits hold exactly: rounding errors grow in networks that have learnt nothing."""
    torch.manual_seed(0)
    made = ProductModel(ProductModelConfig(size_px=32, vector=8))
    with torch.no_grad():
        for part in made.modules():
            if isinstance(part, nn.Conv2d | nn.Linear):
                scale = part.weight.abs().amax(tuple(range(1, part.weight.ndim)), keepdim=True) / 127
                part.weight.copy_((part.weight / scale).round() * scale)
            if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
                part.momentum = None
        made.train()(torch.rand(16, 3, 32, 32) * 255)
    return made.eval()


@pytest.fixture(scope="session")
def weights(model: ProductModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "model.onnx"
    export_onnx(model, file, {"note": "random"})
    return file


@pytest.fixture(scope="session")
def grocery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six made-up products in the tree of GroceryStoreDataset: a catalogue picture, and four and two noisy ones."""
    root, rng = tmp_path_factory.mktemp("grocery"), np.random.default_rng(0)
    rows = ["Class Name (str),Class ID (int),Coarse Class Name (str),Coarse Class ID (int),Iconic Image Path (str)"]
    for number in range(6):
        name, front = f"product-{number}", package(4 * number)[0]
        rows.append(f"{name},{number},Milk,0,/iconic/{name}.png")
        for part, count in (("iconic", 0), ("train", 4), ("val", 2)):
            files = [root / part / name / f"{i}.png" for i in range(count)] or [root / part / f"{name}.png"]
            for file in files:
                file.parent.mkdir(parents=True, exist_ok=True)
                noisy = np.clip(front + rng.normal(0, 20 * bool(count), front.shape), 0, 255).astype(np.uint8)
                Image.fromarray(noisy).resize((60, 80)).save(file)
    (root / "classes.csv").write_text("\n".join(rows))
    return root
