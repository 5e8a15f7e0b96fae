"""`gocv bench products`: encoders and galleries on pictures of products."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.bench.products_scores import Lookup, figures, look_up
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import ConfigError, nearest
from gocv.data.products import (
    ProductDataset,
    ProductPictures,
    middle_crop,
    read_catalogue,
    read_gaze,
    read_grocerystore,
    read_shelf_labels,
    read_shelves,
)
from gocv.data.progress import with_progress
from gocv.interact.products import ProductEncoder, ProductLikelihood

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]

FORMATS = ("grocerystore", "shelves", "gaze")
"""What `bench_products` reads."""

_SHOTS = (1, 5)
_DRAWS = 20


def bench_products(
    root: Path,
    models: Sequence[str] = ("default",),
    *,
    kind: str = "grocerystore",
    catalogue: Path | None = None,
    labels: Path | None = None,
    parts: int = 3,
    part: int | None = None,
) -> BenchmarkResult:
    """Recognise products by galleries.

    *grocerystore*: pictures of `val` in galleries of all products, filled from the catalogue alone, with one and with
    five training pictures each (mean of 20 draws), with all of them, and with both; of a whole picture the middle is
    looked at. With `part`, products of that part alone are asked for, which a training with `data.left_out` of that
    number never saw: in galleries of those alone, and of all products. *shelves*: labelled boxes of shelf photos in the
    catalogue alone, and in the catalogue and the labelled boxes of the other photos. *gaze*: things in hands, found
    among those of other videos.

    Args:
        root: The data set.
        models: "default" for the encoder that comes with gocv, or `.onnx` files that `gocv train product` wrote. What
            cosines say is read from the `.json` beside it, where there is one.
        kind: One of `FORMATS`.
        catalogue: Of "shelves": folder of catalogue pictures.
        labels: Of "shelves": table as for `gocv.data.products.read_shelf_labels`.
        parts: Of "grocerystore": as `ProductDataSettings.parts`.
        part: Of "grocerystore": as `ProductDataSettings.left_out`.

    Returns:
        Rows with `method`, `gallery`, `products` in it, `pictures`, the figures of
        `gocv.bench.products_scores.figures`, and `ms_per_crop` on one core.

    Raises:
        ConfigError: There is no such format, or a part is missing that it needs.
        DataError: A file is missing or not right.
    """
    if kind not in FORMATS:
        raise ConfigError(f"there is no format '{kind}'", key="format", expected=nearest(kind, FORMATS))
    rows: list[dict[str, Any]] = []
    for model in models:
        encoder, likelihood = load_model(model)
        about = {"ms_per_crop": milliseconds_per_crop(encoder)}
        name = "gocv" if model == "default" else Path(model).parent.name
        if kind == "grocerystore":
            found = _grocery(read_grocerystore(root), encoder, likelihood, parts, part)
        elif kind == "gaze":
            found = _gaze(root, encoder)
        else:
            if catalogue is None or labels is None:
                raise ConfigError("is missing", key="catalogue, labels", expected="a folder and a table for 'shelves'")
            found = _shelves(root, catalogue, labels, encoder, likelihood)
        rows += [{"method": name, **row, **about} for row in found]
    return BenchmarkResult(f"products, {kind}", rows, environment(0), command_line())


def load_model(model: str) -> tuple[ProductEncoder, ProductLikelihood | None]:
    """An encoder on one core, and what its cosines say where that is known; see `bench_products`.

    Raises:
        DataError: A file is missing or not right.
    """
    if model == "default":
        return ProductEncoder(threads=1), ProductLikelihood.shipped()
    beside = Path(model).with_suffix(".json")
    return ProductEncoder(model, threads=1), ProductLikelihood.load(beside) if beside.is_file() else None


def encode(encoder: ProductEncoder, pictures: ProductPictures, share: float, what: str) -> Float32:
    """(n, D) vectors of the middle `share` of pictures, read some at a time.

    Raises:
        DataError: A picture cannot be decoded.
    """
    found, at_a_time = [np.empty((0, encoder.length), np.float32)], 32
    starts = range(0, len(pictures), at_a_time)
    for start in with_progress(starts, what, len(starts)):
        rows = range(start, min(start + at_a_time, len(pictures)))
        found.append(encoder.encode([middle_crop(pictures.picture(row), share) for row in rows]))
    return np.concatenate(found)


def milliseconds_per_crop(encoder: ProductEncoder, crops: int = 32) -> float:
    """Milliseconds of a core for a crop of 200 by 200 pixels, resizing included; the fastest of three runs."""
    noise = list(np.random.default_rng(0).integers(0, 256, (crops, 200, 200, 3), dtype=np.uint8))
    encoder.encode(noise)
    taken = []
    for _ in range(3):
        start = time.process_time()  # of this process alone, which has one thread to compute with
        encoder.encode(noise)
        taken.append(time.process_time() - start)
    return 1000 * min(taken) / crops


def _grocery(
    dataset: ProductDataset,
    encoder: ProductEncoder,
    likelihood: ProductLikelihood | None,
    parts: int,
    part: int | None,
) -> Iterator[dict[str, Any]]:
    number = np.arange(len(dataset.products))
    wanted = np.ones(len(number), bool) if part is None else number % parts == part
    share = encoder.config.share
    asked = dataset.val[wanted[dataset.val.product]]
    vectors = encode(encoder, asked, share, "val")
    cat, own = encode(encoder, dataset.catalogue, 1.0, "catalogue"), encode(encoder, dataset.train, share, "train")
    for among in [wanted] if part is None else [wanted, np.ones(len(number), bool)]:
        rows, shots = among[dataset.catalogue.product], among[dataset.train.product]
        product, shown = dataset.catalogue.product[rows], dataset.train.product[shots]
        fronts, photos = cat[rows], own[shots]
        both = np.concatenate([fronts, photos]), np.concatenate([product, shown])
        galleries = {"catalogue": [(fronts, product)]}
        for shot in _SHOTS:
            drawn = [_drawn(shown, shot, seed) for seed in range(_DRAWS)]
            galleries[f"{shot} of train"] = [(photos[each], shown[each]) for each in drawn]
        galleries |= {"train": [(photos, shown)], "catalogue and train": [both]}
        about = {"products": int(among.sum()), "left_out": int(wanted.sum()) if part is not None else 0}
        for name, several in galleries.items():
            lookups = [look_up(vectors, asked.product, *gallery) for gallery in several]
            yield {"gallery": name, **about, "pictures": len(asked), **figures(lookups, likelihood)}


def _drawn(product: Int64, count: int, seed: int) -> Int64:
    """`count` rows of each product."""
    rng = np.random.default_rng([seed, count])
    return np.concatenate(
        [rng.choice(np.flatnonzero(product == one), count, replace=False) for one in np.unique(product)]
    )


def _shelves(
    root: Path, catalogue: Path, labels: Path, encoder: ProductEncoder, likelihood: ProductLikelihood | None
) -> Iterator[dict[str, Any]]:
    fronts = read_catalogue(catalogue)
    asked = read_shelf_labels(labels, read_shelves(root), fronts)
    cat, vectors = encode(encoder, fronts, 1.0, "catalogue"), encode(encoder, asked, 1.0, "shelves")
    known = asked.product >= 0
    row = {"products": len(fronts), "pictures": int(known.sum())}
    found = look_up(vectors[known], asked.product[known], cat, fronts.product)
    yield {"gallery": "catalogue", **row, **figures([found], likelihood)}
    photo = np.array([file.name for file in asked.files])
    others = []
    for one in np.unique(photo):  # what a shelf taught about a product, asked on another photo
        mine, theirs = known & (photo == one), known & (photo != one)
        gallery = np.concatenate([cat, vectors[theirs]]), np.concatenate([fronts.product, asked.product[theirs]])
        others.append(look_up(vectors[mine], asked.product[mine], *gallery))
    pooled = {**row, **figures([_pooled(others)], likelihood)}
    yield {"gallery": "catalogue and other photos", **pooled}


def _pooled(lookups: Sequence[Lookup]) -> Lookup:
    """As one; columns are of the same products."""
    counts = np.concatenate([np.broadcast_to(one.count, one.cosine.shape) for one in lookups])
    return Lookup(np.concatenate([o.cosine for o in lookups]), counts, np.concatenate([o.answer for o in lookups]))


def _gaze(root: Path, encoder: ProductEncoder) -> Iterator[dict[str, Any]]:
    things, video = read_gaze(root)
    vectors = encode(encoder, things, 1.0, "gaze")
    cosine = vectors @ vectors.T
    cosine[video[:, None] == video] = -1.0
    there = (things.product[:, None] == things.product) & (video[:, None] != video)
    asked = np.flatnonzero(there.any(axis=1))
    nearest_row = cosine[asked].argmax(axis=1)
    right = things.product[nearest_row] == things.product[asked]
    yield {
        "gallery": "other videos",
        "products": len(np.unique(things.product[asked])),
        "pictures": len(asked),
        "top_1": float(right.mean()),
    }
