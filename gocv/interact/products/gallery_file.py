"""The file of a product gallery: safetensors, with JSON inside."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from gocv.core import DataError
from gocv.data.files import written_whole
from gocv.interact.products.likelihood import ProductLikelihood, likelihood_from

Float32 = NDArray[np.float32]

_KEY, _EXPECTED = "gocv.product_gallery", "what ProductGallery.save wrote"
_SETTINGS = ("keep", "sure", "alike", "prior_unknown")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class GalleryContent:
    """What is in the file.

    Attributes:
        settings: Of the gallery.
        likelihood: What its cosines say.
        enrolled: (n, D) float32 vectors of each product.
        learnt: As `enrolled`; of the same products.
    """

    settings: Mapping[str, float]
    likelihood: ProductLikelihood
    enrolled: Mapping[str, Float32]
    learnt: Mapping[str, Float32]


def write_gallery(path: Path, content: GalleryContent) -> None:
    """Write a gallery; whole or not at all."""
    products = sorted(content.enrolled)
    said = {
        "version": 1,
        "settings": dict(content.settings),
        "likelihood": dataclasses.asdict(content.likelihood),
        "products": products,
        "enrolled": [len(content.enrolled[name]) for name in products],
        "learnt": [len(content.learnt[name]) for name in products],
    }
    vectors = [part[name] for part in (content.enrolled, content.learnt) for name in products]
    every = np.concatenate(vectors) if vectors else np.empty((0, 0), np.float32)
    with written_whole(path) as temporary:
        save_file({"vectors": np.ascontiguousarray(every)}, temporary, {_KEY: json.dumps(said, allow_nan=False)})


def read_gallery(path: Path) -> GalleryContent:
    """Read what `write_gallery` wrote.

    Raises:
        DataError: The file cannot be read, or holds no gallery.
    """
    try:
        with safe_open(path, "numpy") as opened:
            said: Any = json.loads((opened.metadata() or {})[_KEY])
            vectors = np.asarray(opened.get_tensor("vectors"), np.float32)
        settings = {key: said["settings"][key] for key in _SETTINGS}
        products, counts = list(said["products"]), [*said["enrolled"], *said["learnt"]]
        ends = np.cumsum(np.array([0, *counts], np.int64))
        right = (
            said["version"] == 1
            and all(isinstance(name, str) for name in products)
            and len(set(products)) == len(products)
            and len(counts) == 2 * len(products)
            and min(said["enrolled"], default=1) > 0
            and min(said["learnt"], default=0) >= 0
            and vectors.ndim == 2
            and len(vectors) == ends[-1]
            and bool((np.abs(np.einsum("nd,nd->n", vectors, vectors) - 1) < 1e-3).all())
        )
        likelihood = likelihood_from(dict(said["likelihood"]), path)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"cannot be read: {error!r}", file=path, expected=_EXPECTED) from error
    if not right:
        raise DataError("holds what is no gallery", file=path, expected=_EXPECTED)
    parts = [vectors[start:end] for start, end in itertools.pairwise(ends)]
    enrolled, learnt = parts[: len(products)], parts[len(products) :]
    return GalleryContent(
        settings,
        likelihood,
        dict(zip(products, enrolled, strict=True)),
        dict(zip(products, learnt, strict=True)),
    )
