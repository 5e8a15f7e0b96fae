"""What cameras can see of people, from geometry alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gocv.core import MissingDependencyError
from gocv.geometry import PinholeCamera, iou
from gocv.sim import Scenario, simulate_scene
from gocv.sim.body import body
from gocv.sim.layout import Gondola, StoreLayout
from gocv.sim.render import raster, render_camera
from gocv.sim.render.figure import Figure
from gocv.sim.render.wardrobe import look
from gocv.sim.scene import Scene
from gocv.sim.shoppers import Motion
from gocv.sim.sightings import Sightings, people_of, presence, sightings

NOW = np.array([1.0])


def standing(name: str, x_m: float, y_m: float, height_m: float = 1.75, again: str | None = None) -> Motion:
    ones = np.ones((60, 1))
    return Motion(name, height_m, 0.0, ones * [[x_m, y_m]], ones * [[0.0, 1.0]], (), again)


def camera(height_m: float = 1.4, at_m: tuple[float, float] = (3.0, 0.3)) -> PinholeCamera:
    return PinholeCamera.look_at(
        [*at_m, height_m],
        [at_m[0], 5.0, 0.9],
        width_px=640,
        height_px=480,
        focal_px=400,
        distortion=(-0.1, 0.02, 0, 0, 0),
    )


def shop(*gondolas: Gondola) -> StoreLayout:
    return StoreLayout.build(gondolas, (), zones=(), size_m=(6.0, 6.0), door_m=(0.15, 3.0))


def seen(layout: StoreLayout, by: PinholeCamera, *motions: Motion) -> Sightings:
    scene = Scene(layout, motions, frozenset(), (), 5.0)
    return sightings(layout, by, presence(scene, NOW))


def shelf(top_m: float) -> Gondola:
    """Across the view, 2 m before the camera, whose back is towards those behind it."""
    return Gondola(1, (1.0, 2.2), 0.0, 40, (top_m - 0.30,))


def test_boxes_are_those_of_the_projected_surface() -> None:
    by = camera(2.6)
    overlaps, heights = [], []
    for row, (x, y, tall) in enumerate([(3.0, 3.0, 1.75), (2.0, 4.0, 1.2), (4.2, 5.0, 1.9), (3.5, 2.5, 1.6)]):
        motion = standing(f"p{row}", x, y, tall)
        surface = Figure(look(motion.name, 0, staff=False)).vertices(body(motion, NOW))[0]
        pixels = by.project(surface)[0]
        box = np.concatenate([pixels.min(axis=0), pixels.max(axis=0)])
        (ours,) = seen(shop(), by, motion).xyxy
        overlaps.append(iou(box[None], ours[None])[0, 0])
        heights.append((ours[3] - ours[1]) / (box[3] - box[1]))
    assert min(overlaps) > 0.85
    assert np.allclose(heights, 1.0, atol=0.04)


def test_who_stands_alone_is_seen_whole() -> None:
    found = seen(shop(), camera(), standing("a", 3.0, 4.0))
    assert found.visible_fraction == pytest.approx(1.0)
    assert found.inside_fraction == pytest.approx(1.0)
    np.testing.assert_allclose(found.visible_xyxy, found.xyxy)
    assert found.feet_seen.all()
    assert found.head_seen.all()


def test_a_shelf_hides_the_feet_and_the_box_ends_at_it() -> None:
    alone = seen(shop(), camera(), standing("a", 3.0, 4.0))
    found = seen(shop(shelf(1.0)), camera(), standing("a", 3.0, 4.0))
    assert not found.feet_seen.any()
    assert found.head_seen.all()
    assert 0.1 < found.visible_fraction[0] < 0.9
    np.testing.assert_allclose(found.xyxy, alone.xyxy)
    assert found.visible_xyxy[0, 3] < alone.visible_xyxy[0, 3] - 30
    assert found.visible_xyxy[0, 1] == pytest.approx(alone.visible_xyxy[0, 1])


def test_nothing_is_seen_behind_a_high_shelf() -> None:
    found = seen(shop(shelf(2.3)), camera(), standing("a", 3.0, 4.0))
    assert found.visible_fraction[0] == 0
    assert np.isnan(found.visible_xyxy).all()


def test_a_person_hides_the_one_behind_and_not_the_one_before() -> None:
    found = seen(shop(), camera(), standing("far", 3.0, 3.4, 1.6), standing("near", 3.0, 2.6, 1.9))
    far, near = (found.visible_fraction[found.person == row][0] for row in (0, 1))
    assert near == pytest.approx(1.0)
    assert far < 0.15


def test_nobody_is_seen_behind_the_camera_or_beside_the_picture() -> None:
    by = camera(at_m=(3.0, 3.0))
    assert len(seen(shop(), by, standing("behind", 3.0, 1.0), standing("beside", 0.3, 3.2))) == 0


def test_nobody_is_seen_in_an_empty_shop() -> None:
    assert len(seen(shop(), camera())) == 0


def test_what_lies_outside_the_picture_is_cut_off() -> None:
    found = seen(shop(), camera(), standing("close", 3.0, 1.2))
    assert 0 < found.inside_fraction[0] < 0.9
    assert found.visible_xyxy[0, 3] == 479.5
    assert found.xyxy[0, 3] > 480


def test_who_comes_in_again_keeps_the_number() -> None:
    motions = (standing("a", 1, 1), standing("b", 2, 2), standing("a-again", 3, 3, again="a"))
    assert people_of(Scene(shop(), motions, frozenset(), (), 5.0)) == {"a": 0, "b": 1}


def test_what_is_seen_is_what_is_drawn() -> None:
    try:
        raster.Rasteriser(8, 8).close()
    except MissingDependencyError as error:
        pytest.skip(str(error))
    scene = simulate_scene(Scenario(shoppers=6, cameras=2), seed=3)
    times = np.array([20.0, 30.0])
    names = [motion.name for motion in scene.motions]
    ours, theirs, overlap = [], [], []
    for name, by in scene.layout.cameras.items():
        found = sightings(scene.layout, by, presence(scene, times))
        for row, frame in enumerate(render_camera(scene, name, rate_hz=0.1, seed=3, from_s=20, until_s=35)):
            assert frame.people is not None
            for k, person in enumerate(frame.people.name):
                own = (found.frame == row) & (found.person == names.index(str(person)))
                if frame.people.visible_fraction[k] > 0.3 and own.any():
                    ours.append(found.visible_fraction[own][0])
                    theirs.append(frame.people.visible_fraction[k])
                    boxes = found.visible_xyxy[own], frame.people.visible_xyxy[k : k + 1]
                    overlap.append(iou(*boxes)[0, 0])
    assert len(ours) > 8
    assert np.median(np.abs(np.array(ours) - theirs)) < 0.05
    assert np.median(overlap) > 0.85


def test_rows_of_a_frame_do_not_depend_on_other_frames() -> None:
    scene = simulate_scene(Scenario(shoppers=4, cameras=1), seed=1)
    ((_, by),) = scene.layout.cameras.items()
    many = sightings(scene.layout, by, presence(scene, np.array([15.0, 20.0, 25.0])))
    one = sightings(scene.layout, by, presence(scene, np.array([20.0])))
    middle = many[many.frame == 1]
    for field in dataclasses.fields(one):
        if field.name != "frame":
            np.testing.assert_allclose(getattr(one, field.name), getattr(middle, field.name), err_msg=field.name)
