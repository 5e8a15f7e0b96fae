"""Batches of P people with K pictures each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError

Int64 = NDArray[np.int64]


class PeopleSampler:
    """A batch sampler: P people, K pictures of each (Hermans et al. 2017, arXiv:1703.07737, §2), and some unlabelled.

    An epoch shows about as many pictures as there are. A person's pictures come from as many cameras as they can.
    Someone with fewer than K pictures is shown with some of them twice. Each row comes with a seed of its own, so that
    how it is varied follows from the sampler's seed and the epoch alone, whatever process reads it: a training that
    goes on after an epoch sees what it would have seen.

    Args:
        person: (n,) whole numbers; negative where the person is not known.
        camera: (n,) whole numbers.
        people: P, of a batch of one process.
        pictures: K.
        unlabelled: Rows of a batch whose person is not known.
        seed: Of what is drawn.
        rank: Number of this process, where several train together; each draws other batches.
        processes: How many train together.

    Raises:
        DataError: There are fewer than P people, or no unlabelled rows where some are wanted.
    """

    def __init__(
        self,
        person: Int64,
        camera: Int64,
        *,
        people: int,
        pictures: int,
        unlabelled: int = 0,
        seed: int = 0,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self._known = np.unique(person[person >= 0])
        self._rows = {int(who): np.flatnonzero(person == who) for who in self._known}
        self._others = np.flatnonzero(person < 0)
        self._camera = camera
        if len(self._known) < people:
            raise DataError(f"there are {len(self._known)} people", key="people", expected=f"at least {people}")
        if unlabelled and not len(self._others):
            raise DataError("there is no unlabelled picture", key="unlabelled", expected="0, or such pictures")
        self._people, self._pictures, self._unlabelled = people, pictures, unlabelled
        self._seed, self._rank = seed, rank
        labelled = len(person) - len(self._others)
        self._length = max(1, labelled // (people * pictures * processes))
        self.set_epoch(0)

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self._length

    @property
    def sampler(self) -> PeopleSampler:
        """Itself: Lightning tells the epoch to the sampler of a batch sampler, and to no other."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Which epoch comes next, from 0."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        """Batches of rows, each with the seed of how it is varied."""
        rng = np.random.default_rng([self._seed, self._epoch, self._rank])
        waiting: list[int] = []
        for _ in range(self._length):
            while len(waiting) < self._people:
                waiting += [who for who in rng.permutation(self._known).tolist() if who not in waiting]
            chosen, waiting = waiting[: self._people], waiting[self._people :]
            rows = np.concatenate([self._of(who, rng) for who in chosen])
            if self._unlabelled:
                rows = np.concatenate([rows, rng.choice(self._others, self._unlabelled)])
            yield list(zip(rows.tolist(), rng.integers(0, 2**31, len(rows)).tolist(), strict=True))

    def _of(self, who: int, rng: np.random.Generator) -> Int64:
        """(K,) rows of a person: the first of every camera, then the second, and so on."""
        rows = rng.permutation(self._rows[who])
        order = np.argsort(self._camera[rows], kind="stable")
        cameras, first = np.unique(self._camera[rows][order], return_index=True)
        turn = np.empty(len(rows), np.int64)
        turn[order] = np.arange(len(rows)) - np.repeat(first, np.diff([*first, len(rows)]))
        lot = rng.permutation(len(cameras))[np.searchsorted(cameras, self._camera[rows])]
        taken = rows[np.lexsort((lot, turn))][: self._pictures]
        return np.resize(taken, self._pictures)
