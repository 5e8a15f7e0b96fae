"""When a hand is at a shelf, of hands whose way is known."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import ConfigError, FloorTracks
from gocv.interact.episodes import EpisodeSettings, find_episodes
from gocv.interact.paths import shopper_paths
from gocv.interact.zones import hand_zones


def spans(episodes) -> list[tuple[str, str, int, float, float]]:
    columns = (episodes.shopper, episodes.zone, episodes.hand, episodes.start_s, episodes.end_s)
    return [
        (episodes.shoppers[s], episodes.zones[z], h, round(a, 3), round(b, 3))
        for s, z, h, a, b in zip(*(c.tolist() for c in columns), strict=True)
    ]


class TestZones:
    def test_a_shelf_reaches_up_to_the_next_one_and_no_further_than_a_hand_does(self, store) -> None:
        zones = hand_zones(store)
        assert zones.names == ("1/1", "1/2")
        np.testing.assert_allclose(zones.size_m, [[0.3, 0.4, 0.35], [0.3, 0.4, 0.35]])
        np.testing.assert_allclose(zones.front_m, [[0.2, 1.0, 0.8], [0.2, 1.0, 1.2]])

    def test_shelves_turned_in_space_have_their_depth_away_from_the_shopper(self, store) -> None:
        import dataclasses

        turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        plates = {
            key: dataclasses.replace(plate, centre_m=turn @ plate.centre_m, rotation=turn)
            for key, plate in store.plates.items()
        }
        turned = hand_zones(dataclasses.replace(store, plates=plates))
        point = np.array([0.25, 1.15, 0.9])
        np.testing.assert_allclose(turned.local(turn @ point, 0), hand_zones(store).local(point, 0), atol=1e-12)

    def test_an_area_counts_inside_its_outline_alone(self, store) -> None:
        zones = hand_zones(store, ("counter",))
        away = zones.distance_m(np.array([[3.5, 0.5, 1.0], [4.5, 0.5, 1.0], [np.nan, 0.0, 0.0]]))
        assert zones.names[-1] == "counter"
        assert away[0, -1] == 0
        assert away[1, -1] > 0.4
        assert np.isnan(away[2]).all()

    def test_an_area_that_is_not_there_is_refused_by_name(self, store) -> None:
        with pytest.raises(ConfigError, match=r"no zone 'countr'.*counter"):
            hand_zones(store, ("countr",))


class TestEpisodes:
    def test_each_time_that_a_hand_goes_in_is_one(self, store, walk, reach) -> None:
        found = find_episodes(walk([reach(60, (10, 18), (40, 45))]), store)
        assert spans(found) == [("shopper-1", "1/1", 1, 1.0, 1.7), ("shopper-1", "1/1", 1, 4.0, 4.4)]

    @pytest.mark.parametrize(("gap", "many"), [(2, 1), (3, 2)])
    def test_a_short_break_does_not_part_them_and_a_longer_one_does(self, store, walk, reach, gap, many) -> None:
        hand = reach(60, (10, 18), (18 + gap, 26), depth_m=0.0)
        hand[:, 1] = np.where(hand[:, 1] < 0.9, 0.91, hand[:, 1])  # just out of reach of the shelf
        assert len(find_episodes(walk([hand]), store)) == many

    def test_a_hand_that_comes_out_half_way_was_there_twice(self, store, walk, reach) -> None:
        hand = reach(60, (10, 30), depth_m=0.25)
        hand[19:21, 1] = 1.03
        found = find_episodes(walk([hand]), store)
        assert [round(t, 1) for t in found.start_s] == [1.0, 1.9]
        for still_in in (1.08, 1.2):
            hand[19:21, 1] = still_in
            assert len(find_episodes(walk([hand]), store)) == 1

    def test_a_hand_between_two_shelves_is_at_both(self, store, walk, reach) -> None:
        found = find_episodes(walk([reach(40, (10, 20), height_m=1.17)]), store)
        assert [zone for _, zone, *_ in spans(found)] == ["1/1", "1/2"]

    def test_a_hand_that_is_lost_for_a_moment_stays_where_it_was(self, store, walk, reach) -> None:
        hand = reach(60, (10, 30))
        hand[14:18] = np.nan
        assert spans(find_episodes(walk([hand]), store)) == [("shopper-1", "1/1", 1, 1.0, 2.9)]
        hand[13:23] = np.nan
        assert len(find_episodes(walk([hand]), store)) == 2

    def test_shoppers_and_hands_are_told_apart(self, store, walk, reach) -> None:
        shoppers = walk([reach(40, (10, 20)), reach(40, (12, 22))], left_m=np.array([0.2, 1.2, 1.3]))
        found = spans(find_episodes(shoppers, store))
        assert ("shopper-2", "1/1", 1, 1.2, 2.1) in found
        assert ("shopper-1", "1/2", 0, 0.0, 3.9) in found
        assert [start for *_, start, _ in found] == sorted(start for *_, start, _ in found)

    def test_the_hand_and_not_the_wrist_counts(self, store, walk, reach) -> None:
        settings = EpisodeSettings(near_m=0.0)
        assert len(find_episodes(walk([reach(40, (10, 20), depth_m=0.05)]), store, settings)) == 1
        assert len(find_episodes(walk([reach(40, (10, 20), depth_m=-0.05)]), store, settings)) == 0

    def test_nobody_and_no_shelf_give_none(self, store, walk, reach) -> None:
        assert len(find_episodes(FloorTracks.empty(shoppers=("a",)), store)) == 0
        import dataclasses

        bare = dataclasses.replace(store, plates={})
        assert len(find_episodes(walk([reach(40, (10, 20))]), bare)) == 0


def test_paths_lie_on_one_grid_however_rows_are_timed(walk, reach) -> None:
    shoppers = walk([reach(20)], start_s=3.04)
    (path,) = shopper_paths(shoppers)
    assert path.first == 30
    np.testing.assert_allclose(path.time_s, 3.0 + 0.1 * np.arange(20))
    assert np.isfinite(path.hand_m).all()
