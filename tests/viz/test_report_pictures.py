"""Floor plan, timeline and report: what is where on the picture."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gocv.core import (
    CartEvent,
    FloorTracks,
    Plate,
    PlateId,
    Product,
    Receipt,
    ReceiptLine,
    ScaleSamples,
    ShelfId,
    Store,
    WeightEvent,
    Zone,
)
from gocv.viz import draw_floor, draw_report, draw_timeline, shelf_panels, shopper_colours
from gocv.viz.floor import plot_floor
from gocv.viz.labels import Label, place_in_lanes
from gocv.viz.presence import near_gondola
from gocv.viz.style import RIGHT, WRONG, new_figure, rgb, text_width_px

EMPTY_TRACKS = FloorTracks.empty(shoppers=())


def _store() -> Store:
    plates = {}
    for shelf in (1, 2):
        for plate in range(1, 7):
            place = np.array([1.0 + 0.1 * plate, 3.0, 0.5 * shelf])
            key = PlateId(1, shelf, plate)
            plates[key] = Plate(key, place, np.eye(3), np.array([0.1, 0.4]))
    lost = PlateId(2, 1, 1)
    plates[lost] = Plate.unsurveyed(lost)
    products = {p.id: p for p in (Product("012", "Oat Bar", 50.0, 0.4), Product("7", "Cola $1 a_b", 350.0, 2.0))}
    zone = Zone("entrance", np.array([[0.0, 0.0], [0.8, 0.0], [0.8, 1.0], [0.0, 1.0]]))
    return Store(products, plates, {"012": frozenset([PlateId(1, 1, 1)])}, (zone,))


def _tracks() -> FloorTracks:
    time = np.tile(np.arange(0.0, 30.0, 0.1), 2)
    who = np.repeat([0, 1], 300)
    x = np.where(who == 0, 1.3, 0.5 + 0.05 * time)
    y = np.where(who == 0, 2.4, 1.0)
    return FloorTracks.sightings(("ada", "bob"), time, who, xy_m=np.stack([x, y], axis=1))


def _event(name: str, time_s: float, shelf: int = 1, plate: int = 2, grams: float = -50.0) -> WeightEvent:
    plates = (PlateId(1, shelf, plate),)
    return WeightEvent(
        name, ShelfId(1, shelf), time_s - 0.5, time_s + 0.5, time_s, plates, np.array([grams]), np.eye(1), 0.9
    )


EVENTS = (_event("e1", 8.0), _event("e2", 15.0, 2, 4, -350.0), _event("e3", 20.0, 1, 2, 50.0))
CART = (
    CartEvent("e1", 8.0, "ada", "012", 1, 0.97),
    CartEvent("e2", 15.0, "bob", "7", 1, 0.81),
    CartEvent("e3", 20.0, "ada", "012", -1, 0.9),
)
RECEIPTS = (
    Receipt("ada", (), 0.9, False),
    Receipt("bob", (ReceiptLine("7", "Cola $1 a_b", 1, 0.81, ("e2",)),), 0.7, True),
)


def _samples(seconds: float = 30.0) -> list[ScaleSamples]:
    time = np.arange(0.0, seconds, 1 / 60)
    plates = (PlateId(1, 1, 2), PlateId(1, 2, 4), PlateId(1, 2, 5))
    weight = np.full((len(time), 3), 700.0)
    weight[(time > 8) & (time < 20), 0] -= 50.0
    weight[time > 15, 1] -= 350.0
    whole = ScaleSamples(plates, time_s=time, weight_g=weight)
    return [whole[i : i + 500] for i in range(0, len(whole), 500)]


def _pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def _count(pixels: np.ndarray, colour: str) -> int:
    return int((np.abs(pixels.astype(int) - rgb(colour)).sum(axis=2) < 12).sum())


def _report(path: Path, **changes) -> np.ndarray:
    arguments = {
        "title": "a visit",
        "store": _store(),
        "shoppers": _tracks(),
        "panels": shelf_panels(_samples(), EVENTS),
        "cart_events": CART,
        "receipts": RECEIPTS,
        **changes,
    }
    draw_report(path, **arguments)
    return _pixels(path)


def test_panels_add_up_the_plates_of_a_shelfs_events_and_start_at_nothing() -> None:
    first, second = shelf_panels(_samples(), EVENTS)
    assert (first.shelf, first.plates) == (ShelfId(1, 1), (PlateId(1, 1, 2),))
    assert [event.id for event in first.events] == ["e1", "e3"]
    np.testing.assert_allclose(first.weight_g[first.time_s < 7.5], 0.0, atol=1e-6)
    np.testing.assert_allclose(first.weight_g[(first.time_s > 8.5) & (first.time_s < 19.5)], -50.0, atol=1e-6)
    np.testing.assert_allclose(second.weight_g[second.time_s > 16], -350.0, atol=1e-6)
    assert len(first.time_s) == pytest.approx(300, abs=8)


def test_panels_survive_gaps_missing_readings_and_shelves_without_samples() -> None:
    samples = _samples()[::2]
    broken = ScaleSamples(samples[1].plates, time_s=samples[1].time_s, weight_g=samples[1].weight_g * np.nan)
    panels = shelf_panels([samples[0], broken], [*EVENTS, _event("e9", 9.0, 3)])
    assert np.isnan(panels[0].weight_g).any()
    assert np.isfinite(panels[0].weight_g).any()
    assert len(panels[2].time_s) == 0


def test_the_report_has_the_size_asked_for_and_shows_every_shopper(tmp_path) -> None:
    pixels = _report(tmp_path / "report.png", size_px=(1200, 800))
    assert pixels.shape == (800, 1200, 3)
    for colour in list(shopper_colours(["ada", "bob"]).values())[:2]:
        assert _count(pixels, colour) > 300
    for region in (np.s_[90:500, 30:480], np.s_[520:780, 30:480], np.s_[90:780, 600:1150], np.s_[10:80, 20:400]):
        assert (pixels[region] < 120).any(axis=2).sum() > 100


@pytest.mark.parametrize(
    ("truth", "right", "wrong"),
    [
        (None, False, False),
        ({"ada": {}, "bob": {"7": 1}}, True, False),
        ({"ada": {"012": 1}, "bob": {"7": 2}}, False, True),
    ],
)
def test_lines_are_ticked_or_crossed_only_against_a_truth(tmp_path, truth, right, wrong) -> None:
    pixels = _report(tmp_path / "report.png", truth=truth)
    assert (_count(pixels, RIGHT) > 15) == right
    assert (_count(pixels, WRONG) > 15) == wrong


def test_a_probability_or_a_name_changes_the_picture_where_it_is_written(tmp_path) -> None:
    first = _report(tmp_path / "a.png")
    other = (RECEIPTS[0], Receipt("bob", (ReceiptLine("7", "Cola $1 a_b", 1, 0.33, ("e2",)),), 0.7, True))
    rows, columns = np.nonzero((first != _report(tmp_path / "b.png", receipts=other)).any(axis=2))
    assert len(rows)
    assert columns.max() < 700
    assert rows.max() - rows.min() < 20


def test_pictures_are_the_same_bytes_each_time_and_nothing_else_is_left(tmp_path) -> None:
    for name in ("a.png", "b.png"):
        _report(tmp_path / "deep" / name)
    assert (tmp_path / "deep" / "a.png").read_bytes() == (tmp_path / "deep" / "b.png").read_bytes()
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == ["a.png", "b.png"]


def test_a_picture_that_fails_leaves_the_old_one(tmp_path) -> None:
    target = tmp_path / "report.nosuchformat"
    target.write_text("old")
    with pytest.raises(ValueError, match="nosuchformat"):
        _report(target)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.nosuchformat"]


def test_empty_things_are_drawn_too(tmp_path) -> None:
    nothing = Store({}, {}, {})
    empty = _report(
        tmp_path / "r.png", store=nothing, shoppers=EMPTY_TRACKS, panels=(), cart_events=(), receipts=(), truth={}
    )
    assert (empty < 100).any()
    draw_timeline(tmp_path / "t.png", panels=(), cart_events=(), shoppers=EMPTY_TRACKS, store=nothing)
    draw_floor(tmp_path / "f.png", store=nothing, shoppers=EMPTY_TRACKS)
    for name in ("t.png", "f.png"):
        assert (_pixels(tmp_path / name) < 150).any()


def test_a_report_without_receipts_positions_or_surveyed_plates_still_says_what_it_can(tmp_path) -> None:
    time = np.arange(0.0, 30.0)
    unplaced = FloorTracks.sightings(("ada",), time, np.zeros(30, np.int64))
    store = Store(_store().products, {p: Plate.unsurveyed(p) for p in _store().plates}, {})
    pixels = _report(tmp_path / "r.png", store=store, shoppers=unplaced, receipts=())
    assert _count(pixels, shopper_colours(["ada", "bob"])["ada"]) > 100


def test_events_without_a_movement_are_shaded_grey(tmp_path) -> None:
    def draw(name: str, moved: tuple[CartEvent, ...]) -> np.ndarray:
        draw_timeline(
            tmp_path / name,
            panels=shelf_panels(_samples(), EVENTS[1:2]),
            cart_events=moved,
            shoppers=EMPTY_TRACKS,
            store=_store(),
        )
        return _pixels(tmp_path / name)

    bob = shopper_colours(["bob"])["bob"]
    assert _count(draw("a.png", CART[1:2]), bob) > 50
    assert _count(draw("b.png", ()), bob) == 0


def test_the_weight_curve_falls_at_the_event(tmp_path) -> None:
    draw_timeline(
        tmp_path / "t.png",
        panels=shelf_panels(_samples(), EVENTS[1:2]),
        cart_events=(),
        shoppers=_tracks(),
        store=_store(),
    )
    pixels = _pixels(tmp_path / "t.png")[20:104]
    curve = (pixels.max(axis=2) < 70).astype(float)
    left, right = curve[:, 200:700], curve[:, 900:1450]
    height = np.arange(len(pixels))[:, None]
    assert (left * height).sum() / left.sum() + 20 < (right * height).sum() / right.sum()


def test_marks_lie_on_the_plates_that_changed_taken_filled_and_put_back_hollow() -> None:
    figure = new_figure(900, 700)
    axes = figure.add_axes((0, 0, 1, 1))
    plot_floor(axes, store=_store(), shoppers=_tracks(), weight_events=EVENTS, cart_events=CART)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    colours = shopper_colours(["ada", "bob"])

    def around(x: float, y: float) -> np.ndarray:
        column, row = axes.transData.transform((x, y))
        return pixels[700 - round(row) - 1, round(column)].astype(int)

    np.testing.assert_allclose(around(1.2, 2.87), rgb(colours["ada"]), atol=6)
    np.testing.assert_allclose(around(1.2, 2.87 + 0.095), 255, atol=6)
    np.testing.assert_allclose(around(1.4, 2.87), rgb(colours["bob"]), atol=6)


def test_near_gondola_knows_the_gondola_in_reach_and_nothing_of_unsurveyed_ones() -> None:
    places = np.array([[1.3, 2.3], [1.3, 1.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(near_gondola(places, _store()), [1, 0, 0])


def test_labels_never_cover_each_other_and_series_become_one() -> None:
    figure = new_figure(800, 100)
    rng = np.random.default_rng(1)
    labels = [
        Label(float(t), "−1", f"Product {i}", 0.9, "#000000", True)
        for i, t in enumerate(np.sort(rng.uniform(0, 60, 14)))
    ]
    placed, left_out = place_in_lanes(figure, labels, (0.0, 60.0), 800.0)
    assert len(placed) + left_out == len(labels)
    assert len(placed) >= 10
    spans = [
        (p.lane, p.x_s - w, p.x_s + w)
        for p in placed
        for w in [text_width_px(figure, p.label.text, 8.5, "bold") * 60 / 1600]
    ]
    for i, (lane, start, end) in enumerate(spans):
        assert start >= -0.1
        assert end <= 60.1
        assert all(other[0] != lane or other[1] >= end or other[2] <= start for other in spans[:i])
    series = [Label(t, "−1", "Oat Bar", p, "#000000", True) for t, p in ((5.0, 0.9), (6.0, 0.7), (7.0, 0.8))]
    (only,), _ = place_in_lanes(figure, series, (0.0, 60.0), 800.0)
    assert only.label.text == "3 × −1 Oat Bar 70%"


def test_many_shelves_and_shoppers_are_cut_down_and_said_so(tmp_path) -> None:
    events = [_event(f"e{i}", 1.0 + i, shelf=i + 1) for i in range(28)]
    receipts = [
        Receipt(f"s{i}", tuple(ReceiptLine("7", f"Thing {k}", 1, 0.5, ()) for k in range(30)), 0.5, False)
        for i in range(11)
    ]
    pixels = _report(tmp_path / "r.png", panels=shelf_panels((), events), receipts=receipts)
    assert pixels.shape == (1000, 1600, 3)


def test_inputs_are_left_alone(tmp_path) -> None:
    tracks, panels = _tracks(), shelf_panels(_samples(), EVENTS)
    before = [panel.weight_g.copy() for panel in panels]
    _report(tmp_path / "r.png", shoppers=tracks, panels=panels)
    np.testing.assert_array_equal(tracks.xy_m, _tracks().xy_m)
    for panel, kept in zip(panels, before, strict=True):
        np.testing.assert_array_equal(panel.weight_g, kept)


def test_colours_are_distinct_and_do_not_depend_on_the_order() -> None:
    names = [f"s{i}" for i in range(8)]
    colours = shopper_colours(names)
    assert len(set(colours.values())) == 9
    assert shopper_colours(reversed(names)) == colours


def test_importing_does_not_import_matplotlib() -> None:
    code = "import sys, gocv.viz; sys.exit(any(m in sys.modules for m in ('matplotlib', 'cv2', 'torch')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_drawing_does_not_touch_the_state_of_pyplot(tmp_path) -> None:
    code = (
        "import sys\n"
        "from gocv.viz import draw_floor\n"
        "from gocv.core import FloorTracks, Store\n"
        "nobody = FloorTracks.empty(shoppers=())\n"
        f"draw_floor({str(tmp_path / 'f.png')!r}, store=Store({{}}, {{}}, {{}}), shoppers=nobody)\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_of_two_products_in_one_event_each_is_marked_where_it_belongs() -> None:
    store = _store()
    planogram = {"012": frozenset([PlateId(1, 1, 2)]), "7": frozenset([PlateId(1, 1, 5)])}
    store = Store(store.products, store.plates, planogram, store.zones)
    plates = (PlateId(1, 1, 2), PlateId(1, 1, 5))
    event = WeightEvent("e", ShelfId(1, 1), 7.5, 8.5, 8.0, plates, np.array([-50.0, -350.0]), np.eye(2), 0.9)
    moved = [CartEvent("e", 8.0, "ada", "012", 1, 0.9), CartEvent("e", 8.0, "bob", "7", 1, 0.9)]
    figure = new_figure(900, 700)
    axes = figure.add_axes((0, 0, 1, 1))
    plot_floor(axes, store=store, shoppers=_tracks(), weight_events=[event], cart_events=moved)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    for x, name in ((1.2, "ada"), (1.5, "bob")):
        column, row = axes.transData.transform((x, 2.87))
        np.testing.assert_allclose(
            pixels[700 - round(row) - 1, round(column)], rgb(shopper_colours(["ada", "bob"])[name]), atol=6
        )
