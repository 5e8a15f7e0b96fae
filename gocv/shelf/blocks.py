"""Samples of one group of plates as block means on an even grid, held as long as somebody may ask for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gocv.core import PlateId, ScaleSamples, ShelfId
from gocv.shelf.grid import EvenGrid

_BLOCKS_PER_S = 20

_Array32 = NDArray[np.float32]


class BlockStream:
    """Averages samples over blocks of 50 ms, at least three samples; blocks are numbered from 0.

    Args:
        rate_hz: Samples per second.

    Attributes:
        per_s: Blocks per second.
        plates: The plates, sorted.
        shelves: Each shelf and its columns.
        values_g: (n, P) float32 block means, grams since each plate's first reading.
        time_s: (n,) float64 of the middle of each block.
        offset: Number of the first block held.
        measured: Number of the block after the last measured one; those that follow only repeat it.
    """

    def __init__(self, rate_hz: float) -> None:
        self._size = max(3, round(rate_hz / _BLOCKS_PER_S))
        self.per_s = rate_hz / self._size
        self._grid = EvenGrid(rate_hz)
        self._samples, self._sample_times = np.empty((0, 0), np.float32), np.empty(0)
        self._order: NDArray[np.int64] | slice = slice(None)
        self._detail = np.empty((0, 0), np.float32)
        self.plates: tuple[PlateId, ...] = ()
        self.shelves: list[tuple[ShelfId, slice]] = []
        self.values_g, self.time_s = np.empty((0, 0), np.float32), np.empty(0)
        self.offset = self.measured = 0

    @property
    def end(self) -> int:
        """Number of the block after the last one held."""
        return self.offset + len(self.values_g)

    def push(self, samples: ScaleSamples) -> None:
        """Take in samples that follow those before.

        Raises:
            DataError: The plates are not those of the call before.
        """
        weight_g, time_s = self._grid.push(samples)
        if not self.plates and len(weight_g):
            self._learn_plates(self._grid.plates)
        self._average(weight_g[:, self._order] if len(weight_g) else weight_g, time_s)
        self.measured = self.end

    def finish(self, blocks: int, epoch: int) -> None:
        """Take in what is left, and suppose that all stays as it is: for so many blocks at least, to a whole epoch."""
        weight_g, time_s = self._grid.finish()
        if not len(weight_g):
            return
        if not self.plates:
            self._learn_plates(self._grid.plates)
        missing = self._size - len(self._samples)
        self._average(np.repeat(weight_g[:, self._order], missing, axis=0), np.repeat(time_s, missing))
        self.measured = self.end
        last_g = self.values_g[-min(4, len(self.values_g)) :].mean(axis=0, keepdims=True)
        blocks += -(self.end + blocks) % epoch
        self._append(np.repeat(last_g, blocks, axis=0), np.zeros_like(last_g).repeat(blocks, axis=0), self.time_s[-1:])

    def suppose_before(self, blocks: int) -> None:
        """Put so many blocks of the first level before block 0."""
        first_g = self.values_g[: min(4, max(1, self.measured))].mean(axis=0, keepdims=True)
        self.values_g = np.concatenate([np.repeat(first_g, blocks, axis=0), self.values_g])
        self.time_s = np.concatenate([np.repeat(self.time_s[:1], blocks), self.time_s])
        self.offset = -blocks

    def rows(self, first: int, last: int) -> slice:
        """Rows of `values_g` of the blocks [first, last)."""
        return slice(first - self.offset, last - self.offset)

    def take_detail(self, blocks: int) -> _Array32:
        """(blocks, P) second differences of the samples within the next blocks, each given once, grams."""
        taken, self._detail = self._detail[:blocks], self._detail[blocks:].copy()
        return taken

    def time(self, block: float) -> float:
        """The time at a point among the blocks, 0.5 being the middle of block 0."""
        return float(np.interp(block - 0.5 - self.offset, np.arange(len(self.time_s)), self.time_s))

    def forget(self, before: int) -> int:
        """Let go of the blocks before a number; returns how many these are."""
        count = max(before - self.offset, 0)
        if count:
            self.values_g, self.time_s = self.values_g[count:].copy(), self.time_s[count:].copy()
            self.offset += count
        return count

    def report(self) -> list[dict[str, str]]:
        """What was irregular in the samples so far."""
        return self._grid.report()

    def _learn_plates(self, plates: tuple[PlateId, ...]) -> None:
        self.plates = tuple(sorted(plates))
        if self.plates != plates:
            self._order = np.array([plates.index(plate) for plate in self.plates])
        ids = [p.shelf_id for p in self.plates]
        starts = [i for i, shelf in enumerate(ids) if i == 0 or shelf != ids[i - 1]]
        self.shelves = [(ids[a], slice(a, b)) for a, b in zip(starts, [*starts[1:], len(ids)], strict=True)]

    def _average(self, weight_g: _Array32, time_s: NDArray[np.float64]) -> None:
        if len(self._samples):
            weight_g = np.concatenate([self._samples, weight_g]) if len(weight_g) else self._samples
            time_s = np.concatenate([self._sample_times, time_s])
        count = len(weight_g) // self._size
        whole = count * self._size
        self._samples, self._sample_times = weight_g[whole:].copy(), time_s[whole:].copy()
        if not count:
            return
        cut = weight_g[:whole].reshape(count, self._size, -1)
        # Sample by sample: so the same sums come out however many blocks there are, and fast.
        blocks_g = cut[:, 0] + cut[:, 1]
        for sample in range(2, self._size):
            blocks_g += cut[:, sample]
        blocks_g *= np.float32(1 / self._size)
        middle = self._size // 2
        detail = cut[:, middle - 1] + cut[:, middle + 1]
        detail -= 2 * cut[:, middle]
        self._append(blocks_g, detail, time_s[:whole].reshape(count, self._size)[:, middle])

    def _append(self, blocks_g: _Array32, detail: _Array32, time_s: NDArray[np.float64]) -> None:
        if len(time_s) < len(blocks_g):
            time_s = np.repeat(time_s, len(blocks_g))
        held = len(self.values_g) > 0
        self.values_g = np.concatenate([self.values_g, blocks_g]) if held else blocks_g
        self._detail = np.concatenate([self._detail, detail]) if len(self._detail) else detail
        self.time_s = np.concatenate([self.time_s, time_s]) if held else time_s.copy()
