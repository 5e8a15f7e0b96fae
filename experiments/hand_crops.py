"""Pictures of hands of simulated shoppers: `python experiments/hand_crops.py FOLDER --part NAME --visits 0:2`.

Visits of several scenarios are simulated and filmed around what hands do at shelves, `RATE_HZ` frames a second. Squares
are cut out around the hands as the recorded joints have them, noise and mixed-up names included, so that they are as
badly placed as in use. In the parts "train" and "tune" (seeds below 1000) every visit is in a store whose products look
like no others: the built-in store's 40 looks are met in "home" (also seeds below 1000) and in "test" (seeds of 10,000
and more) alone.

A visit NAME (scenario-seed) becomes `FOLDER/PART/NAME.npz` and the recording `FOLDER/recordings/PART-NAME` with joints,
scales, events. Rows of the NPZ are pictures of hands, those of one hand in one camera in order of time:

- `crops` (n, 48, 48, 3) uint8 RGB; `time_s` (n,) on the recording's clock; `camera` (n,) index into `cameras`;
  `xyxy` (n, 4) and `side_px` (n,) the square in pixels of the frame;
- `shopper` (n,) index into `shoppers`, the names of the recorded joints, and `hand` (n,), 0 left, 1 right: whose hand
  that is by the joints, as `gocv.core.HandLooks` has it;
- truth: `person` (n,) text, who that is; `held` (n,) text, product ids in that hand joined by "+", empty where there is
  none; `units` (n,); `visible` (n,) whether the middle of the hand is seen and inside the square;
- `article` (n,) index into `articles`, what is in the hand looks like that; -1 nothing, -2 several things;
- `pasted` (n,) bool: such a row is made of another one, whose hand was empty, by drawing an article into it; use these
  for looks alone, never as a sequence. There are some in "train" only.

`articles` is JSON: id, form, width_m, depth_m, height_m, colour, accent of each; `catalogue` (a, 3, 96, 96, 3) uint8
has the pictures of each that a store's catalogue would have.
"""

from __future__ import annotations

import argparse
import colorsys
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gocv.core import Product
from gocv.data.files import written_whole
from gocv.data.progress import with_progress
from gocv.data.recording import Recording
from gocv.geometry import PinholeCamera
from gocv.interact.crops import HandPaths, cut, hand_squares
from gocv.sim import Article, read_scenario, simulate, simulate_scene
from gocv.sim.body import Body, body
from gocv.sim.render import RenderedFrame, render_camera
from gocv.sim.render.background import SAMPLES_PX, clip_window
from gocv.sim.render.frames import EXPOSURE_S
from gocv.sim.render.light import Lighting
from gocv.sim.render.mesh import Mesh, turn
from gocv.sim.render.packs import pack
from gocv.sim.render.raster import Rasteriser, project
from gocv.sim.render.sensor import Sensor
from gocv.sim.scene import Scene
from gocv.sim.stores.packs import FORMS, colours_of, size_of

ROOT = Path(__file__).parents[1]
SCENARIOS = ("plain_visit", "same_weight_swap", "mixed_return", "crossing_arms", "wrong_returns", "fast_series")
FIRST_SEED = {"train": 300, "tune": 700, "home": 800, "test": 10_300}
CAMERAS = {"train": 2, "tune": 2, "home": 2, "test": 4}
"""Of the store's four, drawn by lot for each visit."""
REACHES = {"train": 5, "tune": 6}
"""Of a visit, at most, that are filmed; all in the other parts."""
ALONE = ("train", "tune")
"""Where scenarios of more than two shoppers have one, which is filmed sooner."""
RATE_HZ, AROUND_S, OTHER_S, OTHERS, JOINED_S = 5.0, 2.0, 1.0, 1, 2.0
SIZE, CATALOGUE_PX, VARIANTS = 48, 96, 2
GRIP_M = 0.008
VIEWS = ((0.0, -1.0, 0.12), (0.75, -1.0, 0.6), (0.5, 1.0, 0.6))
"""From where the catalogue's pictures of a pack are taken: before it, and from two corners above."""


def random_article(name: str, like: Article | None, rng: np.random.Generator) -> Article:
    """A product that looks like no other; of the size and form of another one where one is given."""
    main, label = colours_of(name)
    if rng.random() < 0.4:  # duller or brighter than the simulator's own palette
        main = _colour(rng, 0.0, 1.0)
    if rng.random() < 0.4:
        label = _colour(rng, 0.0, 0.9)
    product = Product(name, name, 100.0, 1.0, 1.0)
    if like is not None:
        return dataclasses.replace(like, product=product, colour=main, accent=label)
    form = FORMS[int(rng.integers(len(FORMS)))]
    size = size_of(name, float(np.exp(rng.uniform(np.log(80), np.log(900)))), form)
    return Article(product, 100.0, 1.0, size.width_m, size.depth_m, size.height_m, form, main, label)


def _colour(rng: np.random.Generator, dull: float, bright: float) -> tuple[int, int, int]:
    rgb = colorsys.hsv_to_rgb(rng.random(), rng.uniform(dull, bright), rng.uniform(0.1, 1.0))
    return tuple(round(255 * value) for value in rgb)  # type: ignore[return-value]


def restyled(scene: Scene, name: str, rng: np.random.Generator) -> tuple[Scene, dict[str, Article]]:
    """The visit with other packs on its shelves, and what each product looks like now."""
    known = {stay.article.id: stay.article for stay in scene.stays}
    looks = {key: random_article(f"{name}/{key}", article, rng) for key, article in sorted(known.items())}
    stays = tuple(dataclasses.replace(stay, article=looks[stay.article.id]) for stay in scene.stays)
    return dataclasses.replace(scene, stays=stays), looks


class Catalogue:
    """Takes a store's pictures of packs, each alone before white."""

    def __init__(self) -> None:
        self._raster = Rasteriser(CATALOGUE_PX, CATALOGUE_PX)

    def pictures(self, article: Article) -> np.ndarray:
        """(3, CATALOGUE_PX, CATALOGUE_PX, 3) uint8."""
        mesh = pack(article)
        longest = max(article.width_m, article.depth_m, article.height_m)
        middle, found = np.array([0.0, 0.0, article.height_m / 2]), []
        for direction in VIEWS:
            away = 8 * longest * np.array(direction) / np.linalg.norm(direction)
            focal = 6.0 * CATALOGUE_PX
            side = {"width_px": CATALOGUE_PX, "height_px": CATALOGUE_PX}
            camera = PinholeCamera.look_at(middle + away, middle, focal_px=focal, **side)
            light = np.clip(0.8 + 0.2 * mesh.normals @ (away / np.linalg.norm(away)), 0, 1)[:, None]
            colours = np.clip(255 * mesh.colours * light, 0, 255).astype(np.uint8)
            self._raster.put("pack", project(camera, mesh.vertices, mesh.faces), colours)
            window = (0, 0, CATALOGUE_PX, CATALOGUE_PX)
            drawn = [self._raster.draw(window, shift) for shift in SAMPLES_PX]
            samples = [np.where(np.isfinite(depth)[..., None], colour, 255) for colour, depth in drawn]
            found.append(np.mean(samples, axis=0).round().astype(np.uint8))
        return np.array(found)


def write_catalogue(folder: Path, articles: list[Article]) -> None:
    """A store's folder of catalogue pictures: `ID.png`, `ID-2.png`, `ID-3.png` of each product."""
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = Catalogue()
    for article in articles:
        for i, picture in enumerate(catalogue.pictures(article), start=1):
            Image.fromarray(picture).save(folder / (f"{article.id}.png" if i == 1 else f"{article.id}-{i}.png"))


class Paster:
    """Draws articles into hands of pictures that one camera took.

    Args:
        scene: The visit.
        camera: Who looks.
    """

    def __init__(self, scene: Scene, camera: PinholeCamera) -> None:
        self._camera, self._lighting = camera, Lighting(scene.layout)
        self._motions = {motion.name: motion for motion in scene.motions}
        self._raster = Rasteriser(camera.width_px, camera.height_px)
        self._bodies: tuple[float, dict[str, Body]] = (-1.0, {})

    def paste(self, frame: RenderedFrame, hands: list[tuple[str, int]], articles: list[Article]) -> np.ndarray:
        """The picture (noiseless) with an article in each of those hands, (h, w, 3) float32."""
        assert frame.depth_m is not None
        shares = (np.arange(len(SAMPLES_PX)) + 0.5) / len(SAMPLES_PX) - 0.5
        moments = frame.time_s + np.array([0.0, *shares]) * EXPOSURE_S
        if self._bodies[0] != frame.time_s:
            self._bodies = frame.time_s, {}
        layers = []
        for (name, hand), article in zip(hands, articles, strict=True):
            if name not in self._bodies[1]:
                self._bodies[1][name] = body(self._motions[name], moments)
            now = self._bodies[1][name]
            yaws = np.arctan2(now.forward[:, 1], now.forward[:, 0]) - np.pi / 2
            mesh = pack(article).placed(np.eye(3), [0.0, article.depth_m / 2 + GRIP_M, -article.height_m / 2])
            layers.append([mesh.placed(turn(yaw), at) for yaw, at in zip(yaws, now.hands_m[:, hand], strict=True)])
        lit = [self._lit(layer[0]) for layer in layers]
        picture = frame.image.astype(np.float32)
        base = picture.copy()
        for k, shift in enumerate(SAMPLES_PX, start=1):
            extents = []
            for i, layer in enumerate(layers):
                flat = project(self._camera, layer[k].vertices, layer[k].faces)
                extents.append(flat.extent)
                self._raster.put(f"{i}", flat, lit[i])
            self._raster.show({f"{i}" for i in range(len(layers))})
            left, top, right, bottom = clip_window(np.array(extents), self._camera, 1)
            if left >= right or top >= bottom:
                continue
            part = slice(top, bottom), slice(left, right)
            colours, depth = self._raster.draw((left, top, right, bottom), shift)
            near = depth < frame.depth_m[part]
            picture[part][near] += (colours[near] - base[part][near]) / np.float32(len(SAMPLES_PX))
        return picture

    def _lit(self, mesh: Mesh) -> np.ndarray:
        return self._lighting.colours(mesh.vertices, mesh.normals, mesh.colours)


class Visit:
    """One visit, on its way into a table of hand pictures."""

    def __init__(self, folder: Path, part: str, number: int) -> None:
        scenario_name = SCENARIOS[number % len(SCENARIOS)]
        self.seed = FIRST_SEED[part] + number
        self.name, self._rng = f"{scenario_name}-{self.seed}", np.random.default_rng(self.seed)
        file = ROOT / "configs" / "sim" / "scenarios" / f"{scenario_name}.yaml"
        scenario = read_scenario(file)
        if part in ALONE and scenario.shoppers > 2:
            scenario = read_scenario(file, ["shoppers=1"])
        recorded = folder / "recordings" / f"{part}-{self.name}"
        simulate(scenario, recorded, seed=self.seed, overwrite=True)
        recording = Recording.open(recorded)
        self._paths = HandPaths(recording.floor_tracks())
        truth = recording.truth
        assert truth is not None
        self._names = sorted(truth.names, key=lambda name: name.time_s)
        self.scene = simulate_scene(scenario, seed=self.seed)
        self._most = REACHES.get(part)
        self._pasted = part == "train"
        if part in ("train", "tune"):
            self.scene, self.looks = restyled(self.scene, self.name, self._rng)
        else:
            self.looks = {stay.article.id: stay.article for stay in self.scene.stays}
        self._articles = dict(sorted((look.id, look) for look in self.looks.values()))
        self._product = {look.id: product for product, look in self.looks.items()}
        names = sorted(self.scene.layout.cameras)
        self._cameras = sorted(self._rng.permutation(names)[: CAMERAS[part]])
        self._rows: list[dict[str, Any]] = []

    def film(self) -> dict[str, np.ndarray]:
        """The table."""
        windows = self._windows()
        for camera in self._cameras:
            self._film(camera, windows)
        order = sorted(
            range(len(self._rows)),
            key=lambda i: [self._rows[i][key] for key in ("pasted", "shopper", "hand", "camera", "time_s")],
        )
        rows = [self._rows[i] for i in order]
        index = {key: i for i, key in enumerate(self._articles)}
        catalogue = Catalogue()
        table = {key: np.array([row[key] for row in rows]) for key in rows[0] if key != "article"}
        about = [
            {
                "id": look.id,
                **{key: getattr(look, key) for key in ("form", "width_m", "depth_m", "height_m", "colour", "accent")},
            }
            for look in self._articles.values()
        ]
        return {
            **table,
            "article": np.array(
                [row["article"] if isinstance(row["article"], int) else index[row["article"]] for row in rows]
            ),
            "shoppers": np.array(self._paths.shoppers),
            "cameras": np.array(self._cameras),
            "articles": np.array(json.dumps(about)),
            "catalogue": np.array([catalogue.pictures(look) for look in self._articles.values()]),
        }

    def _windows(self) -> list[tuple[float, float]]:
        """When hands do something, and some other moments; windows near each other are one."""
        reaches = np.array([reach.time_s for motion in self.scene.motions for reach in motion.reaches])
        reaches = self._rng.permutation(reaches)[: self._most]
        spans = [(time_s - AROUND_S, time_s + AROUND_S) for time_s in reaches.tolist()]
        for start in self._rng.uniform(0, self.scene.duration_s - OTHER_S, OTHERS):
            spans.append((start, start + OTHER_S))
        merged: list[tuple[float, float]] = []
        for start, end in sorted(spans):
            if merged and start <= merged[-1][1] + JOINED_S:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((max(0.0, start), end))
        return [(start, min(end, self.scene.duration_s)) for start, end in merged]

    def _film(self, name: str, windows: list[tuple[float, float]]) -> None:
        camera = self.scene.layout.cameras[name]
        sensor = Sensor(name, (camera.width_px, camera.height_px), self.seed)
        paster = Paster(self.scene, camera) if self._pasted else None
        for start, end in windows:
            times = np.arange(np.ceil(start * RATE_HZ), np.ceil(end * RATE_HZ)) / RATE_HZ
            seen = [time for time in times if len(hand_squares(self._paths, camera, time))]
            if not seen:
                continue
            for frame in render_camera(
                self.scene,
                name,
                rate_hz=RATE_HZ,
                seed=self.seed,
                from_s=seen[0],
                until_s=seen[-1] + 0.5 / RATE_HZ,
                depth=True,
                noise=False,
            ):
                self._cut(frame, name, camera, sensor, paster)

    def _cut(
        self, frame: RenderedFrame, name: str, camera: PinholeCamera, sensor: Sensor, paster: Paster | None
    ) -> None:
        squares = hand_squares(self._paths, camera, frame.time_s)
        if not len(squares):
            return
        light = frame.image.astype(np.float32)
        crops = cut(sensor.expose(light, frame.index, frame.time_s), squares.xyxy, SIZE)
        rows = [self._row(frame, name, squares, i) for i in range(len(squares))]
        self._rows += [{"crops": crop, **row} for crop, row in zip(crops, rows, strict=True)]
        free = [i for i, row in enumerate(rows) if row["visible"] and row["article"] == -1]
        for _ in range(VARIANTS if paster is not None and free else 0):
            articles = [self._new_article() for _ in free]
            assert paster is not None
            light = paster.paste(frame, [(rows[i]["person"], rows[i]["hand"]) for i in free], articles)
            crops = cut(sensor.expose(light, frame.index, frame.time_s), squares.xyxy[free], SIZE)
            for i, article, crop in zip(free, articles, crops, strict=True):
                self._rows.append({"crops": crop, **rows[i], "article": article.id, "pasted": True, "units": 1})

    def _new_article(self) -> Article:
        """One that is nowhere on the shelves; each is met a few times."""
        made = [key for key in self._articles if key not in self._product]
        if made and self._rng.random() < 0.85:
            return self._articles[made[int(self._rng.integers(max(0, len(made) - 40), len(made)))]]
        article = random_article(f"{self.name}/new-{len(made)}", None, self._rng)
        self._articles[article.id] = article
        return article

    def _row(self, frame: RenderedFrame, camera: str, squares: Any, i: int) -> dict[str, Any]:
        shopper, hand = int(squares.shopper[i]), int(squares.hand[i])
        person = self._paths.shoppers[shopper]
        for span in self._names:
            if span.name == self._paths.shoppers[shopper] and span.time_s <= frame.time_s:
                person = span.shopper
        stays = [
            stay
            for stay in self.scene.stays
            if stay.holder == person and stay.hand == hand and stay.from_s <= frame.time_s < stay.until_s
        ]
        held = sorted({stay.article.id for stay in stays})
        visible, people = False, frame.people
        assert people is not None
        for row in np.flatnonzero(people.name == person):
            place, box = people.hands_px[row, hand], squares.xyxy[i]
            inside = bool((place >= box[:2]).all() and (place <= box[2:]).all())
            visible = bool(people.hand_visible[row, hand]) and inside
        return {
            "time_s": frame.time_s,
            "shopper": shopper,
            "hand": hand,
            "camera": self._cameras.index(camera),
            "xyxy": squares.xyxy[i],
            "side_px": squares.side_px[i],
            "person": person,
            "held": "+".join(sorted(self._product[key] for key in held)),
            "units": len(stays),
            "visible": visible,
            "article": -1 if not held else held[0] if len(held) == 1 else -2,
            "pasted": False,
        }


def numbers(text: str) -> Iterator[int]:
    first, last = text.split(":")
    return iter(range(int(first), int(last)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", choices=sorted(FIRST_SEED), required=True)
    parser.add_argument("--visits", default="0:6", help="numbers, first:last, the last one exclusive")
    given = parser.parse_args()
    visits = list(numbers(given.visits))
    for number in with_progress(visits, "visit", len(visits)):
        visit = Visit(given.folder, given.part, number)
        target = given.folder / given.part / f"{visit.name}.npz"
        if not target.is_file():
            table = visit.film()
            with written_whole(target) as partial, partial.open("wb") as file:
                np.savez_compressed(file, **table)


if __name__ == "__main__":
    main()
