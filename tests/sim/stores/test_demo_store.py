"""The store that comes with gocv: what its packs look like, and what its cameras see."""

from __future__ import annotations

import numpy as np

from gocv.geometry import PinholeCamera
from gocv.sim.layout import BODY_M
from gocv.sim.stores.demo import assortment, demo_layout
from gocv.sim.stores.packs import FORMS

LAYOUT = demo_layout()


def seen(camera: PinholeCamera, points_m: np.ndarray) -> np.ndarray:
    pixels, _ = camera.project(points_m)
    return ((pixels >= 0) & (pixels <= [camera.width_px - 1, camera.height_px - 1])).all(axis=1)


def test_two_cameras_see_each_place_on_the_floor_and_one_the_head_of_whoever_stands_there() -> None:
    x, y = np.meshgrid(np.arange(0.15, 6.3, 0.1), np.arange(0.15, 4.1, 0.1))
    xy = np.stack([x.ravel(), y.ravel()], axis=1)
    xy = xy[LAYOUT.is_free(xy)]
    assert len(xy) > 1000
    for height_m, least in ((0.0, 2), (1.75, 1)):
        places = np.column_stack([xy, np.full(len(xy), height_m)])
        assert np.sum([seen(camera, places) for camera in LAYOUT.cameras.values()], axis=0).min() >= least


def test_two_cameras_look_on_each_gondolas_front() -> None:
    for gondola in LAYOUT.gondolas.values():
        along, height = np.meshgrid(np.linspace(0.05, gondola.length_m - 0.05, 12), np.linspace(0.3, gondola.top_m, 8))
        front = np.stack([gondola.point(a, 0.0, h) for a, h in zip(along.ravel(), height.ravel(), strict=True)])
        views = np.zeros(len(front))
        for camera in LAYOUT.cameras.values():
            towards = front[:, :2] - camera.position_m[:2]
            steep = towards @ gondola.outlook / np.linalg.norm(towards, axis=1)
            views += seen(camera, front) & (steep > 0.2)
        assert views.min() >= 2


def test_cameras_hang_where_nobody_bumps_into_them_and_have_small_pictures() -> None:
    assert len(LAYOUT.cameras) == 4
    for camera in LAYOUT.cameras.values():
        assert 2.2 < camera.position_m[2] < LAYOUT.ceiling_m
        assert (camera.width_px, camera.height_px) == (640, 360)


def test_packs_are_as_heavy_as_their_size_allows_and_tell_themselves_apart() -> None:
    articles = assortment()
    assert {article.form for article in articles} == set(FORMS)
    for article in articles:
        litres = 1000 * article.width_m * article.depth_m * article.height_m
        assert 0.02 < article.weight_g / 1000 / litres < 1.3
        assert np.abs(np.subtract(article.colour, article.accent)).sum() > 100
    assert len({(article.colour, article.accent) for article in articles}) == len(articles)


def test_packs_fit_between_the_shelves_and_only_light_bags_and_boxes_hang() -> None:
    hung = [facing for facing in LAYOUT.facings if facing.display == "peg"]
    assert 5 <= len(hung) <= len(LAYOUT.facings) // 3
    assert all(f.article.form in ("bag", "box") and f.article.weight_g < 160 for f in hung)
    for facing in LAYOUT.facings:
        gondola = LAYOUT.gondolas[facing.shelf.gondola]
        levels = (*gondola.heights_m, gondola.top_m)
        assert facing.article.height_m < levels[facing.shelf.shelf] - levels[facing.shelf.shelf - 1]
        assert facing.article.width_m <= facing.right_m - facing.left_m
        assert facing.article.depth_m < gondola.depth_m
    assert LAYOUT.is_free(np.array([LAYOUT.door_m])).all()
    assert BODY_M < LAYOUT.door_m[1] < LAYOUT.size_m[1] - BODY_M
