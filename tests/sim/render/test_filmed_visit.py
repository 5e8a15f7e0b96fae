from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gocv.core import DataError, MissingDependencyError, Product, ShelfId
from gocv.data.video import VideoReader
from gocv.geometry import PinholeCamera
from gocv.sim.articles import Article
from gocv.sim.layout import Facing, Gondola, StoreLayout
from gocv.sim.render import frames as frames_module
from gocv.sim.render import raster, render_camera, render_visit
from gocv.sim.render.background import Background
from gocv.sim.render.light import Lighting
from gocv.sim.scene import Scene, Stay
from gocv.sim.shoppers import Motion

W, H = 320, 180
LENS = (-0.25, 0.06, 0.002, -0.003, 0.0)
MAGENTA = (255, 0, 255)


@pytest.fixture(autouse=True, scope="module")
def _can_draw() -> None:
    try:
        raster.Rasteriser(8, 8).close()
    except MissingDependencyError as error:
        pytest.skip(str(error))


def article(width_m: float = 0.08, height_m: float = 0.16, colour: tuple[int, int, int] = MAGENTA) -> Article:
    return Article(Product("p", "p", 100.0, 1.0, 1.0), 100.0, 1.0, width_m, width_m, height_m, "box", colour, colour)


def layout(*, lens: tuple[float, ...] = LENS, gondola_y: float = 3.2) -> StoreLayout:
    gondola = Gondola(1, (1.5, gondola_y), 0.0, 10, (0.3, 0.8, 1.3))
    camera = PinholeCamera.look_at(
        (0.5, 0.5, 2.6), (2.2, 2.4, 0.8), width_px=W, height_px=H, focal_px=170.0, distortion=lens
    )
    return StoreLayout.build(
        [gondola],
        [Facing(article(), ShelfId(1, 2), 4, 2, 0.3, 0.5)],
        zones=(),
        size_m=(4.0, 4.0),
        door_m=(0.15, 2.0),
        cameras={"cam": camera},
    )


def standing(name: str, xy_m: tuple[float, float], outlook: tuple[float, float] = (0.0, 1.0)) -> Motion:
    return Motion(name, 1.75, 0.0, np.tile(np.array(xy_m), (2000, 1)), np.tile(np.array(outlook), (2000, 1)), ())


def scene(motions: tuple[Motion, ...] = (), stays: tuple[Stay, ...] = (), of: StoreLayout | None = None) -> Scene:
    return Scene(of or layout(), motions, frozenset({"staff"}), stays, 4.0)


def shot(what: Scene, time_s: float = 1.0, **options: bool) -> frames_module.RenderedFrame:
    return next(render_camera(what, "cam", seed=1, from_s=time_s, **options))


def put(unit: int, at_m: tuple[float, float, float], until_s: float = 9.0, **size: float) -> Stay:
    return Stay(unit, article(**size), 0.0, until_s, np.array(at_m))


@pytest.mark.parametrize("lens", [(0.0, 0.0, 0.0, 0.0, 0.0), LENS])
def test_a_marker_is_drawn_where_the_camera_puts_it(lens: tuple[float, ...]) -> None:
    store, size_m = layout(lens=lens), 0.06
    places = np.array([(2.2, 2.4, 0.8), (1.0, 2.9, 1.9), (3.2, 1.3, 0.9), (2.0, 1.3, 0.3), (3.1, 3.0, 1.7)])
    stays = tuple(put(i, tuple(place), width_m=size_m, height_m=size_m) for i, place in enumerate(places))
    empty, marked = (shot(scene(stays=there, of=store), noise=False).image for there in ((), stays))
    # In green the marker is black, and all around it is bright.
    darker = np.clip(empty.astype(float) - marked, 0, None)[..., 1]
    middles = store.cameras["cam"].project(places + np.array([0, 0, size_m / 2]))[0]
    for middle in middles:
        left, top = np.round(middle).astype(int) - 9
        assert 0 <= left < W - 19
        assert 0 <= top < H - 19
        weight = darker[top : top + 19, left : left + 19]
        weight = np.where(weight > 40, weight, 0.0)
        rows, columns = np.mgrid[:19, :19]
        found = np.array([left + (columns * weight).sum() / weight.sum(), top + (rows * weight).sum() / weight.sum()])
        assert np.abs(found - middle).max() < 1.0


def test_depth_is_that_of_the_camera() -> None:
    frame = shot(scene(), depth=True)
    camera = layout().cameras["cam"]
    floor_m = np.array([[2.2, 1.7, 0.0], [1.8, 2.2, 0.0]])
    pixels, depth = camera.project(floor_m)
    x, y = np.round(pixels).astype(int).T
    assert frame.depth_m is not None
    np.testing.assert_allclose(frame.depth_m[y, x], depth, atol=0.03)


def test_people_are_where_the_truth_says() -> None:
    frame = shot(scene((standing("a", (2.0, 2.2)), standing("staff", (2.9, 1.8)))), depth=True)
    people = frame.people
    assert people is not None
    assert frame.identity is not None
    assert people.name.tolist() == ["a", "staff"]
    assert people.staff.tolist() == [False, True]
    for row, box in enumerate(people.xyxy):
        assert (people.keypoints_px[row] >= box[:2]).all()
        assert (people.keypoints_px[row] <= box[2:]).all()
        y, x = np.nonzero(frame.identity == row)
        np.testing.assert_allclose([x.min(), y.min(), x.max(), y.max()], people.visible_xyxy[row])
    np.testing.assert_allclose(people.xyxy, people.visible_xyxy, atol=1.5)
    assert (people.visible_fraction > 0.95).all()
    pixels = layout().cameras["cam"].project(people.keypoints_m)[0]
    np.testing.assert_allclose(pixels, people.keypoints_px)


def test_a_gondola_hides_who_is_behind_it() -> None:
    store = layout(gondola_y=2.0)
    before, behind = (shot(scene((standing("a", xy),), of=store)).people for xy in ((2.0, 1.5), (2.0, 2.75)))
    assert before is not None
    assert behind is not None
    assert before.visible_fraction[0] > 0.99
    assert 0.05 < behind.visible_fraction[0] < 0.6
    assert not behind.keypoint_visible[0, 15:].any()
    assert behind.visible_xyxy[0, 3] < behind.xyxy[0, 3] - 5


def test_a_taken_unit_leaves_the_shelf_and_is_in_the_hand() -> None:
    store = layout()
    place = store.gondolas[1].point(0.4, 0.08, 0.8)
    taken = Stay(1, article(), 2.0, 9.0, None, holder="a", hand=0)
    what = scene((standing("a", (1.1, 2.2), (1.0, 0.0)),), (put(1, tuple(place), until_s=2.0), taken), store)
    before, after = shot(what, 1.9, noise=False), shot(what, 2.0, noise=False)
    assert before.people is not None
    assert after.people is not None
    assert (before.people.held.tolist(), after.people.held.tolist()) == ([["", ""]], [["p", ""]])
    assert after.people.held_units.tolist() == [[1, 0]]
    x, y = np.round(store.cameras["cam"].project(place + np.array([0, -0.04, 0.08]))[0]).astype(int)
    assert _magenta(before.image)[y, x]
    assert not _magenta(after.image)[y, x]
    left, top = np.round(after.people.hands_px[0, 0]).astype(int) - 8
    near = slice(top, top + 17), slice(left, left + 17)
    assert _magenta(after.image[near]).sum() > 5 + _magenta(before.image[near]).sum()


def test_identities_look_the_same_at_all_times_and_differ() -> None:
    what = scene((standing("a", (2.0, 2.2)), standing("b", (2.9, 1.8))))
    frames = [shot(what, time_s, noise=False, depth=True) for time_s in (0.0, 3.0)]
    means = np.array([[f.image[f.identity == row].mean(axis=0) for row in (0, 1)] for f in frames])
    np.testing.assert_allclose(means[0], means[1], atol=2.0)
    assert np.abs(means[0, 0] - means[0, 1]).max() > 15


def test_the_same_arguments_give_the_same_film() -> None:
    what = scene((standing("a", (2.0, 2.2)),), (put(1, (2.0, 3.3, 0.8)),))
    one, other = (list(render_camera(what, "cam", seed=3, until_s=0.3)) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert (a.index, a.time_s) == (b.index, b.time_s)
        np.testing.assert_array_equal(a.image, b.image)
        assert a.people is not None
        for field in dataclasses.fields(a.people):
            np.testing.assert_array_equal(getattr(a.people, field.name), getattr(b.people, field.name))


def test_what_is_drawn_again_is_what_the_whole_would_be() -> None:
    store = layout()
    stays = tuple(put(i, (1.6 + 0.1 * i, 3.3, 0.8), until_s=1.0 + i) for i in range(5))
    lighting = Lighting(store)
    camera = store.cameras["cam"]
    kept, fresh = (Background(scene(stays=stays, of=store), camera, lighting, 1) for _ in range(2))
    for time_s in (0.0, 1.0, 2.5, 3.5):
        window = kept.update(time_s)
    assert window is not None
    assert (window[2] - window[0]) * (window[3] - window[1]) < W * H / 2
    assert kept.update(3.6) is None
    fresh.update(3.5)
    for field in dataclasses.fields(kept.now):
        a, b = getattr(kept.now, field.name), getattr(fresh.now, field.name)
        if field.name != "normals":  # at an edge they depend on a neighbour that may be outside the part drawn again
            np.testing.assert_array_equal(a, b)


def test_a_visit_is_written_whole(tmp_path: Path) -> None:
    what = dataclasses.replace(scene((standing("a", (2.0, 2.2)),)), duration_s=0.5)
    assert render_visit(what, tmp_path, seed=1, workers=1) == {"cam": 5}
    table = pq.read_table(tmp_path / "truth" / "frames" / "cam.parquet")
    assert table["frame"].to_pylist() == list(range(5))
    assert table["name"].to_pylist() == ["a"] * 5
    np.testing.assert_allclose(table["time_s"], np.arange(5) / 10)
    assert len(table["keypoints_px"][0]) == 34
    assert len(list(VideoReader(tmp_path / "video" / "cam.mp4", camera="cam"))) == 5


def test_a_frame_without_people_is_a_row_of_nulls(tmp_path: Path) -> None:
    render_visit(dataclasses.replace(scene(), duration_s=0.2), tmp_path, seed=1, workers=1)
    table = pq.read_table(tmp_path / "truth" / "frames" / "cam.parquet")
    assert table["frame"].to_pylist() == [0, 1]
    assert table["name"].null_count == 2


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"name": "cam2"}, "name"),
        ({"rate_hz": 0.0}, "rate_hz"),
        ({"seed": -1}, "seed"),
        ({"from_s": 3.0, "until_s": 2.0}, "until_s"),
        ({"truth": False, "depth": True}, "depth"),
    ],
)
def test_what_cannot_be_filmed_is_refused(options: dict[str, object], key: str) -> None:
    with pytest.raises(DataError, match=key):
        render_camera(scene(), **{"name": "cam", "seed": 1, **options})  # type: ignore[arg-type]


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name}", name=name)

    monkeypatch.setattr(raster.importlib, "import_module", refuse)
    with pytest.raises(MissingDependencyError, match=r"gocv\[sim\]"):
        raster.Rasteriser(8, 8)


def _magenta(image: np.ndarray) -> np.ndarray:
    red, green, blue = np.moveaxis(image.astype(int), -1, 0)
    return (np.minimum(red, blue) - green > 60) & (np.abs(red - blue) < 60)
