"""How unquiet the shelves of a group are, against what their plates are known to do at rest."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.shelf.blocks import BlockStream
from gocv.shelf.noise import SCALES, Noise, NoiseLearner

EPOCH = 20
"""Blocks that are looked at together."""

WARM = 3
"""Epochs before anything is judged: the noise that these taught is supposed from the first on."""

FAST, SLOW = (SCALES[1],), SCALES[2:]
"""Blocks of the windows for what happens at once, and for what happens slowly."""

_GRAIN = 4
"""Slow windows begin at every so many blocks: all of them, and `EPOCH`, are multiples of it."""

AHEAD = 2 * SLOW[-1]
"""Blocks at rest that are supposed before the first."""

_LEAST_G = 1.5
"""Windows that differ by less are quiet, however still the plate: grams."""

_MEAN_DETAIL = 0.77
"""Mean of |z|, cut off at 3: 0.795 for normal z; a little less as deviations are of what stirs now and then."""

_STUCK_S = 10.0
_LOUD, _LOUD_G = 6.0, 4.0


class UnrestMeter:
    """Measures unrest block by block, learning the noise as it goes.

    Args:
        stream: The readings.
        threshold: Deviations of the noise beyond which a plate is unquiet.

    Attributes:
        shaking: (n,) float64 for each block that the stream holds and that has been looked at: by how much the whole
            group trembles, 1 being usual.
        noises: The noise to suppose in each of the epochs looked at last.
    """

    def __init__(self, stream: BlockStream, threshold: float) -> None:
        self._stream, self._threshold = stream, threshold
        self._starts = [columns.start for _, columns in stream.shelves]
        self._learner = NoiseLearner([columns for _, columns in stream.shelves], len(stream.plates))
        self.shaking = np.ones(AHEAD)
        self.noises: list[Noise] = []
        self._still, self._still_since_s = np.zeros(len(stream.plates), np.int64), np.zeros(len(stream.plates))
        self._stuck: dict[int, float] = {}

    def measure(self, begin: int, end: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Look at the epochs in the blocks [begin, end).

        Returns:
            (end - begin, S) float32 each, by how much the clearest plate of each shelf is unquiet, 1 being just so, at
            the boundaries before blocks: for `FAST` windows from begin - FAST[-1] on, for `SLOW` ones from
            begin - SLOW[-1] on.
        """
        detail = self._stream.take_detail(end - begin)
        self._learn(begin, end, detail)
        self._measure_shaking(begin, end, detail)
        fast = self._unrest(begin - FAST[-1], end - FAST[-1], FAST, 1)
        return fast, self._unrest(begin - SLOW[-1], end - SLOW[-1], SLOW, _GRAIN)

    def loudness(self, first: int, last: int) -> float:
        """By how much the group trembled in the blocks [first, last), at least 1."""
        return max(1.0, float(np.sqrt((self.shaking[self._stream.rows(first, last)] ** 2).mean())))

    def report(self) -> Iterator[tuple[int, str]]:
        """Columns of plates that are stuck or tremble, and what is wrong with them."""
        for column, since_s in self._stuck.items():
            yield column, f"stuck since {since_s:.1f} s: it repeats one reading while the others tremble"
        if self._learner.epochs < 2 * WARM:
            return
        sd_g = self._learner.noise.step_g[0] / math.sqrt(2)
        for column in np.flatnonzero((sd_g > _LOUD * np.median(sd_g)) & (sd_g > _LOUD_G)).tolist():
            much = f"trembles by {sd_g[column]:.1f} g, the median plate by {np.median(sd_g):.1f} g"
            yield column, f"{much}: small changes cannot be seen"

    def _learn(self, begin: int, end: int, detail: NDArray[np.float32]) -> None:
        self.noises = []
        for first in range(begin, end, EPOCH):
            last = first + EPOCH
            if last <= self._stream.measured:
                blocks_g = self._stream.values_g[self._stream.rows(max(0, last - AHEAD), last)]
                self._learner.learn(blocks_g, detail[first - begin : last - begin])
                self._watch_still(blocks_g[-EPOCH:], first)
            self.noises.append(self._learner.noise)
        if begin == 0:
            warm = min(WARM, len(self.noises))
            self.noises[:warm] = [self.noises[warm - 1]] * warm

    def _watch_still(self, blocks_g: NDArray[np.float32], first: int) -> None:
        still = blocks_g[0] == blocks_g[-1]
        if still.any():
            still &= (blocks_g == blocks_g[0]).all(axis=0)
        self._still = np.where(still, self._still + 1, 0)
        self._still_since_s[self._still == 1] = self._stream.time_s[first - self._stream.offset]
        stuck = np.flatnonzero(self._still * EPOCH >= _STUCK_S * self._stream.per_s).tolist()
        if stuck and self._learner.noise.alive.mean() > 0.5:
            for column in stuck:
                self._stuck.setdefault(column, float(self._still_since_s[column]))

    def _measure_shaking(self, begin: int, end: int, detail: NDArray[np.float32]) -> None:
        """From the detail within blocks, which no step changes on more than a few plates for more than a moment."""
        level = np.empty(end - begin)
        for noise, rows in self._spans():
            alive = max(1, int(np.count_nonzero(noise.alive)))
            score = np.minimum(np.abs(detail[rows]) * noise.fineness, np.float32(3))
            level[rows] = score.sum(axis=1) / (_MEAN_DETAIL * alive)
        measured = min(max(self._stream.measured - begin, 0), end - begin)
        self.shaking = np.concatenate([self.shaking, level[:measured]])
        if measured < end - begin:
            self.shaking = np.append(self.shaking, np.repeat(self.shaking[-4:].mean(), end - begin - measured))

    def _unrest(self, begin: int, end: int, widths: Sequence[int], grain: int) -> NDArray[np.float32]:
        """As `measure`; windows begin and end at every `grain`-th block, and hold between one.

        They are doubled up to the widest, so that the same sums come out however many blocks there are.
        """
        widest, width, count = widths[-1] // grain, 1, (end - begin) // grain
        rows = self._stream.rows(begin - widths[-1], end + widths[-1])
        sums, power = _summed(self._stream.values_g[rows], grain), _summed(self.shaking[rows] ** 2, grain)
        most = np.zeros((count, len(self._starts)), np.float32)
        while width <= widest:
            blocks, inside = width * grain, slice(widest - width, widest - width + count)
            if blocks in widths:
                apart = np.abs(sums[width:][inside] - sums[:-width][inside])
                for noise, span in self._spans(EPOCH // grain):
                    limit_g = blocks * np.maximum(self._threshold * noise.step_g[SCALES.index(blocks)], _LEAST_G)
                    apart[span] *= (1 / limit_g).astype(np.float32)
                louder = np.sqrt(np.maximum((power[width:][inside] + power[:-width][inside]) / (2 * blocks), 1.0))
                clearest = np.maximum.reduceat(apart, self._starts, axis=1)
                np.maximum(most, clearest / louder[:, None].astype(np.float32), out=most)
            sums, power = sums[:-width] + sums[width:], power[:-width] + power[width:]
            width *= 2
        return most if grain == 1 else np.repeat(most, grain, axis=0)

    def _spans(self, rows: int = EPOCH) -> Iterator[tuple[Noise, slice]]:
        """Runs of rows for which the noise is taken to be the same, so many rows an epoch."""
        first = 0
        for _, run in itertools.groupby(self.noises, key=id):
            count = sum(1 for _ in run)
            yield self.noises[first], slice(first * rows, (first + count) * rows)
            first += count


def _summed(values: NDArray[Any], count: int) -> NDArray[Any]:
    """Sums of so many rows each, row by row: always in the same order."""
    sums: NDArray[Any] = values[::count]
    for row in range(1, count):
        sums = sums + values[row::count]
    return sums
