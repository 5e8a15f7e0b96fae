"""What a detector finds of those whom a camera sees."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.data.detections import DetectionTable
from gocv.geometry import PinholeCamera, iou
from gocv.sim.detector import BoxNoise, detect, lasting
from gocv.sim.sightings import Sightings

CAMERA = PinholeCamera.look_at([0, 0, 6], [3, 0, 0], width_px=4000, height_px=3000, focal_px=2500)
SURE = BoxNoise(jitter=0.0, most=1.0, seen_half=0.0, seen_width=0.01, overlap=1.0, false_per_frame=0.0)
RATE_HZ = 10.0


def people(frames: int, count: int, seen: float = 1.0) -> Sightings:
    """So many, side by side, 100 px wide and high, in each frame."""
    frame, person = np.repeat(np.arange(frames), count), np.tile(np.arange(count), frames)
    left = 200.0 + 150.0 * person
    box = np.stack([left, np.full(len(left), 500.0), left + 100, np.full(len(left), 600.0)], axis=1)
    every = np.ones(len(left))
    return Sightings(frame, person, box, box, seen * every, every, every.astype(bool), every.astype(bool))


def found(seen: Sightings, noise: BoxNoise, seed: int = 0) -> tuple[DetectionTable, np.ndarray]:
    frames = int(seen.frame.max()) + 1 if len(seen) else 50
    return detect(seen, CAMERA, np.arange(frames) / RATE_HZ, noise, np.random.default_rng(seed))


def test_without_noise_the_boxes_are_those_that_are_seen() -> None:
    seen = people(5, 3)
    table, of = found(seen, SURE)
    assert sorted(of.tolist()) == list(range(15))
    np.testing.assert_allclose(table.boxes.xyxy, seen.visible_xyxy[of], atol=1e-3)
    assert (table.track_id == -1).all()
    assert np.diff(table.first_row).tolist() == [3] * 5


@pytest.mark.parametrize("jitter", [0.02, 0.08])
def test_jitter_has_the_stated_moments(jitter: float) -> None:
    seen = people(600, 20)
    table, of = found(seen, SURE.model_copy(update={"jitter": jitter, "memory_s": 0.3}))
    error = (table.boxes.xyxy - seen.visible_xyxy[of]) / 100
    assert np.abs(error.mean(axis=0)).max() < 0.15 * jitter
    np.testing.assert_allclose(error.std(axis=0), jitter, rtol=0.06)
    correlation = np.corrcoef(error.T)
    assert np.abs(correlation - np.eye(4)).max() < 0.1
    by_person = np.empty((20, 600))
    by_person[seen.person[of], seen.frame[of]] = error[:, 0]
    lag = (by_person[:, 1:] * by_person[:, :-1]).mean() / (by_person**2).mean()
    assert lag == pytest.approx(np.exp(-1 / (RATE_HZ * 0.3)), abs=0.05)


@pytest.mark.parametrize("seen", [0.1, 0.25, 0.5, 1.0])
def test_people_are_found_as_often_as_is_stated(seen: float) -> None:
    noise = BoxNoise(jitter=0.0, memory_s=0.0, false_per_frame=0.0)
    table, _ = found(people(400, 20, seen), noise)
    assert len(table.boxes) / 8000 == pytest.approx(float(noise.chance(np.array([seen]))[0]), abs=0.02)


def test_who_is_missed_is_missed_for_a_while() -> None:
    def again(memory_s: float) -> float:
        seen = people(400, 20, 0.25)
        _, of = found(seen, BoxNoise(memory_s=memory_s, false_per_frame=0.0))
        there = np.zeros((400, 20), bool)
        there[seen.frame[of], seen.person[of]] = True
        return float((~there[1:] & ~there[:-1]).sum() / (~there[:-1]).sum())

    assert again(1.0) > again(0.0) + 0.2


def test_who_is_hidden_is_not_found() -> None:
    seen = people(200, 3)
    hidden = seen.person == 1
    nothing = np.where(hidden[:, None], np.nan, seen.visible_xyxy)
    seen = Sightings(
        seen.frame, seen.person, seen.xyxy, nothing, np.where(hidden, 0.0, 1.0), seen.inside_fraction, ~hidden, ~hidden
    )
    _, of = found(seen, BoxNoise(seen_half=0.0, false_per_frame=0.0))
    assert set(seen.person[of].tolist()) == {0, 2}


def test_false_boxes_are_as_many_as_stated_and_nobodys() -> None:
    table, of = found(Sightings.empty(), BoxNoise(false_per_frame=3.0))
    assert (of == -1).all()
    assert len(of) == pytest.approx(150, rel=0.35)
    assert table.boxes.xyxy.min() >= -0.5
    assert (table.boxes.xyxy[:, 2] <= 3999.5).all()


def test_of_two_boxes_on_one_another_the_surer_stays() -> None:
    seen = people(50, 2)
    box = np.where((seen.person == 1)[:, None], seen.xyxy + 5 - 150 * np.array([1, 0, 1, 0]), seen.xyxy)
    both = Sightings(
        seen.frame,
        seen.person,
        box,
        box,
        np.where(seen.person == 1, 0.6, 1.0),
        seen.inside_fraction,
        seen.feet_seen,
        seen.head_seen,
    )
    assert iou(box[:1], box[1:2])[0, 0] > 0.7
    _, of = found(both, SURE.model_copy(update={"overlap": 0.7}))
    assert (both.person[of] == 0).mean() > 0.9
    assert len(of) == 50


def test_the_surest_stand_first() -> None:
    table, _ = found(people(30, 8, 0.7), BoxNoise())
    for position in range(len(table)):
        assert (np.diff(table.detections(position).score) <= 0).all()


def test_boxes_that_are_too_low_are_not_found() -> None:
    table, _ = found(people(20, 3), SURE.model_copy(update={"smallest_px": 101.0}))
    assert len(table.boxes) == 0


def test_the_same_seed_gives_the_same_and_another_does_not() -> None:
    seen = people(50, 5, 0.4)
    one, same, other = (found(seen, BoxNoise(), seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.boxes.xyxy, same.boxes.xyxy)
    assert one.boxes.xyxy.shape != other.boxes.xyxy.shape or (one.boxes.xyxy != other.boxes.xyxy).any()


def test_no_frames_give_no_boxes() -> None:
    table, of = detect(Sightings.empty(), CAMERA, np.zeros(0), BoxNoise(), np.random.default_rng(0))
    assert len(table) == len(of) == 0


def test_lasting_numbers_are_standard_normal_and_go_on_where_a_person_was_not_seen() -> None:
    frame = np.concatenate([np.arange(3000), np.arange(1000, 3000)])
    person = np.repeat([4, 9], [3000, 2000])
    drawn = lasting(person, frame, 0.5, 2, np.random.default_rng(0))
    assert drawn.std() == pytest.approx(1.0, abs=0.05)
    assert np.corrcoef(drawn[:2999, 0], drawn[1:3000, 0])[0, 1] == pytest.approx(0.5, abs=0.05)
    assert abs(np.corrcoef(drawn[1000:3000, 0], drawn[3000:, 0])[0, 1]) < 0.08
