"""What products look like: a few vectors of each, and one prototype made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from gocv.core import DataError
from gocv.data.files import written_whole

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]

_FIRST_WEIGHT = 2.0
"""Catalogue pictures together count as so many learnt vectors."""


class Gallery:
    """Vectors of products.

    A product's prototype is the direction of the sum of its catalogue's mean vector, which counts as two, and of what
    was learnt of it; so the catalogue is what is known at first, and fades as the product is met.

    Args:
        products: n ids, one for each vector, in any order; a product may be there several times.
        vectors: (n, D) of catalogue pictures, of any length but 0.
        most: Learnt vectors of a product that are kept, the newest ones.

    Attributes:
        products: Ids, sorted, each once.

    Raises:
        DataError: A vector is not finite or is 0, there are not as many as ids, or `most` is below 0.
    """

    def __init__(self, products: Sequence[str], vectors: ArrayLike, *, most: int = 12) -> None:
        given = _unit(vectors)
        if len(given) != len(products) or most < 0:
            raise DataError(f"{len(products)} products, {len(given)} vectors, most {most}", expected="one of each")
        self.products = tuple(sorted(set(products)))
        self._index = {product: i for i, product in enumerate(self.products)}
        self._most, self._length = most, given.shape[1]
        of = np.array([self._index[product] for product in products], np.int64)
        self._first = [given[of == i] for i in range(len(self.products))]
        self._learnt: list[list[Float32]] = [[] for _ in self.products]

    def learn(self, product: str, vectors: ArrayLike) -> bool:
        """Remember how a product looked in one event.

        Args:
            product: Its id.
            vectors: (k, D), all looks of that event: they count as one, their mean.

        Returns:
            Whether the product is in the gallery; else nothing is remembered.

        Raises:
            DataError: A vector is not finite, is 0, or has another length.
        """
        looks = _unit(vectors)
        if product not in self._index or not len(looks):
            return False
        if looks.shape[1] != self._length:
            raise DataError(f"vectors have {looks.shape[1]} values", expected=f"{self._length} as in the gallery")
        own = self._learnt[self._index[product]]
        own.append(_unit(looks.mean(axis=0)[None])[0])
        del own[: max(0, len(own) - self._most)]
        return True

    def prototypes(self) -> Float32:
        """(p, D) float32 of length 1, in the order of `products`."""
        sums = [
            _FIRST_WEIGHT * first.mean(axis=0) + np.sum(learnt, axis=0) if learnt else first.mean(axis=0)
            for first, learnt in zip(self._first, self._learnt, strict=True)
        ]
        return _unit(np.array(sums, np.float32).reshape(-1, self._length))

    def learnt(self) -> Int64:
        """(p,) int64, how many events each product was learnt from."""
        return np.array([len(own) for own in self._learnt], np.int64)

    def save(self, path: str | Path) -> None:
        """Write it as safetensors, whole or not at all."""
        content = {"most": np.array(self._most)}
        for product, first, learnt in zip(self.products, self._first, self._learnt, strict=True):
            content[f"catalogue/{product}"] = first
            content[f"learnt/{product}"] = np.array(learnt, np.float32).reshape(-1, self._length)
        with written_whole(Path(path)) as temporary:
            save_file(content, temporary)

    @classmethod
    def load(cls, path: str | Path) -> Gallery:
        """Read what `save` wrote.

        Raises:
            DataError: The file is missing or something else.
        """
        wanted = "what Gallery.save wrote"
        try:
            content = load_file(path)
        except (OSError, SafetensorError) as error:
            raise DataError(f"cannot be read: {error}", file=path, expected=wanted) from error
        first = {key.partition("/")[2]: value for key, value in content.items() if key.startswith("catalogue/")}
        if not first or "most" not in content or any(f"learnt/{product}" not in content for product in first):
            raise DataError("holds no gallery", file=path, expected=wanted)
        names = [product for product, vectors in first.items() for _ in vectors]
        gallery = cls(names, np.concatenate(list(first.values())), most=int(content["most"]))
        for product in first:
            gallery._learnt[gallery._index[product]] = list(content[f"learnt/{product}"])
        return gallery


def _unit(vectors: ArrayLike) -> Float32:
    """(n, D) float32 vectors of length 1."""
    given = np.asarray(vectors, np.float32)
    if given.ndim != 2:
        raise DataError(f"vectors are {given.shape}", expected="(n, D)")
    length = np.linalg.norm(given, axis=1, keepdims=True)
    if not np.isfinite(length).all() or (length == 0).any():
        row = int(np.flatnonzero(~np.isfinite(length[:, 0]) | (length[:, 0] == 0))[0])
        raise DataError("a vector is not finite or is 0", row=row, expected="a direction")
    return np.asarray(given / length, np.float32)
