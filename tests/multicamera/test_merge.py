from __future__ import annotations

import numpy as np
import pytest

from gocv.geometry import PinholeCamera
from gocv.multicamera import CameraTracks, MergeSettings, merge_cameras

RATE_HZ = 10.0


def camera(x_m, y_m):
    return PinholeCamera.look_at([x_m, y_m, 3.0], [0, 0, 0.5], width_px=1280, height_px=720, focal_px=600)


CAMERAS = {"north": camera(0.0, 6.0), "east": camera(6.0, 0.0), "south": camera(0.5, -6.0)}


def walk(start, end, from_s=0.0, to_s=10.0):
    """Times and places (n, 2) of somebody who walks straight from start to end."""
    time_s = np.round(np.arange(from_s, to_s, 1 / RATE_HZ), 6)
    share = ((time_s - from_s) / (to_s - from_s))[:, None]
    return time_s, np.asarray(start) * (1 - share) + np.asarray(end) * share


def box_of(calibration, xy_m, noise_px, rng):
    """A box as a detector draws it: feet at the middle of its lower edge."""
    feet, _ = calibration.project(np.column_stack([xy_m, np.zeros(len(xy_m))]))
    head, _ = calibration.project(np.column_stack([xy_m, np.full(len(xy_m), 1.75)]))
    feet = feet + rng.normal(0, noise_px, feet.shape)
    half_px = np.abs(feet[:, 1] - head[:, 1]) * 0.2
    return np.column_stack([feet[:, 0] - half_px, head[:, 1], feet[:, 0] + half_px, feet[:, 1]])


def tracks(name, *walks, calibration=None, noise_px=3.0, seed=0, boxes=None):
    """What one camera tracked: track k is the k-th walk, rows in order of time."""
    rng = np.random.default_rng([seed, len(name)])
    time_s = np.concatenate([t for t, _ in walks]) if walks else np.empty(0)
    if boxes is None:
        seen_by = calibration or CAMERAS["north"]
        boxes = [box_of(seen_by, xy_m, noise_px, rng) for _, xy_m in walks]
    ids = np.repeat(np.arange(1, len(walks) + 1), [len(t) for t, _ in walks])
    order = np.argsort(time_s, kind="stable")
    xyxy = np.concatenate(boxes) if len(boxes) else np.empty((0, 4))
    return CameraTracks(name, calibration, time_s[order], ids[order], xyxy[order].astype(np.float32))


def calibrated(name, *walks, **kwargs):
    return tracks(name, *walks, calibration=CAMERAS[name], **kwargs)


def error_m(shoppers, name, time_s, xy_m):
    """Median distance of a shopper's rows from where it really was."""
    rows = shoppers.shopper == shoppers.shoppers.index(name)
    there = np.column_stack([np.interp(shoppers.time_s[rows], time_s, xy_m[:, k]) for k in (0, 1)])
    return float(np.median(np.linalg.norm(shoppers.xy_m[rows] - there, axis=1)))


ALONG, ACROSS = walk((-2, 0.2), (2, 0.2)), walk((0.2, -2), (0.2, 2))


class TestCalibrated:
    @pytest.mark.parametrize("names", [("north",), ("north", "east"), ("north", "east", "south")])
    def test_two_whose_ways_cross_are_two(self, names):
        merged = merge_cameras([calibrated(n, ALONG, ACROSS) for n in names])
        assert merged.report == ()
        assert merged.shoppers.shoppers == ("shopper-1", "shopper-2")
        assert len(merged.shoppers) == len(names) * 200
        errors = [[error_m(merged.shoppers, s, *w) for w in (ALONG, ACROSS)] for s in merged.shoppers.shoppers]
        assert sorted(min(e) for e in errors)[-1] < 0.15
        assert {int(np.argmin(e)) for e in errors} == {0, 1}

    def test_rows_are_in_order_of_time_and_have_covariances(self):
        shoppers = merge_cameras([calibrated(n, ALONG, ACROSS) for n in CAMERAS]).shoppers
        assert np.all(np.diff(shoppers.time_s) >= 0)
        assert np.all(np.linalg.eigvalsh(shoppers.covariance_m2) > 0)
        assert np.isnan(shoppers.joints_m).all()

    def test_the_order_of_cameras_does_not_matter(self):
        seen = [calibrated(n, ALONG, ACROSS, seed=3) for n in CAMERAS]
        one, other = merge_cameras(seen).shoppers, merge_cameras(seen[::-1]).shoppers
        assert one.shoppers == other.shoppers
        for name, where in (("shopper-1", ALONG), ("shopper-2", ALONG)):
            assert error_m(one, name, *where) == pytest.approx(error_m(other, name, *where))

    def test_a_broken_track_is_joined_and_a_long_absence_is_not(self):
        first, second = walk((-2, 0), (-0.4, 0), 0, 4), walk((0.4, 0), (2, 0), 6, 10)
        assert merge_cameras([calibrated("north", first, second)]).shoppers.shoppers == ("shopper-1",)
        late = walk((0.4, 0), (2, 0), 16, 20)
        assert merge_cameras([calibrated("north", first, late)]).shoppers.shoppers == ("shopper-1", "shopper-2")

    def test_a_hand_over_between_cameras_that_do_not_overlap(self):
        first, second = walk((-2, 0), (0, 0), 0, 5), walk((0.2, 0), (2, 0), 5.2, 10)
        merged = merge_cameras([calibrated("north", first), calibrated("east", second)])
        assert merged.shoppers.shoppers == ("shopper-1",)

    def test_tracks_that_were_apart_at_the_same_time_never_end_up_in_one(self):
        """Both ends of a chain are close to its middle, but not to each other: each link alone would do."""
        middle = walk((0, 0), (0, 0))
        ends = walk((-0.7, 0), (-0.7, 0)), walk((0.7, 0), (0.7, 0))
        merged = merge_cameras(
            [
                calibrated("north", middle, noise_px=0),
                calibrated("east", ends[0], noise_px=0),
                calibrated("south", ends[1], noise_px=0),
            ]
        )
        assert len(merged.shoppers.shoppers) == 2

    def test_settings_say_what_is_close(self):
        apart = [calibrated("north", walk((0, 0), (0, 0))), calibrated("east", walk((1.2, 0), (1.2, 0)))]
        assert len(merge_cameras(apart).shoppers.shoppers) == 2
        assert len(merge_cameras(apart, MergeSettings(join_m=1.5)).shoppers.shoppers) == 1

    def test_boxes_that_stand_nowhere_on_the_floor(self):
        sky = np.tile([600.0, 0.0, 680.0, 10.0], (100, 1))
        merged = merge_cameras([tracks("north", ALONG, calibration=camera_level(), boxes=[sky])])
        assert len(merged.shoppers) == 0
        assert merged.shoppers.shoppers == ()

    def test_a_day_of_short_tracks_takes_seconds(self):
        walks = [walk((-2, 0.1 * (k % 9)), (2, 0.1 * (k % 9)), 20.0 * k, 20.0 * k + 8) for k in range(1500)]
        merged = merge_cameras([calibrated("north", *walks), calibrated("east", *walks)])
        assert len(merged.shoppers.shoppers) == 1500


def camera_level():
    return PinholeCamera.look_at([0, 6, 1.5], [0, 0, 1.5], width_px=1280, height_px=720, focal_px=600)


def still(*xyxy, from_s=0.0, to_s=10.0):
    """A walk that goes nowhere, for cameras whose calibration is not known, and its boxes."""
    time_s = np.round(np.arange(from_s, to_s, 1 / RATE_HZ), 6)
    return (time_s, np.zeros((len(time_s), 2))), np.tile(np.array(xyxy, float), (len(time_s), 1))


def uncalibrated(name, *stills):
    return tracks(name, *(w for w, _ in stills), boxes=[b for _, b in stills])


PERSON, OTHER, TORSO = (100, 100, 200, 400), (400, 100, 500, 400), (110, 110, 190, 250)


class TestUncalibrated:
    def test_one_at_a_time_is_one_shopper_and_the_report_says_so(self):
        seen = [
            uncalibrated("a", still(*PERSON, to_s=4), still(*OTHER, from_s=4, to_s=9)),
            uncalibrated("b", still(*OTHER, from_s=2, to_s=10)),
        ]
        merged = merge_cameras(seen)
        assert merged.shoppers.shoppers == ("shopper-1",)
        assert len(merged.shoppers) == 90 + 80
        assert np.all(np.diff(merged.shoppers.time_s) >= 0)
        assert np.isnan(merged.shoppers.xy_m).all()
        assert merged.report == (
            {
                "where": "cameras a, b",
                "problem": "not calibrated: 3 tracks are taken to be one shopper, as no two people were seen at once",
            },
        )

    @pytest.mark.parametrize("second", [OTHER, (160, 100, 260, 400)], ids=["beside", "half behind"])
    def test_a_crowd_is_nobody_and_the_report_says_why(self, second):
        merged = merge_cameras([uncalibrated("a", still(*PERSON), still(*second, from_s=3, to_s=6))])
        assert merged.shoppers.shoppers == ()
        assert len(merged.shoppers) == 0
        assert merged.report == (
            {
                "where": "cameras a",
                "problem": "not calibrated, and two people were seen at once (camera a for 3.0 s): "
                "no shopper can be named",
            },
        )

    @pytest.mark.parametrize(
        "stills",
        [
            [still(*PERSON), still(*OTHER, from_s=3, to_s=3.8)],
            [still(*PERSON), still(*TORSO, from_s=3, to_s=6)],
            [still(*PERSON), still(*PERSON, from_s=3, to_s=6)],
            [still(*PERSON), still(*TORSO), still(*TORSO)],
        ],
        ids=["a passing ghost", "a part of the same person", "the same box twice", "two parts"],
    )
    def test_what_is_no_crowd(self, stills):
        assert merge_cameras([uncalibrated("a", *stills)]).shoppers.shoppers == ("shopper-1",)

    def test_the_same_person_twice_beside_another_is_a_crowd(self):
        seen = uncalibrated("a", still(*PERSON), still(*PERSON), still(*OTHER))
        assert merge_cameras([seen]).shoppers.shoppers == ()

    def test_how_long_a_crowd_takes_is_a_setting(self):
        seen = [uncalibrated("a", still(*PERSON), still(*OTHER, from_s=3, to_s=6))]
        assert merge_cameras(seen, MergeSettings(crowd_s=3.5)).shoppers.shoppers == ("shopper-1",)


class TestMixed:
    def test_calibrated_cameras_leave_the_others_out_and_say_so(self):
        merged = merge_cameras([calibrated("north", ALONG, ACROSS), uncalibrated("a", still(*PERSON))])
        assert len(merged.shoppers.shoppers) == 2
        assert merged.report == ({"where": "camera a", "problem": "not calibrated: its tracks are left out"},)

    def test_a_calibrated_camera_that_saw_nobody_leaves_nobody_out(self):
        merged = merge_cameras([calibrated("north"), uncalibrated("a", still(*PERSON))])
        assert merged.shoppers.shoppers == ("shopper-1",)

    @pytest.mark.parametrize("cameras", [[], [calibrated("north")], [uncalibrated("a")]])
    def test_nobody_anywhere(self, cameras):
        merged = merge_cameras(cameras)
        assert len(merged.shoppers) == 0
        assert merged.shoppers.shoppers == ()
        assert merged.report == ()
