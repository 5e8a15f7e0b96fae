"""Labelled people turned into what detectors would have made of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gocv.data.detections import DetectionTable
from gocv.data.multiview.tables import table_of_people
from gocv.geometry import PinholeCamera
from gocv.sim.views import NoisyView, ViewNoise, detections_of, noisy_view

CLEAN = ViewNoise(miss=0.0, jitter=0.0, false_per_frame=0.0, break_per_s=0.0, swap_per_s=0.0)
CAMERA = PinholeCamera.look_at([0, 0, 5], [8, 0, 0], width_px=1000, height_px=600, focal_px=500)


def labels(people: int = 8, frames: int = 400, apart_px: float = 110.0) -> DetectionTable:
    """People side by side, 100 px high, at 10 frames a second."""
    at = np.repeat(np.arange(frames), people)
    who = np.tile(np.arange(people), frames)
    left = 20.0 + apart_px * who
    xyxy = np.stack([left, np.full(len(at), 200.0) + who, left + 40, np.full(len(at), 300.0) + who], axis=1)
    return table_of_people(np.arange(frames), np.arange(frames) / 10, position=at, xyxy=xyxy, person=who)


def view(table: DetectionTable, noise: ViewNoise, seed: int = 1, camera: str = "one") -> NoisyView:
    return noisy_view(table, camera, CAMERA, noise, seed=seed)


def test_without_noise_the_labels_remain() -> None:
    table = labels()
    got = view(table, CLEAN)
    assert np.array_equal(got.seen.boxes.xyxy, table.boxes.xyxy)
    assert np.array_equal(got.person, table.track_id)
    assert np.array_equal(got.seen.first_row, table.first_row)
    assert np.array_equal(got.seen.track_id, table.track_id + 1)  # nobody's number changes


@pytest.mark.parametrize("miss", [0.0, 0.2, 0.5])
@pytest.mark.parametrize(("burst", "apart_px"), [(0.0, 110.0), (0.5, 110.0), (0.5, 25.0)])
def test_the_share_that_is_missed_is_the_one_asked_for(miss: float, burst: float, apart_px: float) -> None:
    table = labels(apart_px=apart_px)
    noise = CLEAN.model_copy(update={"miss": miss, "burst": burst})
    assert len(view(table, noise).person) / len(table.boxes) == pytest.approx(1 - miss, abs=0.03)


def test_misses_come_in_bursts() -> None:
    def runs(burst: float) -> float:
        got = view(labels(), CLEAN.model_copy(update={"miss": 0.2, "burst": burst}))
        frame = np.repeat(got.seen.frame, np.diff(got.seen.first_row))
        gaps = np.concatenate([np.diff(frame[got.person == who]) for who in range(8)])
        return float(gaps[gaps > 1].mean()) - 1

    assert runs(0.0) == pytest.approx(1 / 0.8, abs=0.1)
    assert runs(0.6) > 1.5 * runs(0.0)


def test_who_is_hidden_is_missed_more_often() -> None:
    table = labels(people=2, frames=3000, apart_px=8.0)  # person 1 stands lower in the picture, before person 0
    got = view(table, CLEAN.model_copy(update={"miss": 0.2}))
    missed = 1 - np.bincount(got.person, minlength=2) / 3000
    assert missed[0] > 2 * missed[1] > 0


def test_jitter_moves_each_edge_by_its_share_of_the_height() -> None:
    table = labels(frames=2000)
    off = view(table, CLEAN.model_copy(update={"jitter": 0.05})).seen.boxes.xyxy - table.boxes.xyxy
    assert off.std(axis=0) == pytest.approx(5.0, rel=0.05)
    assert off.mean(axis=0) == pytest.approx(0.0, abs=0.3)
    assert np.abs(np.corrcoef(off.T) - np.eye(4)).max() < 0.05


def test_false_boxes_are_as_many_as_asked_for_and_lie_in_the_picture() -> None:
    got = view(labels(), CLEAN.model_copy(update={"false_per_frame": 0.7}))
    false = got.seen.boxes.xyxy[got.person < 0]
    assert len(false) / 400 == pytest.approx(0.7, abs=0.15)
    assert (false >= 0).all()
    assert (false <= [1000, 600, 1000, 600]).all()
    assert len(np.unique(got.seen.track_id[got.person < 0])) == len(false)


def test_boxes_end_where_the_picture_does() -> None:
    half = table_of_people([0], [0.0], position=[0, 0], xyxy=[[-30, 100, 30, 200], [-50, 100, 10, 200]], person=[1, 2])
    got = view(half, CLEAN)
    assert got.seen.boxes.xyxy.tolist() == [[0, 100, 30, 200]]  # of the other one too little is seen


def test_an_identity_is_given_up_at_its_rate() -> None:
    table = labels()
    got = view(table, CLEAN.model_copy(update={"break_per_s": 0.1}))
    assert len(np.unique(got.seen.track_id)) - 8 == pytest.approx(8 * 40 * 0.1, rel=0.4)


def test_who_was_lost_for_long_comes_back_as_another() -> None:
    table = labels(people=1, frames=4)
    late = dataclasses.replace(table, time_s=np.array([0.0, 1.0, 2.0, 9.0]))
    assert view(late, CLEAN).seen.track_id.tolist() == [1, 1, 1, 2]


@pytest.mark.parametrize(("apart_px", "exchanged"), [(20.0, True), (110.0, False)])
def test_identities_pass_between_people_who_overlap(apart_px: float, exchanged: bool) -> None:
    got = view(labels(people=2, apart_px=apart_px), CLEAN.model_copy(update={"swap_per_s": 0.3}))
    assert np.unique(got.seen.track_id).tolist() == [1, 2]
    assert (len(np.unique(got.seen.track_id[got.person == 0])) == 2) == exchanged
    by_frame = got.seen.track_id.reshape(-1, 2)
    assert (by_frame[:, 0] != by_frame[:, 1]).all()


def test_identities_can_be_left_out() -> None:
    assert (view(labels(), ViewNoise(ids="none")).seen.track_id == -1).all()


def test_what_becomes_of_a_box_depends_on_seed_and_camera_alone() -> None:
    table = {"one": labels(), "two": labels()}
    cameras = dict.fromkeys(table, CAMERA)
    both = detections_of(table, cameras, seed=3)
    again = detections_of(dict(reversed(table.items())), cameras, seed=3)
    alone = detections_of({"two": table["two"]}, cameras, seed=3)["two"]
    for other in (again["two"], alone):
        assert np.array_equal(both["two"].boxes.xyxy, other.boxes.xyxy)
        assert np.array_equal(both["two"].track_id, other.track_id)
    different = [both["one"], detections_of(table, cameras, seed=4)["two"]]
    assert all(len(one.boxes) != len(alone.boxes) or (one.boxes.xyxy != alone.boxes.xyxy).any() for one in different)


def test_the_frames_of_a_cut_are_spoilt_as_they_are_in_the_whole() -> None:
    noise = CLEAN.model_copy(update={"jitter": 0.1})
    whole, cut = view(labels(frames=50), noise).seen, view(labels(frames=20), noise).seen
    assert np.array_equal(whole.boxes.xyxy[: len(cut.boxes)], cut.boxes.xyxy)


@pytest.mark.parametrize("frames", [0, 3])
def test_nobody_is_a_valid_view(frames: int) -> None:
    got = view(labels(people=0, frames=frames), ViewNoise())
    assert (len(got.seen), len(got.person)) == (frames, 0)


def test_an_uncalibrated_camera_has_a_picture_as_large_as_its_labels() -> None:
    table = labels()
    got = noisy_view(table, "one", None, ViewNoise(jitter=0.3), seed=1)
    assert got.seen.boxes.xyxy[:, 2].max() == table.boxes.xyxy[:, 2].max()
