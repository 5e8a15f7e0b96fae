"""Whom each camera's own tracks mean: a belief that is carried from look to look.

A camera's own tracker gives a number to a person and mostly keeps it. So its track u is a hidden Markov chain over the
people who are followed and nobody: from one look to the next it stays with whom it meant with probability a, else it
may mean anybody; what it sees of j has density l_j, at least λ, and of nobody λ. This is the forward algorithm of that
chain (Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77 (1989), eq. 19 and 20). Beliefs are held as log-odds
against nobody; 0 is to know nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_MOST = 8.0
_KEPT = 512
"""Chains are swept when there are this many more than at the last sweep."""


class OwnTracks:
    """The beliefs of all own tracks about n people.

    Args:
        changes_per_s: How often a track goes over to somebody else: after a time t, a of the module's text is the
            probability that it has not, e^(-t · changes_per_s).
        strangers_per_m2: λ.
        memory_s: A track that is silent for longer is forgotten.
    """

    def __init__(self, changes_per_s: float, strangers_per_m2: float, memory_s: float) -> None:
        self._changes_per_s, self._memory_s = changes_per_s, memory_s
        self._none = float(np.log(strangers_per_m2))
        self._row: dict[int, int] = {}
        self._belief = np.zeros((0, 0))
        self._last_s = np.zeros(0)

    def rows(self, own: Int64, time_s: float) -> Int64:
        """(n,) a chain for each look of an own track, its belief as of now; -1 for looks of none."""
        chain = np.full(len(own), -1)
        for i in np.flatnonzero(own >= 0).tolist():
            chain[i] = self._row.setdefault(int(own[i]), len(self._row))
        missing = len(self._row) - len(self._belief)
        if missing > 0:
            self._belief = np.concatenate([self._belief, np.zeros((missing, self._belief.shape[1]))])
            self._last_s = np.concatenate([self._last_s, np.full(missing, time_s)])
        known = chain[chain >= 0]
        stays = np.exp(-self._changes_per_s * (time_s - self._last_s[known]))[:, None]
        odds = np.exp(self._belief[known])
        whole = 1 + odds.sum(axis=1, keepdims=True)
        anybody = (1 - stays) / (self._belief.shape[1] + 1)
        self._belief[known] = np.log((stays * odds / whole + anybody) / (stays / whole + anybody))
        self._last_s[known] = time_s
        return chain

    def log_odds(self, chain: Int64, track: Int64) -> Float64:
        """(k,) of each pair of a look's chain and a person; 0 for looks of none."""
        if not len(self._belief):
            return np.zeros(len(chain))
        return np.where(chain >= 0, self._belief[chain, track], 0.0)

    def learn(self, chain: Int64, row: Int64, track: Int64, log_density: Float64) -> None:
        """Take account of what was seen.

        Args:
            chain: (n,) of each look, as `rows` gives it.
            row: (k,) index of the look of each pair that is near enough.
            track: (k,) its person.
            log_density: (k,) log l of the pair.
        """
        known = np.flatnonzero(chain >= 0)
        people = self._belief.shape[1]
        if not len(known):
            return
        density = np.zeros((len(chain), people))
        density[row, track] = np.maximum(log_density - self._none, 0.0)
        self._belief[chain[known]] = np.clip(self._belief[chain[known]] + density[known], -_MOST, _MOST)

    def appear(self, people: int) -> None:
        """So many more people are followed."""
        self._belief = np.concatenate([self._belief, np.zeros((len(self._belief), people))], axis=1)

    def keep(self, kept: Bool, time_s: float) -> None:
        """Only these people are followed from now on; silent chains go too."""
        self._belief = self._belief[:, kept]
        if len(self._row) > _KEPT and (self._last_s < time_s - self._memory_s).mean() > 0.5:
            alive = self._last_s >= time_s - self._memory_s
            number = np.cumsum(alive) - 1
            self._row = {own: int(number[row]) for own, row in self._row.items() if alive[row]}
            self._belief, self._last_s = self._belief[alive], self._last_s[alive]

    def join(self, one: int, other: int) -> None:
        """Two people turned out to be one: what was believed of the other is believed of the one."""
        self._belief[:, one] = np.maximum(self._belief[:, one], self._belief[:, other])
