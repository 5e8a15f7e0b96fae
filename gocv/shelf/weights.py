"""What one unit of each product weighs: from the catalogue, and from events in which it surely moved.

The weight on file is wrong by little, by a few per cent or, rarely, by a lot. So the mean weight w of a product is a
mixture of Gaussians about the weight on file, one for each size of error. A confident event in which n units moved T
grams says x = T / n, with variance r² = sd² / n² + σ² / n, σ the spread between units. Per component b

    p(x | b) = (1 - λ) N(x; w_b, v_b + r²) + λ p_lean(x | w_b),

λ how often the frame carries a part, of up to `frame_share`. Components are weighed anew by p(x | b), and each moves to
x by Kalman's formula as far as the event is believed and x is not one of the lean ones; the two cases merge into one
Gaussian of the same mean and variance. What an event of probability P says counts with P: with 1 - P it was another
product, and says nothing.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gocv.core import Product, Store
from gocv.shelf.priors import ExplainSettings

Array = NDArray[np.float64]

_LEAN_CELLS = 10
_SAYS_NOTHING = 0.02
"""How often a weighing is off by something that the model does not know."""


class UnitWeight(NamedTuple):
    """What is known of one unit's weight. NaN and infinite while nothing is.

    Attributes:
        mean_g: Mean of the product's mean weight.
        sd_g: Standard deviation of it.
        spread_g: Standard deviation between units.
    """

    mean_g: float
    sd_g: float
    spread_g: float


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class WeightMixture:
    """A product's mean weight as a mixture of Gaussians.

    Attributes:
        probability: (B,) float64, sum 1.
        mean_g: (B,) float64.
        sd_g: (B,) float64.
        spread_g: Standard deviation between units.
        known: Whether it is more than a guess: on file, or seen in an event.
    """

    probability: Array
    mean_g: Array
    sd_g: Array
    spread_g: float
    known: bool


class UnitWeights:
    """Weights of the products of a store; they change as events are learnt.

    Args:
        store: Products with their weights on file; 0 and NaN are none.
        settings: How wrong files are, how often things lean.
    """

    def __init__(self, store: Store, settings: ExplainSettings | None = None) -> None:
        self._store = store
        self._settings = settings or ExplainSettings()
        self._mixtures: dict[str, WeightMixture] = {}

    def of(self, product: str) -> UnitWeight:
        """What is known of a product's weight."""
        known = self.mixture(product)
        if not known.known:
            return UnitWeight(math.nan, math.inf, known.spread_g)
        mean_g = float(known.probability @ known.mean_g)
        variance_g2 = float(known.probability @ (known.sd_g**2 + (known.mean_g - mean_g) ** 2))
        return UnitWeight(mean_g, math.sqrt(variance_g2), known.spread_g)

    def mixture(self, product: str) -> WeightMixture:
        """The same with all its components, the smallest error on file first."""
        found = self._mixtures.get(product)
        if found is None:
            filed = self._store.products.get(product, Product(product, product))
            found = self._mixtures[product] = _filed(filed, self._settings)
        return found

    def learn(self, product: str, units: int, grams: float, sd_g: float, probability: float) -> None:
        """Take into account that units of a product moved.

        Args:
            product: Which.
            units: How many, of either sign.
            grams: What they weighed together, > 0.
            sd_g: Standard deviation of that, as measured.
            probability: That this is what happened.
        """
        count = abs(units)
        values = (grams, sd_g, probability)
        if count == 0 or not all(map(math.isfinite, values)) or grams <= 0 or not 0 < probability <= 1:
            return
        mixture = self.mixture(product)
        x, noise_g2 = grams / count, sd_g**2 / count**2
        self._mixtures[product] = _learnt(mixture, x, noise_g2, count, probability, self._settings)

    def log_weighed(self, product: str, grams: float, sd_g: float) -> float:
        """Log density, per gram, of one unit of a product having shown `grams`, measured to within `sd_g`."""
        log_share, off, own_g2, _ = self._shown(product, grams, sd_g)
        return _log_sum(log_share + _log_normal(off, own_g2))

    def log_agreement(self, product: str, one: tuple[float, float], other: tuple[float, float]) -> float:
        """How much two weighings of one thing have in common if it is the very same unit of a product.

        Args:
            product: Which.
            one: Grams that moved and their standard deviation as measured, as `Part` has them of one unit.
            other: The same of another event.

        Returns:
            log p(one, other | the same unit) - log p(one | any unit) - log p(other | any unit). A unit that leans on
            the frame weighs less than it does upright. Some weighings say nothing: so it is never far below 0.
        """
        log_share, first, first_g2, shown = self._shown(product, *one)
        _, second, second_g2, _ = self._shown(product, *other)
        known = self.mixture(product)
        common_g2 = shown[:, None] * shown * (known.sd_g**2 + known.spread_g**2)[:, None, None]
        # Given the first, the second is Gaussian again.
        gain = common_g2 / first_g2[:, :, None]
        given = _log_normal(second[:, None, :] - gain * first[:, :, None], second_g2[:, None, :] - gain * common_g2)
        both = (log_share + _log_normal(first, first_g2))[:, :, None] + given + self._log_lean()
        log_same = _log_sum(both) - self.log_weighed(product, *one) - self.log_weighed(product, *other)
        return float(np.logaddexp(math.log1p(-_SAYS_NOTHING) + log_same, math.log(_SAYS_NOTHING)))

    def _shown(self, product: str, grams: float, sd_g: float) -> tuple[Array, Array, Array, Array]:
        """Over components of the weight and ways to lean (B, L): log share, deviation, variance; (L,) share shown."""
        known = self.mixture(product)
        cell = self._settings.frame_share / _LEAN_CELLS
        shown = np.concatenate([[1.0], 1 - (np.arange(_LEAN_CELLS) + 0.5) * cell])
        width = np.concatenate([[0.0], np.full(_LEAN_CELLS, cell / math.sqrt(12))])
        unit_g2 = (known.sd_g**2 + known.spread_g**2)[:, None]
        own_g2 = shown**2 * unit_g2 + sd_g**2 + (width * known.mean_g[:, None]) ** 2
        log_share = np.log(known.probability)[:, None] + self._log_lean()
        return log_share, grams - known.mean_g[:, None] * shown, own_g2, shown

    def _log_lean(self) -> Array:
        """(L,) log prior of standing upright, and of each way to lean on the frame."""
        lean = self._settings.frame_lean
        return np.asarray(np.log(np.concatenate([[1 - lean], np.full(_LEAN_CELLS, lean / _LEAN_CELLS)])))


def _log_normal(x: Array, variance: Array) -> Array:
    return np.asarray(-0.5 * (x**2 / variance + np.log(2 * np.pi * variance)))


def _log_sum(logs: Array) -> float:
    return float(np.logaddexp.reduce(logs.ravel()))


def _filed(product: Product, settings: ExplainSettings) -> WeightMixture:
    weight_g, spread_g = product.weight_g, product.weight_sd_g
    if not (math.isfinite(weight_g) and weight_g > 0):
        # The Gaussian nearest to a log-normal weight; it only serves until the first event.
        guess_g = settings.unknown_weight_g
        wide_g = guess_g * settings.unknown_weight_ratio
        return WeightMixture(np.ones(1), np.array([guess_g]), np.array([wide_g]), settings.unit_spread * guess_g, False)
    if not (math.isfinite(spread_g) and spread_g >= 0):
        spread_g = settings.unit_spread * weight_g
    errors = np.array(settings.file_errors, np.float64)
    share = errors[:, 1] / errors[:, 1].sum()
    return WeightMixture(share, np.full(len(errors), weight_g), errors[:, 0] * weight_g, spread_g, True)


def _learnt(
    mixture: WeightMixture, x: float, noise_g2: float, count: int, probability: float, settings: ExplainSettings
) -> WeightMixture:
    mean, variance = mixture.mean_g, mixture.sd_g**2
    if not mixture.known:
        # Seen for the first time: what it weighed, and with what doubt there is still anything.
        spread_g = settings.unit_spread * x
        doubt = np.clip(1 - probability * (1 - settings.frame_lean), 1e-3, 0.999)
        means, sds = np.array([x, mean[0]]), np.array([math.sqrt(noise_g2 + spread_g**2 / count), mixture.sd_g[0]])
        return WeightMixture(np.array([1 - doubt, doubt]), means, sds, spread_g, True)
    noise_g2 = noise_g2 + mixture.spread_g**2 / count
    whole = np.exp(-0.5 * (x - mean) ** 2 / (variance + noise_g2)) / np.sqrt(2 * np.pi * (variance + noise_g2))
    whole *= 1 - settings.frame_lean
    # One of the units may lean: evenly from the whole of its weight down to what the frame leaves.
    lost = settings.frame_share * mean / count
    lean = settings.frame_lean * ((x > mean - lost) & (x < mean)) / lost
    likelihood = whole + lean + 1e-12
    other = float(mixture.probability @ likelihood)
    weighed = mixture.probability * (probability * likelihood + (1 - probability) * other)
    share = probability * whole / likelihood
    gain = variance / (variance + noise_g2)
    step = gain * (x - mean)
    moved = mean + share * step
    spread = share * (1 - gain) * variance + (1 - share) * variance + share * (1 - share) * step**2
    return dataclasses.replace(
        mixture, probability=weighed / weighed.sum(), mean_g=moved, sd_g=np.sqrt(np.maximum(spread, 1e-6))
    )
