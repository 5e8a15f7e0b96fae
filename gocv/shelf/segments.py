"""Rests within a stretch of readings, by the most probable way to cut it into rests and moves.

Readings x_t of Q plates, in units of their noise, are cut into segments; each is a rest or a move, of all plates alike.
In a rest plate q stays at one level, in a move it follows a line, about which it strays with a variance v_q of its own,
at least that of the noise. With v_q and the coefficients at their best, a segment of n readings costs, as negative log
likelihood against noise about a known level,

    c(S) = Σ_q  R_q / 2                          where R_q <= n,
                n / 2 · (1 + log(R_q / n))       else,

R_q the weighted sum of squares about level or line. A rest costs its log odds besides, and so does a move. The cut with
least cost is found exactly by dynamic programming over all ends of segments (optimal partitioning: Jackson et al., IEEE
Signal Processing Letters 2005), with two states as in a hidden semi-Markov model: a rest follows a move, or another
rest where the level jumps between two readings; moves may follow one another, as a curve follows several lines.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True)
class Odds:
    """What is known of rests and moves before any reading.

    Defaults were chosen by how many of 1,256 changes in 78 simulated visits (development seeds) a run of steps tells
    apart, and how many steps there are where nothing happened. A rest must cost less than a move, which is as good as a
    rest where its line is flat.

    Attributes:
        rest: Log odds against a new rest beginning, for the shelf and for each plate whose level it sets anew.
        move: The same of a move, whose line has one coefficient more for each plate.
        shortest: Readings of the shortest rest.
        longest: Readings of the longest segment.
    """

    rest: tuple[float, float] = (4.0, 1.0)
    move: tuple[float, float] = (4.0, 2.5)
    shortest: int = 4
    longest: int = 60


def find_rests(values: _Array, weights: _Array, odds: Odds) -> list[tuple[int, int]]:
    """The rests of a stretch that begins and ends at rest.

    Args:
        values: (n, Q) readings in units of their noise, n >= `odds.shortest`.
        weights: (n,) of the readings: 1 for usual noise, less for readings while the store shakes.
        odds: Prior log odds.

    Returns:
        Rows [first, last) of each rest, in order; the first begins at 0 and the last ends at n.
    """
    count, plates = values.shape
    level, line = _costs(values, weights, min(odds.longest, count))
    rest_odds, move_odds = (base + each * plates for base, each in (odds.rest, odds.move))
    level[:, : odds.shortest - 1] = np.inf
    level += rest_odds
    line += move_odds
    rest, move = np.full(count + 1, np.inf), np.full(count + 1, np.inf)
    rest[0] = move[0] = 0.0
    into_rest, into_move = np.zeros(count + 1), np.full(count + 1, np.inf)
    came = np.zeros((2, count + 1), np.int64)
    for end in range(1, count + 1):
        longest = min(end, level.shape[1])
        starts = slice(end - longest, end)
        to_rest = into_rest[starts][::-1] + level[end - 1, :longest]
        to_move = into_move[starts][::-1] + line[end - 1, :longest]
        came[:, end] = to_rest.argmin() + 1, to_move.argmin() + 1
        rest[end], move[end] = to_rest[came[0, end] - 1], to_move[came[1, end] - 1]
        into_rest[end] = min(move[end], rest[end])
        into_move[end] = min(rest[end], move[end])
    return _traced(rest, move, came)


def _traced(rest: _Array, move: _Array, came: NDArray[np.int64]) -> list[tuple[int, int]]:
    rests, end, resting = [], len(rest) - 1, True
    while end > 0:
        start = end - int(came[0 if resting else 1, end])
        if resting:
            rests.append((start, end))
            resting = bool(rest[start] < move[start])
        else:
            resting = bool(rest[start] <= move[start])
        end = start
    return rests[::-1]


def _costs(values: _Array, weights: _Array, longest: int) -> tuple[_Array, _Array]:
    """(n, longest) costs of the segments that end with each row, by length, as rest and as move."""
    count = len(values)
    time = np.arange(count) - count / 2
    w = weights[:, None]
    t = time[:, None]
    columns = [w, w * t, w * t * t, w * values, w * values**2, w * t * values]
    sums = [np.concatenate([np.zeros((1, c.shape[1])), np.cumsum(c, axis=0)]) for c in columns]
    ends = np.arange(1, count + 1)[:, None]
    starts = np.maximum(ends - np.arange(1, longest + 1), 0)
    s_w, s_t, s_tt, s_x, s_xx, s_tx = (s[ends] - s[starts] for s in sums)
    about_level = np.maximum(s_xx - s_x**2 / s_w, 0.0)
    spread = s_tt - s_t**2 / s_w
    slope = (s_tx - s_t * s_x / s_w) ** 2 / np.maximum(spread, 1e-9)
    about_line = np.maximum(about_level - np.where(spread > 1e-9, slope, 0.0), 0.0)
    size = np.arange(1.0, longest + 1)[None, :, None]
    return _cost(about_level, size), _cost(about_line, size)


def _cost(squares: _Array, size: _Array) -> _Array:
    ratio = squares / size
    each = size / 2 * np.where(ratio <= 1, ratio, 1 + np.log(np.maximum(ratio, 1)))
    cost: _Array = each.sum(axis=2)
    return cost
