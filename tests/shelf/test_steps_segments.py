"""The cut into rests and moves, against trying out every cut."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.shelf.segments import Odds, find_rests


def cost_of(values, weights, odds, cut):
    """Cost of a cut, as [(kind, first, last), ...], from the definition."""
    plates, total = values.shape[1], 0.0
    for kind, first, last in cut:
        count, w = last - first, weights[first:last]
        design = np.ones((count, 1)) if kind == "rest" else np.stack([np.ones(count), np.arange(count)], axis=1)
        root = np.sqrt(w)[:, None]
        fit, *_ = np.linalg.lstsq(root * design, root * values[first:last], rcond=None)
        squares = (w[:, None] * (values[first:last] - design @ fit) ** 2).sum(axis=0)
        ratio = squares / count
        total += sum(count / 2 * (r if r <= 1 else 1 + np.log(r)) for r in ratio)
        base, each = odds.rest if kind == "rest" else odds.move
        total += base + each * plates
        if kind == "rest" and count < odds.shortest:
            return np.inf
    return total


def all_cuts(count):
    for edges in itertools.chain.from_iterable(
        itertools.combinations(range(1, count), k) for k in range(min(count, 5))
    ):
        bounds = [0, *edges, count]
        spans = list(itertools.pairwise(bounds))
        for kinds in itertools.product(("rest", "move"), repeat=len(spans)):
            if kinds[0] == kinds[-1] == "rest":
                yield [(kind, a, b) for kind, (a, b) in zip(kinds, spans, strict=True)]


@given(
    levels=st.lists(st.integers(-30, 30), min_size=1, max_size=3),
    lengths=st.lists(st.integers(2, 4), min_size=3, max_size=3),
    seed=st.integers(0, 2**31),
    plates=st.integers(1, 2),
)
@settings(max_examples=25, deadline=None)
def test_no_cut_is_better(levels, lengths, seed, plates):
    rng = np.random.default_rng(seed)
    values = np.concatenate([np.full((n, plates), float(g)) for g, n in zip(levels, lengths, strict=False)])[:9]
    values = np.concatenate([values[:1], values])
    values += rng.normal(0, 1, values.shape)
    weights = rng.uniform(0.2, 1, len(values))
    odds = Odds(rest=(2.0, 1.0), move=(2.0, 1.5), shortest=2)
    found = find_rests(values, weights, odds)
    best = min(cost_of(values, weights, odds, cut) for cut in all_cuts(len(values)))
    of_found = [
        cost_of(values, weights, odds, cut)
        for cut in all_cuts(len(values))
        if [(a, b) for kind, a, b in cut if kind == "rest"] == found
    ]
    assert min(of_found) == pytest.approx(best, abs=1e-6)


def level(grams, blocks):
    return np.full(blocks, float(grams))


def slow(start, end, blocks):
    u = np.linspace(0, 1, blocks)
    return start + (end - start) * (10 * u**3 - 15 * u**4 + 6 * u**5)


SHAPES = [
    ("nothing", level(0, 40), [0]),
    ("a jump", np.concatenate([level(0, 10), level(-200, 10)]), [0, -200]),
    ("a lift", np.concatenate([level(0, 10), slow(0, -200, 5), level(-200, 10)]), [0, -200]),
    ("two steps", np.concatenate([level(0, 10), slow(0, -80, 4), level(-80, 10), level(-200, 10)]), [0, -80, -200]),
    ("a press", np.concatenate([level(0, 10), slow(0, 40, 3), level(40, 6), level(-200, 10)]), [0, 40, -200]),
]


@pytest.mark.parametrize(("values", "expected"), [s[1:] for s in SHAPES], ids=[s[0] for s in SHAPES])
@pytest.mark.parametrize("seed", range(5))
def test_rests_of_lifts(values, expected, seed):
    noisy = values[:, None] + np.random.default_rng(seed).normal(0, 1, (len(values), 1))
    rests = find_rests(noisy, np.ones(len(values)), Odds())
    assert [noisy[a:b].mean() for a, b in rests] == pytest.approx(expected, abs=3)
    assert rests[0][0] == 0
    assert rests[-1][1] == len(values)


@pytest.mark.parametrize("seed", range(5))
def test_a_slow_lift_is_no_staircase(seed):
    values = np.concatenate([level(0, 10), slow(0, -200, 100), level(-200, 10)])[:, None]
    rests = find_rests(values + np.random.default_rng(seed).normal(0, 1, values.shape), np.ones(len(values)), Odds())
    assert len(rests) <= 3
    assert [values[rests[k][0] : rests[k][1]].mean() for k in (0, -1)] == pytest.approx([0, -200], abs=3)


def test_shaken_readings_count_for_less():
    values = np.zeros((30, 1))
    values[10:20, 0] = 6 * (-1.0) ** np.arange(10) + 3
    weights = np.where((np.arange(30) >= 10) & (np.arange(30) < 20), 1 / 49, 1.0)
    assert find_rests(values, weights, Odds()) == [(0, 30)]
    assert len(find_rests(values, np.ones(30), Odds())) > 1
