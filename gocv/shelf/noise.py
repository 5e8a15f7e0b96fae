"""The noise of each plate at rest, learnt from the readings themselves while things are taken and put down.

What a detector of steps must know is how far the means of two neighbouring windows differ when nothing happens. That is
measured as it is: D_w(t) = mean of the w blocks from t on, less the mean of the w blocks before t, for several w. Its
deviation is 1.4826 times the median of |D_w| over the last half minute, which takes no harm from events as long as
they fill less than half of it (Rousseeuw & Croux, Journal of the American Statistical Association 1993, eq. 1.2).
Narrow-band vibration averages out faster than independent noise would, drift slower: both are in D_w for the w that
matter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCALES = (1, 4, 16, 32, 64)
"""Blocks of the windows for which D_w is learnt."""

_SAMPLED = ((0, 10), (0, 5, 10, 15), (0,), (0,), (0,))
"""Of each scale: how many blocks before the last one of an epoch values are kept."""

_WIDTH = np.repeat(SCALES, [len(back) for back in _SAMPLED])
_MIDDLE = _WIDTH + np.concatenate(_SAMPLED)
_OF_SCALE = tuple(np.flatnonzero(np.equal(_WIDTH, width)) for width in SCALES)
"""Of the values kept of an epoch: their windows, how far before its end these meet, and which are of which scale."""

_LONGEST = 2 * SCALES[-1]
_BACK = np.arange(_LONGEST, 0, -1)
_KERNEL = (
    np.where(abs(_MIDDLE[:, None] - _BACK + 0.5) < _WIDTH[:, None], np.sign(_MIDDLE[:, None] - _BACK + 0.5), 0)
    / _WIDTH[:, None]
).astype(np.float32)
"""What makes D_w of the last `_LONGEST` blocks: -1 / w before the middle, 1 / w after it."""

_MEMORY = 32
"""Epochs that are remembered."""

_MEDIAN_TO_SD = 1.4826

_LEAST_SD_G = (0.14, 0.10, 0.08, 0.08, 0.08)
"""Least deviation of D_w: what a converter with steps of 0.24 g leaves, 0.24 / √12 · √2, and less in longer windows."""

_UNKNOWN_SD_G = 5.0
"""Of a block, before anything has been learnt: as loud as nine plates of ten are at most."""

_UNRELATED = 20
"""Values for which no correlation between plates counts as much as what was seen of it."""

_SHARED = 3.0
"""Epochs for which the neighbours on the shelf count as much as what was seen of a plate itself."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """How the plates of a group tremble at rest.

    Attributes:
        detail_g: (P,) float64, deviation of the second difference of the samples within a block, grams.
        step_g: (W, P) float64, deviation of D_w for each of `SCALES`, grams.
        correlation: (P, P) float64 of it between plates, drawn towards none while little has been seen.
    """

    detail_g: NDArray[np.float64]
    step_g: NDArray[np.float64]
    correlation: NDArray[np.float64]

    @property
    def alive(self) -> NDArray[np.bool_]:
        """(P,) whether a plate trembles at all, as all do that give readings."""
        return np.asarray(self.detail_g > _LEAST_SD_G[0])

    @property
    def fineness(self) -> NDArray[np.float32]:
        """(P,) 1 / `detail_g`; 0 where a plate gives nothing."""
        return np.where(self.alive, 1 / self.detail_g, 0.0).astype(np.float32)

    def of(self, columns: slice) -> Noise:
        """That of some plates."""
        return Noise(self.detail_g[columns], self.step_g[:, columns], self.correlation[columns, columns])

    def level_g2(self, blocks: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """(P,) variance of the mean over so many blocks: half that of D, log-linear in between, constant beyond."""
        at = np.interp(np.log(np.maximum(blocks, 1)), np.log(SCALES), np.arange(len(SCALES)))
        low = min(int(at), len(SCALES) - 2)
        share = float(at) - low
        logs = np.log(self.step_g)
        variance: NDArray[np.float64] = np.exp(2 * ((1 - share) * logs[low] + share * logs[low + 1])) / 2
        return variance


class NoiseLearner:
    """Learns the noise of a group of plates, an epoch of 20 blocks at a time.

    Args:
        shelves: Columns of the plates of each shelf.
        plates: How many there are in all.
    """

    def __init__(self, shelves: Sequence[slice], plates: int) -> None:
        self._shelves = shelves
        self._values = np.full((_MEMORY, len(_WIDTH), plates), np.nan, np.float32)
        self._details = np.full((_MEMORY, 2, plates), np.nan, np.float32)
        self._epochs = 0
        self.noise = self._estimate()

    @property
    def epochs(self) -> int:
        """How many have been learnt from."""
        return self._epochs

    def learn(self, blocks: NDArray[np.float32], detail: NDArray[np.float32]) -> None:
        """Take in an epoch.

        Args:
            blocks: (m, P) block means up to the end of the epoch, m >= 20: as many as there are, 128 are enough.
            detail: (20, P) second differences of the samples within the blocks of the epoch.
        """
        row = self._epochs % _MEMORY
        known = len(blocks) >= _MIDDLE + _WIDTH
        self._values[row] = np.nan
        self._values[row, known] = _KERNEL[known, max(_LONGEST - len(blocks), 0) :] @ blocks[-_LONGEST:]
        self._details[row] = detail[[9, 19]]
        self._epochs += 1
        if self._epochs <= 8 or (self._epochs <= 16 and self._epochs % 2 == 0) or self._epochs % 10 == 0:
            self.noise = self._estimate()

    def _correlation(self, seen: int, sd_g: NDArray[np.float64]) -> NDArray[np.float64]:
        values = self._values[:seen, _OF_SCALE[1]].reshape(-1, len(sd_g))
        values = values[~np.isnan(values[:, 0])]
        score = np.clip(values / sd_g.astype(np.float32), -3, 3)
        product = score.T @ score
        size = np.sqrt(np.maximum(np.diag(product), 1e-6))
        known = len(score) / (len(score) + _UNRELATED)
        correlation: NDArray[np.float64] = (product / np.outer(size, size)).astype(np.float64) * known
        np.fill_diagonal(correlation, 1.0)
        return correlation

    def _estimate(self) -> Noise:
        seen = min(self._epochs, _MEMORY)
        plates = self._details.shape[2]
        if not seen:
            sd = np.array([_UNKNOWN_SD_G * np.sqrt(2 / w) for w in SCALES])
            return Noise(np.full(plates, 2.5 * _UNKNOWN_SD_G), np.repeat(sd[:, None], plates, axis=1), np.eye(plates))
        steps = [self._own(self._values[:seen, of_scale]) for of_scale in _OF_SCALE]
        known = [i for i in range(len(SCALES)) if np.isfinite(steps[i]).all()]
        base = steps[1] if 1 in known else steps[0] / 2
        for i, width in enumerate(SCALES):
            if i not in known:
                steps[i] = base * np.sqrt(SCALES[1] / width)
        step_g = np.stack([np.maximum(s, least) for s, least in zip(steps, _LEAST_SD_G, strict=True)])
        detail_g = np.maximum(self._own(self._details[:seen]), _LEAST_SD_G[0])
        cautious = 1 + 1.5 / seen
        step_g, detail_g = self._pooled(step_g, detail_g, seen)
        return Noise(detail_g, step_g * cautious, self._correlation(seen, step_g[1]))

    @staticmethod
    def _own(values: NDArray[np.float32]) -> NDArray[np.float64]:
        values = values.reshape(-1, values.shape[2])
        if np.isnan(values[:, :1]).any():
            values = values[~np.isnan(values[:, 0])]
        if not len(values):
            return np.full(values.shape[1], np.nan)
        return _median(np.abs(values)).astype(np.float64) * _MEDIAN_TO_SD

    def _pooled(
        self, step_g: NDArray[np.float64], detail_g: NDArray[np.float64], seen: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What the plates of a shelf have in common.

        While little has been seen, deviations are drawn towards the shelf's median. Long windows are always few, so
        how their noise relates to that of short ones is taken from the whole shelf.
        """
        own = 1 - (1 + seen / _SHARED) ** -2
        logs = np.log([*step_g[:2], detail_g, *(step_g[2:] / step_g[1])])
        alive = detail_g > _LEAST_SD_G[0]
        for shelf in self._shelves:
            columns = shelf.start + np.flatnonzero(alive[shelf])
            if not len(columns):
                continue
            usual = _median(logs[:, columns].T)[:, None]
            logs[:3, columns] = own * logs[:3, columns] + (1 - own) * usual[:3]
            logs[3:, columns] = usual[3:]
        pooled = np.exp(logs)
        step_g = np.stack([pooled[0], pooled[1], *(pooled[3:] * pooled[1])])
        return np.maximum(step_g, np.array(_LEAST_SD_G)[:, None]), np.where(alive, pooled[2], detail_g)


def _median(values: NDArray[Any]) -> NDArray[Any]:
    """(..., n) over the first axis of finite values, (m, ..., n): as numpy's, without its care for NaN."""
    middle = len(values) // 2
    both = [middle] if len(values) % 2 else [middle - 1, middle]
    return np.asarray(np.partition(values, both, axis=0)[both].mean(axis=0))
