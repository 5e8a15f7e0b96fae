"""Which product is that: pictures of products, some from the catalogue, some learnt, and what looks like them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import ConfigError, DataError, nearest
from gocv.interact.products.encoder import ProductEncoder, UInt8
from gocv.interact.products.gallery_file import GalleryContent, read_gallery, write_gallery
from gocv.interact.products.likelihood import ProductLikelihood, log_posterior

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ProductMatches:
    """How probably each look shows which product; a row of `probability` and its entry of `unknown` sum to 1.

    Attributes:
        look: (m,) int64, ascending; the rows of the vectors where no looks were named.
        products: p ids, sorted: whose the columns are.
        probability: (m, p) float64, that it is this product.
        unknown: (m,) float64, that it is none of them.
        log_likelihood_ratio: (m, p) float64, the evidence without priors, in nats, against none of them.
    """

    look: NDArray[np.int64]
    products: tuple[str, ...]
    probability: Float64
    unknown: Float64
    log_likelihood_ratio: Float64


class ProductGallery:
    """Vectors of pictures of products.

    *Matching.* λ is what `likelihood` makes of the greatest cosine with a product's pictures. Of several vectors of one
    look the mean of exp λ is taken: they are not independent, and a product would be far too sure (as in
    `gocv.reid.Gallery`). With the prior π_j of product j among the candidates and ν that it is none of them,

        P(j | x) = (1 - ν) π_j Λ_j / (ν + (1 - ν) Σ_i π_i Λ_i).

    *Learning.* A look of an event whose product is sure for other reasons, such as its weight, is kept where it is
    safe, being no closer to another product than to its own, and new, its greatest cosine with its own being below
    `alike`. Enrolled pictures stay; of more than `keep` learnt ones of a product, those are kept that are farthest from
    all that were chosen before, the enrolled first (farthest-point traversal: Gonzalez, "Clustering to minimize the
    maximum intercluster distance", Theoretical Computer Science 1985).

    Args:
        likelihood: Fitted to the encoder that the vectors are from.
        keep: Most learnt vectors of a product.
        sure: Least probability of an event's product for something to be learnt from it.
        alike: Cosine from which a look is nothing new.
        prior_unknown: ν, in (0, 1).

    Raises:
        ConfigError: A setting is out of range.
    """

    def __init__(
        self,
        likelihood: ProductLikelihood,
        *,
        keep: int = 8,
        sure: float = 0.95,
        alike: float = 0.9,
        prior_unknown: float = 0.1,
    ) -> None:
        for key, value, right, expected in (
            ("keep", keep, keep >= 0, "at least 0"),
            ("sure", sure, 0 < sure <= 1, "a probability above 0"),
            ("alike", alike, -1 <= alike <= 1, "a cosine"),
            ("prior_unknown", prior_unknown, 0 < prior_unknown < 1, "a probability above 0 and below 1"),
        ):
            if not right:
                raise ConfigError(f"is {value}", key=key, expected=expected)
        self.likelihood = likelihood
        self.keep, self.sure, self.alike, self.prior_unknown = keep, sure, alike, prior_unknown
        self._enrolled: dict[str, Float32] = {}
        self._learnt: dict[str, Float32] = {}

    @property
    def products(self) -> tuple[str, ...]:
        """Ids of all products, sorted."""
        return tuple(sorted(self._enrolled))

    def counts(self) -> dict[str, tuple[int, int]]:
        """Of each product, how many vectors were enrolled and how many learnt."""
        return {name: (len(self._enrolled[name]), len(self._learnt[name])) for name in self.products}

    def enrol(self, product: str, vectors: Float32) -> None:
        """Add pictures that surely show a product, known or not; one from the catalogue is enough to begin with.

        Args:
            product: Its id.
            vectors: (n, D) float32, n at least 1, with a direction.

        Raises:
            DataError: The id is no text, or shapes do not fit, or a vector is 0 or not finite. Nothing is changed then.
        """
        if not isinstance(product, str) or not product:
            raise DataError(f"is {product!r}", key="product", expected="an id")
        fresh = self._directions(vectors)
        if not len(fresh):
            raise DataError("there is no vector", key=product, expected="at least one picture")
        before = self._enrolled.get(product, fresh[:0])
        self._enrolled[product] = np.concatenate([before, fresh])
        self._learnt.setdefault(product, fresh[:0])

    def learn(self, product: str, vectors: Float32, probability: float) -> int:
        """Take looks from an event, as far as they are safe and new.

        Args:
            product: Id of a product that was enrolled.
            vectors: (n, D) float32, with a direction.
            probability: That the event was about this product, from elsewhere than these vectors.

        Returns:
            How many of them are kept.

        Raises:
            DataError: The product is not enrolled, or shapes do not fit, or a vector is 0 or not finite.
        """
        self._known([product])
        fresh = self._directions(vectors)
        if not probability >= self.sure or not len(fresh) or not self.keep:
            return 0
        others = [v for name in self.products if name != product for v in (self._enrolled[name], self._learnt[name])]
        wrong = np.concatenate([*others, fresh[:0]])
        rival = (fresh @ wrong.T).max(axis=1, initial=-1.0)
        offered: list[Float32] = []
        for vector, other in zip(fresh, rival, strict=True):
            own = np.concatenate([self._enrolled[product], self._learnt[product], *offered])
            closest = float((own @ vector).max())
            if other <= closest < self.alike:
                offered.append(vector[None])
        if not offered:
            return 0
        old = self._learnt[product]
        every = np.concatenate([old, *offered])
        chosen = _farthest(self._enrolled[product], every, self.keep)
        self._learnt[product] = every[chosen]
        return int((chosen >= len(old)).sum())

    def forget(self, product: str, *, learnt_only: bool = False) -> None:
        """Drop a product, or what was learnt of it.

        Raises:
            DataError: It is not enrolled.
        """
        self._known([product])
        self._learnt[product] = self._learnt[product][:0]
        if not learnt_only:
            del self._enrolled[product], self._learnt[product]

    def match(
        self,
        vectors: Float32,
        candidates: Collection[str] | None = None,
        prior: Mapping[str, float] | None = None,
        *,
        look: ArrayLike | None = None,
        prior_unknown: float | None = None,
    ) -> ProductMatches:
        """Compare vectors with the pictures of products.

        Args:
            vectors: (n, D) float32, with a direction.
            candidates: Ids of the products that it may be, such as those that the planogram has there; None for all.
            prior: Weight of each candidate, 0 or above and not all 0, such as the likelihood of a change of weight;
                it need not sum to 1, and those that are not listed have 0. None for all alike.
            look: (n,) whole numbers: vectors of the same one are of one thing, and give one row. None: each gives a
                row of its own.
            prior_unknown: ν for this call; None for the gallery's.

        Raises:
            DataError: A candidate is not enrolled, a weight is no such number, shapes do not fit, or a vector is 0 or
                not finite.
            ConfigError: `prior_unknown` is out of range.
        """
        nu = self.prior_unknown if prior_unknown is None else prior_unknown
        if not 0 < nu < 1:
            raise ConfigError(f"is {nu}", key="prior_unknown", expected="a probability above 0 and below 1")
        asked = self._directions(vectors)
        named = np.arange(len(asked)) if look is None else np.asarray(look)
        if named.shape != (len(asked),) or (len(named) and named.dtype.kind not in "iu"):
            raise DataError(f"has shape {named.shape}", key="look", expected="a whole number for each vector")
        products = self.products if candidates is None else tuple(sorted(set(candidates)))
        self._known(products)
        weights = _weights(products, prior)
        looks, inverse, count = np.unique(named, return_inverse=True, return_counts=True)
        ratio = np.full((len(looks), len(products)), -np.inf)
        np.logaddexp.at(ratio, inverse, self._evidence(asked, products))
        ratio -= np.log(np.maximum(count, 1))[:, None]
        posterior = np.exp(log_posterior(ratio, weights, prior_unknown=nu))
        return ProductMatches(looks.astype(np.int64), products, posterior[:, :-1], posterior[:, -1], ratio)

    def save(self, path: str | Path) -> None:
        """Write the gallery as safetensors with JSON inside; whole or not at all."""
        settings = {"keep": self.keep, "sure": self.sure, "alike": self.alike, "prior_unknown": self.prior_unknown}
        write_gallery(Path(path), GalleryContent(settings, self.likelihood, self._enrolled, self._learnt))

    @classmethod
    def load(cls, path: str | Path) -> ProductGallery:
        """Read what `save` wrote.

        Raises:
            DataError: The file cannot be read, or holds no gallery.
        """
        content = read_gallery(Path(path))
        try:
            gallery = cls(content.likelihood, **content.settings)  # type: ignore[arg-type]
        except ConfigError as error:
            raise DataError(error.problem, file=path, key=error.key, expected=error.expected) from error
        gallery._enrolled, gallery._learnt = dict(content.enrolled), dict(content.learnt)
        return gallery

    def _evidence(self, asked: Float32, products: Sequence[str]) -> Float64:
        columns = []
        for name in products:
            own = np.concatenate([self._enrolled[name], self._learnt[name]])
            columns.append(self.likelihood((asked @ own.T).max(axis=1, initial=-1.0), len(own)))
        return np.stack(columns, axis=1) if columns else np.empty((len(asked), 0))

    def _directions(self, vectors: Float32) -> Float32:
        """Vectors of length 1, checked."""
        given = np.asarray(vectors, np.float32)
        length = next((v.shape[1] for v in self._enrolled.values()), None)
        if given.ndim != 2 or (length is not None and given.shape[1] != length):
            raise DataError(f"vectors have shape {given.shape}", expected=f"(n, {length or 'D'})")
        norm = np.linalg.norm(given, axis=1, keepdims=True)
        wrong = np.flatnonzero(~((norm[:, 0] > 0) & np.isfinite(norm[:, 0])))
        if len(wrong):
            raise DataError("a vector is 0 or not finite", row=int(wrong[0]), expected="vectors with a direction")
        return given / norm if len(given) else given

    def _known(self, products: Sequence[str]) -> None:
        for name in products:
            if name not in self._enrolled:
                raise DataError(f"'{name}' is not enrolled", key="product", expected=nearest(name, self.products))


def gallery_of(
    encoder: ProductEncoder, pictures: Mapping[str, Sequence[UInt8]], likelihood: ProductLikelihood | None = None
) -> ProductGallery:
    """A gallery of pictures.

    Args:
        encoder: Makes the vectors.
        pictures: At least one (h, w, 3) uint8 RGB picture for each product id.
        likelihood: Fitted to the encoder; None takes the one that comes with gocv.

    Raises:
        DataError: A product has no picture, or one is no picture, or the likelihood was fitted to another encoder.
    """
    said = ProductLikelihood.shipped() if likelihood is None else likelihood
    if said.encoder and said.encoder != encoder.name:
        raise DataError(
            f"the likelihood was fitted to encoder {said.encoder}", key="encoder", expected=f"one for {encoder.name}"
        )
    gallery = ProductGallery(said)
    for product, own in pictures.items():
        gallery.enrol(product, encoder.encode(own))
    return gallery


def _weights(products: Sequence[str], prior: Mapping[str, float] | None) -> Float64 | None:
    if prior is None or not products:
        return None
    weights = np.array([float(prior.get(name, 0.0)) for name in products])
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise DataError("has weights that are no such numbers", key="prior", expected="0 or above, and not all 0")
    found: Float64 = weights / weights.sum()
    return found


def _farthest(first: Float32, others: Float32, keep: int) -> NDArray[np.int64]:
    """Rows of `others` to keep, at most `keep`, in their order; see `ProductGallery`."""
    if len(others) <= keep:
        return np.arange(len(others))
    closest = (others @ first.T).max(axis=1)
    chosen: list[int] = []
    for _ in range(keep):
        row = int(np.argmin(closest))
        chosen.append(row)
        closest = np.maximum(closest, others @ others[row])
        closest[chosen] = np.inf
    return np.array(sorted(chosen), np.int64)
