"""People who walk about, and the boxes that are made of them."""

from __future__ import annotations

import numpy as np

from gocv.geometry import PinholeCamera
from gocv.sim.routes import Floor
from gocv.sim.stores import demo_layout
from gocv.sim.strollers import BoxFaults, boxes_seen, stroll

EXACT = BoxFaults(jitter_share=0.0, missed=0.0, hidden_feet=0.0)
LAYOUT = demo_layout()
TIMES = np.arange(0, 60, 0.1)


def people(seed: int = 1):
    rng = np.random.default_rng(seed)
    return [stroll(Floor(LAYOUT), f"p{i}", height, 60.0, rng) for i, height in enumerate((1.8, 1.6))]


def test_strollers_walk_at_a_human_pace_where_there_is_room() -> None:
    for person in people():
        xy = person.at(TIMES, person.xy_m)
        assert Floor(LAYOUT).free(xy).mean() > 0.99
        speed = np.linalg.norm(np.diff(xy, axis=0), axis=1) / 0.1
        assert 0.3 < np.median(speed[speed > 0.1]) < 2.0
        assert np.ptp(xy, axis=0).min() > 1.0


def test_exact_boxes_reach_from_the_feet_to_the_top_of_the_head() -> None:
    camera = PinholeCamera.look_at([3, -8, 1.2], [3, 2, 0.9], width_px=1280, height_px=720, focal_px=700)
    table, who = boxes_seen(camera, people(), TIMES, EXACT, np.random.default_rng(0))
    frame = np.repeat(np.arange(len(table)), np.diff(table.first_row))
    for index, person in enumerate(people()):
        own = who == index
        xy = person.at(TIMES[frame[own]], person.xy_m)
        tall = table.boxes.xyxy[own, 3] - table.boxes.xyxy[own, 1]
        expected = camera.floor_to_pixels(xy)[:, 1] - camera.floor_to_pixels(xy, person.height_m)[:, 1]
        assert np.abs(np.median(tall / expected) - 1) < 0.03
        assert len(set(table.track_id[own].tolist())) == 1


def test_faults_have_the_sizes_that_were_asked_for() -> None:
    camera = LAYOUT.cameras["camera-1"]
    exact, who = boxes_seen(camera, people(), TIMES, EXACT, np.random.default_rng(0))
    faults = BoxFaults(jitter_share=0.03, missed=0.0, hidden_feet=0.0)
    noisy, _ = boxes_seen(camera, people(), TIMES, faults, np.random.default_rng(0))
    assert len(noisy.track_id) == len(who)
    inside = (exact.boxes.xyxy[:, :2] > 20).all(axis=1) & (exact.boxes.xyxy[:, 2:] < [619, 339]).all(axis=1)
    tall = (exact.boxes.xyxy[:, 3] - exact.boxes.xyxy[:, 1])[inside, None]
    off = (noisy.boxes.xyxy - exact.boxes.xyxy)[inside] / tall
    assert abs(off.std() - 0.03) < 0.006
    fewer, _ = boxes_seen(camera, people(), TIMES, BoxFaults(missed=0.3), np.random.default_rng(0))
    assert abs(len(fewer.track_id) / len(who) - 0.7) < 0.06


def test_a_knocked_camera_sees_others_places_from_then_on() -> None:
    camera = LAYOUT.cameras["camera-1"]
    other = LAYOUT.cameras["camera-2"]
    before, _ = boxes_seen(camera, people(), TIMES, EXACT, np.random.default_rng(0))
    after, _ = boxes_seen(other, people(), TIMES, EXACT, np.random.default_rng(0))
    both, _ = boxes_seen(camera, people(), TIMES, EXACT, np.random.default_rng(0), moved=(30.0, other))
    for position in (100, 299):
        np.testing.assert_array_equal(both.detections(position).xyxy, before.detections(position).xyxy)
    for position in (300, 500):
        np.testing.assert_array_equal(both.detections(position).xyxy, after.detections(position).xyxy)
