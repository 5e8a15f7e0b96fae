from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gocv.data.multiview import read_wildtrack
from gocv.multicamera.associate import associate
from gocv.multicamera.checked import associate_checked
from gocv.multicamera.health import HealthSettings, examine
from gocv.multicamera.settings import AssociationSettings, BoxSettings
from gocv.multicamera.views import Association, CameraView
from gocv.sim.camera_faults import knock_camera, lose_camera, seen_through, skew_clock
from gocv.sim.views import noisy_view
from gocv.sim.walkers import walking_scene

SECONDS, FAULTY = 40.0, "camera-2"


@pytest.fixture(scope="module")
def walked():
    """Twelve walkers under four cameras: the views, and who is whom."""
    scene = walking_scene(12, 4, seconds=SECONDS, rate_hz=4.0, floor_m=(12.0, 9.0), seed=1)
    made = {name: noisy_view(table, name, scene.cameras[name], seed=1) for name, table in scene.labels.items()}
    views = [CameraView(name, scene.cameras[name], one.seen) for name, one in made.items()]
    return views, {name: one.person for name, one in made.items()}


def known(views, who):
    """What somebody knows who knows who is whom; as long as the same boxes are there."""
    shoppers = associate([], AssociationSettings()).shoppers
    rows = {view.camera: who[view.camera][: len(view.seen.boxes)] for view in views}
    return Association(shoppers, rows)


def changed(views, **what):
    """The views, that of the faulty camera with other boxes."""
    return [dataclasses.replace(view, **what) if view.camera == FAULTY else view for view in views]


def faulty(views):
    return next(view for view in views if view.camera == FAULTY)


def problems(health):
    return [(entry["where"], entry["problem"]) for entry in health.report]


def degrees(one, other):
    """Angle between how two cameras look."""
    turn = one.camera_T_world[:3, :3] @ other.camera_T_world[:3, :3].T
    return float(np.rad2deg(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))


class TestSound:
    def test_nothing_is_wrong_with_sound_cameras(self, walked):
        health = examine(walked[0], known(*walked))
        assert health.sound
        assert health.report == ()

    def test_the_association_of_sound_cameras_is_left_as_it_is(self, walked):
        views = [dataclasses.replace(view, seen=lose_camera(view.seen, 12.0)) for view in walked[0]]
        plain, checked = associate(views), associate_checked(views)
        assert checked.report == ()
        np.testing.assert_array_equal(plain.shoppers.xy_m, checked.shoppers.xy_m)

    @pytest.mark.parametrize("count", [0, 1])
    def test_one_camera_alone_is_not_judged(self, walked, count):
        views = walked[0][:count]
        assert examine(views, known(views, walked[1])).report == ()

    def test_cameras_that_never_saw_anybody_are_not_judged(self, walked):
        views = [dataclasses.replace(view, seen=lose_camera(view.seen, -np.inf)) for view in walked[0]]
        assert examine(views, known(views, walked[1])).report == ()

    def test_an_uncalibrated_camera_is_passed_over(self, walked):
        views = changed(walked[0], calibration=None)
        assert examine(views, known(views, walked[1])).report == ()


class TestLost:
    @pytest.mark.parametrize(
        ("from_s", "until_s", "said"),
        [
            (10.0, np.inf, "no frames from 10.0 s on, while others have"),
            (-np.inf, 10.0, "no frames until 10.0 s, while others have"),
            (10.0, 20.0, "no frames from 10.0 s to 20.0 s, while others have"),
            (-np.inf, np.inf, "no frames at all times, while others have"),
        ],
    )
    def test_it_is_said_when_a_camera_had_no_frames(self, walked, from_s, until_s, said):
        views = changed(walked[0], seen=lose_camera(faulty(walked[0]).seen, from_s, until_s))
        who = {name: rows if name != FAULTY else np.full(len(rows), -1) for name, rows in walked[1].items()}
        health = examine(views, known(views, who))
        assert problems(health) == [(f"camera {FAULTY}", said)]
        assert health.sound

    def test_a_short_gap_is_none(self, walked):
        views = changed(walked[0], seen=lose_camera(faulty(walked[0]).seen, 10.0, 11.5))
        who = {name: rows if name != FAULTY else np.full(len(rows), -1) for name, rows in walked[1].items()}
        assert examine(views, known(views, who)).report == ()


class TestBlind:
    @pytest.mark.parametrize("from_s", [-np.inf, 20.0])
    def test_a_camera_that_sees_nobody_is_left_out(self, walked, from_s):
        seen, rows = faulty(walked[0]).seen, walked[1][FAULTY]
        kept = np.repeat(seen.time_s < from_s, np.diff(seen.first_row))
        first_row = np.concatenate([[0], np.cumsum(kept)])[seen.first_row]
        dark = dataclasses.replace(seen, first_row=first_row, boxes=seen.boxes[kept], track_id=seen.track_id[kept])
        views = changed(walked[0], seen=dark)
        health = examine(views, known(views, {**walked[1], FAULTY: rows[kept]}))
        assert list(health.left_out) == [FAULTY]
        (out,) = health.left_out[FAULTY]
        assert out.from_s == from_s or abs(out.from_s - from_s) < 1.5
        assert out.until_s == np.inf
        assert "saw nobody" in health.report[0]["problem"]


class TestClock:
    @pytest.mark.parametrize("late_s", [0.3, -0.3, 0.12, 1.4])
    def test_a_clock_that_is_off_is_measured(self, walked, late_s):
        views = changed(walked[0], seen=skew_clock(faulty(walked[0]).seen, late_s))
        health = examine(views, known(*walked))
        assert list(health.late_s) == [FAULTY]
        assert health.late_s[FAULTY] == pytest.approx(late_s, abs=0.03)
        assert f"s {'late' if late_s > 0 else 'early'} (±" in health.report[-1]["problem"]

    def test_what_is_known_already_is_not_found_again(self, walked):
        views = changed(walked[0], seen=skew_clock(faulty(walked[0]).seen, 0.3))
        assert examine(views, known(*walked), late_s={FAULTY: 0.3}).report == ()

    def test_association_takes_it_off(self, walked):
        views = [dataclasses.replace(view, seen=lose_camera(view.seen, 15.0)) for view in walked[0]]
        views = changed(views, seen=skew_clock(faulty(views).seen, 0.3))
        found = associate_checked(views)
        known_before = associate(views, late_s={FAULTY: examine(views, associate(views)).late_s[FAULTY]})
        assert [entry["where"] for entry in found.report] == [f"camera {FAULTY}"]
        np.testing.assert_array_equal(found.shoppers.xy_m, known_before.shoppers.xy_m)


class TestTurned:
    @pytest.mark.parametrize(
        ("from_s", "angle", "seed"),
        [
            (20.0, 5.0, 1),
            (20.0, 5.0, 2),
            (-np.inf, 5.0, 3),
            (12.0, 9.0, 5),
            pytest.param(12.0, 9.0, 4, marks=pytest.mark.xfail(reason="a large roll comes out too small by 0.9°")),
        ],
    )
    def test_a_knocked_camera_is_turned_back(self, walked, from_s, angle, seed):
        views, who, moved = self.knocked(walked, from_s, angle, seed)
        health = examine(views, known(views, who))
        assert list(health.turned) == [FAULTY]
        since, now = health.turned[FAULTY]
        assert since == from_s or abs(since - from_s) < 1.5
        assert degrees(now, moved) < 0.5
        assert f"turned by {degrees(now, faulty(views).calibration):.1f}°" in health.report[-1]["problem"]

    def test_a_camera_that_sees_something_else_is_left_out(self, walked):
        views, who, _ = self.knocked(walked, 20.0, 5.0, 1)
        health = examine(views, known(views, who), health=HealthSettings(gain=0.9))
        assert not health.turned
        (out,) = health.left_out[FAULTY]
        assert abs(out.from_s - 20.0) < 1.5

    def test_rows_of_a_turned_camera_stay_in_place(self, walked):
        views, _, _ = self.knocked(walked, 20.0, 5.0, 1)
        found = associate_checked(views)
        assert len(found.who[FAULTY]) == len(faulty(views).seen.boxes)
        time_s = np.repeat(faulty(views).seen.time_s, np.diff(faulty(views).seen.first_row))
        assert (found.who[FAULTY][time_s >= 21.0] >= 0).mean() > 0.8
        assert set(found.who) == {view.camera for view in views}

    @staticmethod
    def knocked(walked, from_s, angle, seed):
        """Views with a knocked camera, who is whom in the rest, and how the camera really is."""
        views, who = walked
        camera, seen = faulty(views).calibration, faulty(views).seen
        moved = knock_camera(camera, angle, seed=seed)
        after = seen_through(seen, camera, moved, from_s=from_s)
        nobody = {**who, FAULTY: np.full(len(after.boxes), -1)}
        return changed(views, seen=after), nobody, moved


def test_real_cameras_are_sound_and_their_faults_are_found(shared_data):
    scene = read_wildtrack(shared_data / "wildtrack")
    settings = AssociationSettings(boxes=BoxSettings(height_m=1.8))
    labels = {name: lose_camera(table, 35.0) for name, table in scene.labels.items()}
    made = {name: noisy_view(table, name, scene.cameras[name], seed=1) for name, table in labels.items()}
    views = [CameraView(name, scene.cameras[name], one.seen) for name, one in made.items()]
    who = {name: one.person for name, one in made.items()}
    assert examine(views, known(views, who), settings).report == ()
    best = max(views, key=lambda view: len(view.seen.boxes))

    def examined(seen):
        rows = {**who, best.camera: np.full(len(seen.boxes), -1)}
        other = [dataclasses.replace(view, seen=seen) if view is best else view for view in views]
        return examine(other, known(other, rows), settings)

    assert examined(skew_clock(best.seen, 0.3)).late_s[best.camera] == pytest.approx(0.3, abs=0.03)
    moved = knock_camera(best.calibration, 5.0, seed=1)
    since, now = examined(seen_through(best.seen, best.calibration, moved, from_s=18.0)).turned[best.camera]
    assert abs(since - 18.0) <= 1.0
    assert degrees(now, moved) < 0.5
