"""Clips of hands whose way, and whose looks, are known."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import HandLooks
from gocv.interact.clips import CHANNELS, LOOK_CHANNELS, LOOK_FEATURES, blind, clips_of
from gocv.interact.episodes import EpisodeSettings, episodes_of
from gocv.interact.features import FEATURES, LOOKS
from gocv.interact.paths import shopper_paths
from gocv.interact.zones import hand_zones


@pytest.fixture
def clip(store):
    """(clips, episodes) of shoppers' tracks and looks."""

    def made(shoppers, looks=None):
        zones, paths = hand_zones(store), shopper_paths(shoppers)
        episodes = episodes_of(paths, shoppers.shoppers, zones, EpisodeSettings())
        none = HandLooks.empty(shoppers=(), cameras=())
        return clips_of(episodes, paths, zones, none if looks is None else looks), episodes

    return made


def number(clips, name: str, row: int = 0) -> float:
    return float(clips.features[row, FEATURES.index(name)])


def test_numbers_of_a_reach_are_those_of_its_way(clip, walk, reach) -> None:
    clips, _ = clip(walk([reach(80, (30, 40), depth_m=0.22)]))
    assert number(clips, "duration_s") == pytest.approx(1.0)
    assert number(clips, "inside_s") == pytest.approx(1.0)
    assert number(clips, "depth_max_m") == pytest.approx(0.22)
    assert number(clips, "height_m") == pytest.approx(0.1)
    assert number(clips, "depth_1_before_m") == pytest.approx(-0.4)
    assert number(clips, "dips") == 0
    assert number(clips, "seen_share") == 1
    assert np.isnan(clips.features[0, LOOK_FEATURES[0]])


def test_rows_are_the_ways_of_the_hand_around_the_middle(clip, walk, reach) -> None:
    clips, _ = clip(walk([reach(60, (20, 30))]))
    inside = clips.inside[0]
    assert inside.sum() == 10
    depth = clips.frames[0, :, CHANNELS.index("hand_y")]
    np.testing.assert_allclose(depth[inside], 0.2, atol=1e-6)
    np.testing.assert_allclose(
        depth[~inside & (clips.frames[0, :, CHANNELS.index("hand_known")] == 1)], -0.4, atol=1e-6
    )
    beyond = clips.frames[0, :, CHANNELS.index("hand_known")] == 0  # the tracks begin 2.4 s before, the clip 3.2 s
    assert beyond.any()
    assert (clips.frames[0, beyond][:, : CHANNELS.index("inside")] == 0).all()


def test_where_a_clip_is_in_the_store_and_in_time_does_not_matter(store, walk, reach) -> None:
    import dataclasses

    none = HandLooks.empty(shoppers=(), cameras=())
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    plates = {
        key: dataclasses.replace(plate, centre_m=turn @ plate.centre_m + [2.0, 3.0, 0.0], rotation=turn)
        for key, plate in store.plates.items()
    }
    here = walk([reach(80, (30, 40))])
    there = walk([reach(80, (30, 40))], start_s=400.0)
    there = dataclasses.replace(there, joints_m=there.joints_m @ turn.T + [2.0, 3.0, 0.0])
    found = []
    for shoppers, where in ((here, store), (there, dataclasses.replace(store, plates=plates))):
        zones, paths = hand_zones(where), shopper_paths(shoppers)
        found.append(clips_of(episodes_of(paths, shoppers.shoppers, zones, EpisodeSettings()), paths, zones, none))
    np.testing.assert_allclose(found[0].frames, found[1].frames, atol=1e-5)
    np.testing.assert_allclose(found[0].features, found[1].features, atol=1e-5)


def test_a_hand_that_comes_back_full_has_gained(clip, walk, reach, seen) -> None:
    tracks = walk([reach(80, (30, 40))])
    took, _ = clip(tracks, seen([0] * 35 + [1] * 45))
    put, _ = clip(tracks, seen([1] * 35 + [0] * 45))
    swapped, _ = clip(tracks, seen([1] * 35 + [2] * 45))
    kept, _ = clip(tracks, seen([1] * 80))
    log_odds = np.log(0.95 / 0.05)
    assert number(took, "gain") == pytest.approx(2 * log_odds, abs=1e-4)
    assert number(put, "gain") == pytest.approx(-2 * log_odds, abs=1e-4)
    assert number(swapped, "gain") == pytest.approx(0, abs=1e-6)
    assert number(swapped, "before_after_like") == pytest.approx(0, abs=1e-6)
    assert number(kept, "before_after_like") == pytest.approx(1)
    assert number(took, "looks_before") == 1


def test_looks_of_somebody_else_or_another_time_say_nothing(clip, walk, reach, seen) -> None:
    tracks = walk([reach(80, (30, 40))])
    import dataclasses

    for looks in (seen([1] * 80, start_s=100.0), dataclasses.replace(seen([1] * 80), shoppers=("shopper-9",))):
        clips, _ = clip(tracks, looks)
        bare, _ = clip(tracks)
        np.testing.assert_array_equal(clips.features, bare.features)
        np.testing.assert_array_equal(clips.frames, bare.frames)


def test_a_blind_clip_is_that_of_nobody_looking(clip, walk, reach, seen) -> None:
    tracks = walk([reach(80, (30, 40))])
    clips, _ = clip(tracks, seen([0] * 35 + [1] * 45))
    bare, _ = clip(tracks)
    frames, features = blind(clips.frames, clips.features)
    np.testing.assert_array_equal(frames, bare.frames)
    np.testing.assert_array_equal(features, bare.features)
    assert (clips.frames[..., LOOK_CHANNELS] != 0).any()
    assert len(LOOK_FEATURES) == len(LOOKS)


def test_no_episode_gives_no_clip(clip, walk, reach) -> None:
    clips, episodes = clip(walk([reach(40)]))
    assert len(clips) == len(episodes) == 0
    assert clips.features.shape == (0, len(FEATURES))
