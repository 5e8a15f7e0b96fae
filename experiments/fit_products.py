"""Fit what a cosine with a product's pictures says, on products that the encoder did not learn from.

    python experiments/fit_products.py --root ../shared/data/grocerystore_packages --part 0 \
        --model runs/products/fold0/model.onnx

Photos of the training split are looked up in galleries of half of those products: filled from the catalogue alone, and
with photos from the first half of each product's besides, when those of the second half are asked for. The other half
of the products is what none of the gallery's looks like. All photos are varied as while learning: those of one product
look as if taken in one place, and other stores differ more. The result lies beside the model, or at
`--output`, where it is for `--encoder`: the encoder that comes with gocv learnt from all products, by the same recipe.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gocv.bench.products import encode
from gocv.data.files import write_json
from gocv.data.products import read_grocerystore
from gocv.interact.products import ProductEncoder, Trial, fit_likelihood
from gocv.interact.products.pictures import ProductAugmentSettings, augmentation

DRAWS = 40
PHOTOS = ((0,), (0, 1, 3, 8))
"""Photos of a product beside its catalogue picture: none of any, or as many as are drawn for each."""

LEAST = 0.4
"""Of a photo's area, so that most of the product is in it."""


def trial(
    product: NDArray[np.int64],
    vectors: NDArray[np.float32],
    varied: NDArray[np.float32],
    fronts: dict[int, NDArray[np.float32]],
    photos: tuple[int, ...],
    rng: np.random.Generator,
) -> Trial:
    """A gallery of the catalogue and, of each product, as many photos as are drawn from `photos`."""
    known = np.unique(product)
    place = np.concatenate([np.arange(n) / n for n in np.unique(product, return_counts=True)[1]])
    enrolled = np.sort(rng.choice(known, len(known) // 2, replace=False))
    asked = place >= (0.5 if any(photos) else 0.0)
    columns, counts = [], []
    for one in enrolled:
        own = rng.choice(np.flatnonzero((product == one) & (place < 0.5)), rng.choice(photos), replace=False)
        gallery = np.concatenate([fronts[one], vectors[own]])
        columns.append((varied[asked] @ gallery.T).max(axis=1))
        counts.append(len(gallery))
    answer = np.searchsorted(enrolled, product[asked])
    answer = np.where(np.isin(product[asked], enrolled), answer, -1)
    return Trial(np.stack(columns, axis=1), np.array(counts), answer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=3)
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    encoder, data = ProductEncoder(given.model, threads=1), read_grocerystore(given.root)
    chosen = np.arange(len(data.products)) % given.parts == given.part
    order = np.argsort(data.train.product, kind="stable")
    photos = data.train[order][chosen[data.train.product[order]]]
    vary = augmentation(ProductAugmentSettings(least=LEAST), encoder.config.size_px)
    vary.set_random_seed(0)
    vectors, varied = (
        encoder.encode([vary(image=photos.picture(row))["image"] for row in range(len(photos))]) for _ in range(2)
    )
    fronts = {int(one): encode(encoder, data.catalogue[[int(one)]], 1.0, "catalogue") for one in np.flatnonzero(chosen)}
    rng = np.random.default_rng(0)
    trials = [trial(photos.product, vectors, varied, fronts, n, rng) for n in PHOTOS for _ in range(DRAWS)]
    name = ProductEncoder(given.encoder, threads=1).name if given.encoder else encoder.name
    found = fit_likelihood(trials, encoder=name)
    made = {"products": len(fronts), "photos": len(photos), "trials": len(trials), "model": given.model.parent.name}
    write_json(given.output or given.model.with_suffix(".json"), {**dataclasses.asdict(found), "made": made})
    print(found)


if __name__ == "__main__":
    main()
