from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import JOINTS, FloorTracks, Zone
from gocv.multicamera import MendSettings, mend
from gocv.multicamera.mend import _marginals

ENTRANCE = Zone("entrance", np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0], [0.0, 2.0]]))
SHOP = Zone("shop", np.array([[0.0, 0.0], [8.0, 0.0], [8.0, 5.0], [0.0, 5.0]]))
ZONES = (ENTRANCE, SHOP)
NOISE_M = 0.012


def walk(start_s, points, speed=1.0):
    """(times, places), ten a second: along points at a walk from a time on."""
    points = np.array(points, float)
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.arange(0.0, way[-1], 0.1 * speed)
    xy = np.stack([np.interp(at, way, points[:, k]) for k in (0, 1)], axis=1)
    return np.round(start_s + 0.1 * np.arange(len(at)), 3), xy


def stand(start_s, place, seconds):
    time_s = np.round(start_s + 0.1 * np.arange(round(seconds * 10)), 3)
    return time_s, np.tile(np.array(place, float), (len(time_s), 1))


def tracks(*pieces, seed=0, shuffle=False):
    """Of (name, times, places) pieces; a name may have several."""
    rng = np.random.default_rng(seed)
    names = tuple(dict.fromkeys(name for name, _, _ in pieces))
    time_s = np.concatenate([t for _, t, _ in pieces])
    shopper = np.concatenate([np.full(len(t), names.index(name)) for name, t, _ in pieces])
    xy_m = np.concatenate([xy for _, _, xy in pieces])
    xy_m = xy_m + rng.normal(0, NOISE_M, xy_m.shape)
    order = rng.permutation(len(time_s)) if shuffle else np.argsort(time_s, kind="stable")
    return FloorTracks.sightings(names, time_s[order], shopper[order], xy_m=xy_m[order])


def broken(gap_s=1.5, aside_m=0.0, name="b"):
    """Somebody who comes in, stands, is lost, and goes on under another name."""
    come = walk(0.0, [(0.5, 1.0), (4.0, 1.0), (4.0, 3.0)])
    still = stand(come[0][-1] + 0.1, (4.0, 3.0), 2.0)
    again = stand(still[0][-1] + gap_s, (4.0 + aside_m, 3.0), 2.0)
    leave = walk(again[0][-1] + 0.1, [(4.0 + aside_m, 3.0), (0.5, 1.0)])
    return [("a", *come), ("a", *still), (name, *again), (name, *leave)]


class TestNothingBroken:
    @pytest.mark.parametrize(
        "table",
        [
            tracks(*broken(name="a")),
            tracks(("a", *walk(0, [(0.5, 1), (7, 1)])), ("b", *walk(30, [(0.5, 1), (7, 1)]))),
            tracks(("a", *walk(0, [(0.5, 1), (7, 1)])), ("b", *walk(0, [(0.5, 1.45), (7, 1.45)]))),
            tracks(("a", *walk(0, [(2, 1), (6, 1)])), ("b", *walk(0, [(6, 1.3), (2, 1.3)]))),
            FloorTracks.empty(shoppers=("a",)),
            FloorTracks.sightings(("a",), [1.0, 2.0], [0, 0]),
        ],
        ids=["lost and found", "one after the other", "side by side", "passing by", "no rows", "no places"],
    )
    def test_the_very_table_comes_back(self, table):
        mended = mend(table, ZONES)
        assert mended.tracks is table
        assert mended.report == ()


class TestBreaks:
    @pytest.mark.parametrize("gap_s", [0.4, 1.5, 3.0])
    @pytest.mark.parametrize("shuffle", [False, True])
    def test_a_name_that_broke_is_joined(self, gap_s, shuffle):
        table = tracks(*broken(gap_s), shuffle=shuffle)
        mended = mend(table, ZONES)
        assert mended.tracks.shoppers == ("a",)
        assert np.array_equal(mended.tracks.time_s, table.time_s)
        assert np.array_equal(mended.tracks.xy_m, table.xy_m)
        (entry,) = mended.report
        assert "shopper b" in entry["where"]
        assert "is a" in entry["problem"]
        assert float(entry["probability"]) > 0.9

    def test_a_chain_of_breaks_is_one_shopper(self):
        pieces = [(n, *stand(s, (4.0, 3.0), 1.0)) for n, s in (("a", 4.0), ("b", 6.0), ("c", 8.0))]
        mended = mend(tracks(("a", *walk(0.0, [(0.5, 1.0), (4.0, 3.0)])), *pieces), ZONES)
        assert mended.tracks.shoppers == ("a",)
        assert len(mended.report) == 2

    def test_who_walks_is_found_further_on(self):
        first = walk(0.0, [(0.5, 1.0), (3.0, 1.0)])
        second = walk(first[0][-1] + 1.0, [(3.9, 1.0), (7.0, 1.0)])
        assert mend(tracks(("a", *first), ("b", *second)), ZONES).tracks.shoppers == ("a",)

    def test_a_name_that_broke_in_the_doorway_is_joined(self):
        assert mend(self.doorway(aside_m=0.07), ZONES).tracks.shoppers == ("a",)

    def test_who_comes_in_beside_one_who_leaves_is_somebody_else(self):
        table = self.doorway(aside_m=0.7)
        assert mend(table, ZONES).tracks is table

    @staticmethod
    def doorway(aside_m):
        """One who stands in the entrance, and 0.4 s after the name ends another that begins there."""
        first = stand(0.0, (0.6, 1.0), 2.0)
        second = stand(first[0][-1] + 0.4, (0.6, 1.0 + aside_m), 2.0)
        return tracks(("a", *first), ("b", *second))

    @pytest.mark.parametrize(
        ("pieces", "zones"),
        [
            (broken(gap_s=15.0), ZONES),
            (broken(gap_s=0.5, aside_m=3.0), ZONES),
            (broken(), (SHOP,)),
            ([("a", *stand(0.0, (4, 3), 5.0)), ("b", *walk(6.0, [(0.5, 1.0), (4.0, 3.0)]))], ZONES),
            ([("a", *stand(0.0, (4, 3), 5.0)), ("b", *stand(3.0, (4, 3.3), 5.0))], ZONES),
        ],
        ids=["too late", "too far", "no entrance known", "came in", "both present"],
    )
    def test_nothing_is_joined_that_does_not_fit(self, pieces, zones):
        table = tracks(*pieces)
        assert mend(table, zones).tracks is table

    def test_where_two_may_be_meant_neither_is(self):
        lost = [(n, *stand(0.0, place, 5.0)) for n, place in (("a", (4.0, 3.0)), ("b", (4.6, 3.0)))]
        table = tracks(*lost, ("c", *stand(6.5, (4.3, 3.0), 5.0)))
        assert mend(table, ZONES).tracks is table

    def test_two_breaks_at_once_are_joined_each_to_its_own(self):
        lost = [(n, *stand(0.0, place, 5.0)) for n, place in (("a", (3.0, 3.0)), ("b", (5.0, 3.0)))]
        found = [(n, *stand(6.5, place, 5.0)) for n, place in (("c", (5.1, 3.0)), ("d", (3.1, 3.0)))]
        mended = mend(tracks(*lost, *found), ZONES).tracks
        own = [
            {mended.shoppers[s] for s in mended.shopper[on]} for on in (mended.xy_m[:, 0] < 4, mended.xy_m[:, 0] > 4)
        ]
        assert own == [{"a"}, {"b"}]

    def test_places_come_from_joints_where_the_floor_is_not_known(self):
        table = tracks(*broken())
        joints_m = np.full((len(table), len(JOINTS), 3), np.nan)
        joints_m[:, 1, :2], joints_m[:, 1, 2] = table.xy_m, 1.5
        bare = FloorTracks.sightings(table.shoppers, table.time_s, table.shopper, joints_m=joints_m)
        assert mend(bare, ZONES).tracks.shoppers == ("a",)


class TestExchanges:
    A, B = (walk(0.0, [(2.0, 1.0), (7.0, 1.0)]), walk(0.0, [(7.0, 1.45), (2.0, 1.45)]))

    def exchanged(self, *rows):
        """Two who pass each other, names exchanged at each of some rows."""
        rows = [0, *rows, len(self.A[0])]
        pieces = []
        for turn, span in enumerate(itertools.pairwise(rows)):
            for name, (time_s, xy_m) in zip("ab" if turn % 2 == 0 else "ba", (self.A, self.B), strict=True):
                pieces.append((name, time_s[slice(*span)], xy_m[slice(*span)]))
        return tracks(*pieces)

    @pytest.mark.parametrize("rows", [(25,), (24, 26), (23, 25, 27)])
    def test_an_exchange_is_undone(self, rows):
        mended = mend(self.exchanged(*rows), ZONES)
        own = [{mended.tracks.shoppers[s] for s in mended.tracks.shopper[on]} for on in self.sides(mended.tracks)]
        assert own == [{"a"}, {"b"}]
        assert len(mended.report) == len(rows)
        assert "exchanged" in mended.report[0]["problem"]
        assert float(mended.report[0]["time_s"]) == pytest.approx(rows[0] / 10)

    @staticmethod
    def sides(table):
        return table.xy_m[:, 1] < 1.225, table.xy_m[:, 1] > 1.225

    def test_exchanges_among_three_are_undone_in_turn(self):
        waits = stand(0.0, (3.5, 1.9), 5.0)
        names = {"walks": "abb", "comes": "bac", "waits": "cca"}  # at 2.5 s a and b exchange names, at 3.5 s a and c
        pieces = [
            (named, time_s[slice(*span)], xy_m[slice(*span)])
            for own, (time_s, xy_m) in zip(names.values(), (self.A, self.B, waits), strict=True)
            for named, span in zip(own, ((0, 25), (25, 35), (35, 50)), strict=True)
        ]
        mended = mend(tracks(*pieces), ZONES).tracks
        level = mended.xy_m[:, 1]
        own = [{mended.shoppers[s] for s in mended.shopper[np.abs(level - y) < 0.2]} for y in (1.0, 1.45, 1.9)]
        assert own == [{"a"}, {"b"}, {"c"}]

    def test_one_who_jumps_alone_is_left_alone(self):
        jump = ("a", self.A[0], np.where(self.A[0][:, None] < 2.5, self.A[1], self.A[1] + (0, 1.0)))
        table = tracks(jump, ("b", *self.B))
        assert mend(table, ZONES).tracks is table

    def test_prior_odds_can_forbid_it(self):
        table = self.exchanged(25)
        assert mend(table, ZONES, MendSettings(swap_odds=1e-300)).tracks is table


def pairings(odds):
    """Slowly: every way of pairing rows and columns one to one, as (pairs, product of their odds)."""
    n, m = odds.shape
    for size in range(min(n, m) + 1):
        for rows in itertools.combinations(range(n), size):
            for cols in itertools.permutations(range(m), size):
                pairs = tuple(zip(rows, cols, strict=True))
                yield pairs, float(np.prod([odds[pair] for pair in pairs]))


class TestMarginals:
    @settings(max_examples=60, deadline=None)
    @given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 10**6))
    def test_probabilities_are_those_of_the_sum_over_all_pairings(self, n, m, seed):
        odds = np.exp(np.random.default_rng(seed).normal(0, 4, (n, m)))
        odds[odds < 0.01] = 0.0
        whole, each = 0.0, np.zeros((n, m))
        for pairs, weight in pairings(odds):
            whole += weight
            for pair in pairs:
                each[pair] += weight
        assert _marginals(odds) == pytest.approx(each / whole, abs=1e-9)

    def test_hundreds_of_names_that_could_all_be_each_other_are_no_trouble(self):
        odds = np.random.default_rng(0).uniform(0.01, 0.1, (40, 300))
        odds[np.arange(40), np.arange(40)] = np.exp(300)
        probability = _marginals(odds)
        assert np.diagonal(probability) == pytest.approx(np.ones(40))
        assert (probability.sum(axis=0) <= 1 + 1e-9).all()
