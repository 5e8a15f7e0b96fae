"""From the settings of a store to the store: rooms of facings, bodies of products, and all that can be wrong."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gocv.core import ConfigError, Product, ShelfId, Zone, nearest
from gocv.geometry import PinholeCamera
from gocv.sim.articles import Article
from gocv.sim.layout import Facing, Gondola, StoreLayout
from gocv.sim.stores.bodies import USUAL_SPREAD
from gocv.sim.stores.clearance import room_of
from gocv.sim.stores.config import CameraConfig, FacingConfig, GondolaConfig, ProductConfig, StoreConfig, read_config
from gocv.sim.stores.floor_checks import check_gondolas_apart, check_reachable
from gocv.sim.stores.noises import noise_of
from gocv.sim.stores.packs import Size, colours_of, form_of, size_of
from gocv.sim.stores.rooms import rooms

Room = tuple[float, float]


def read_store(path: Path) -> StoreLayout:
    """The store that a YAML file describes.

    Raises:
        ConfigError: The file is wrong; it and the key are named.
    """
    config = read_config(path)
    try:
        return build_store(config)
    except ConfigError as error:
        raise ConfigError(error.problem, file=path, key=error.key, expected=error.expected) from error


def build_store(config: StoreConfig) -> StoreLayout:
    """The store that settings describe.

    Raises:
        ConfigError: Gondolas, facings, products, cameras or the door do not fit together; the key is named.
    """
    gondolas = tuple(_gondola(i, gondola, config.ceiling_m) for i, gondola in enumerate(config.gondolas))
    _once("gondolas", "number", [gondola.number for gondola in gondolas])
    check_gondolas_apart(gondolas, (0.0, 0.0), config.size_m)
    zones = [Zone(zone.name, np.array(zone.polygon_m)) for zone in config.zones]
    if "entrance" not in (zone.name for zone in zones):
        raise ConfigError("no zone is called entrance", key="zones", expected="a zone where shoppers come in")
    try:
        layout = StoreLayout.build(
            gondolas,
            _facings(config, {gondola.number: gondola for gondola in gondolas}),
            zones=zones,
            size_m=config.size_m,
            door_m=config.door_m,
            cameras=_cameras(config.cameras),
            ceiling_m=config.ceiling_m,
        )
    except ConfigError as error:
        raise _numbered(error, config) from error
    check_reachable(layout)
    return layout


def _gondola(i: int, config: GondolaConfig, ceiling_m: float) -> Gondola:
    key, heights = f"gondolas.{i}", config.heights_m
    if any(above <= below for below, above in itertools.pairwise(heights)):
        raise ConfigError(f"heights {list(heights)}", key=f"{key}.heights_m", expected="each above the one before")
    gondola = Gondola(
        config.number,
        config.corner_m,
        math.radians(config.yaw_deg),
        config.plates,
        heights,
        config.pitch_m,
        config.depth_m,
        noise_of(config.noise, f"{key}.noise"),
    )
    if gondola.top_m > ceiling_m:
        problem = f"gondola {config.number} is {gondola.top_m:g} m high with what stands on it"
        raise ConfigError(problem, key=f"{key}.heights_m", expected=f"under the ceiling of {ceiling_m:g} m")
    return gondola


def _once(group: str, key: str, values: list[object]) -> None:
    for i, value in enumerate(values):
        if value in values[:i]:
            raise ConfigError(f"{value!r} stands there twice", key=f"{group}.{i}.{key}", expected="each once")


def _facings(config: StoreConfig, gondolas: Mapping[int, Gondola]) -> list[Facing]:
    _once("products", "id", [product.id for product in config.products])
    ids = {product.id for product in config.products}
    shelves: dict[ShelfId, list[int]] = defaultdict(list)
    for i, facing in enumerate(config.facings):
        if facing.product not in ids:
            problem = f"product {facing.product} is not among the products"
            raise ConfigError(problem, key=f"facings.{i}.product", expected=nearest(facing.product, ids))
        shelves[_shelf(i, facing, gondolas)].append(i)
    placed: dict[int, Room] = {}
    for shelf, members in shelves.items():
        placed.update(_rooms(config, members, gondolas[shelf.gondola]))
    articles = _articles(config, placed, gondolas)
    return [
        Facing(
            articles[facing.product],
            ShelfId(*map(int, facing.shelf.split("/"))),
            facing.plates[0],
            len(facing.plates),
            *placed[i],
            facing.display,
            facing.units,
        )
        for i, facing in enumerate(config.facings)
    ]


def _shelf(i: int, facing: FacingConfig, gondolas: Mapping[int, Gondola]) -> ShelfId:
    shelf = ShelfId(*map(int, facing.shelf.split("/")))
    gondola = gondolas.get(shelf.gondola)
    if gondola is None or shelf.shelf > len(gondola.heights_m):
        there = f"one of gondolas {sorted(gondolas)}" if gondola is None else f"shelf 1 to {len(gondola.heights_m)}"
        raise ConfigError(f"there is no shelf {shelf}", key=f"facings.{i}.shelf", expected=there)
    if facing.plates[-1] > gondola.plates:
        problem = f"there is no plate {shelf}/{facing.plates[-1]}"
        raise ConfigError(problem, key=f"facings.{i}.plates", expected=f"plates 1 to {gondola.plates}")
    return shelf


def _rooms(config: StoreConfig, members: list[int], gondola: Gondola) -> dict[int, Room]:
    """Room of each facing of one shelf: as the file has it, else from the plates and the neighbours."""
    facings = [config.facings[i] for i in members]
    assumed = rooms([(facing.plates[0], facing.plates[-1]) for facing in facings])
    lefts = [
        f.left_m if f.left_m is not None else a[0] * gondola.pitch_m for f, a in zip(facings, assumed, strict=True)
    ]
    rights = [
        f.right_m if f.right_m is not None else a[1] * gondola.pitch_m for f, a in zip(facings, assumed, strict=True)
    ]
    order = sorted(range(len(members)), key=lambda n: (assumed[n], lefts[n]))
    for one, other in itertools.pairwise(order):
        if assumed[one][1] != assumed[other][0]:
            continue  # they do not touch
        if facings[other].left_m is None:
            lefts[other] = rights[one]
        elif facings[one].right_m is None:
            rights[one] = lefts[other]
    for n, facing in enumerate(facings):
        _check_room(members[n], facing, (lefts[n], rights[n]), gondola)
    order.sort(key=lambda n: lefts[n])
    for one, other in itertools.pairwise(order):
        if rights[one] > lefts[other] + 1e-9:
            problem = f"its room begins at {lefts[other]:g} m, where {facings[one].product} stands"
            wanted = f"from {rights[one]:g} m on"
            raise ConfigError(problem, key=f"facings.{members[other]}.left_m", expected=wanted)
    return {i: (lefts[n], rights[n]) for n, i in enumerate(members)}


def _check_room(i: int, facing: FacingConfig, room: Room, gondola: Gondola) -> None:
    left, right = room
    if right - left < 0.005:
        problem = f"{facing.product} has no room from {left:g} to {right:g} m"
        raise ConfigError(problem, key=f"facings.{i}.right_m", expected=f"left_m and right_m above {left:g} m")
    if right > gondola.length_m + 1e-9:
        end = f"up to {gondola.length_m:g} m, where the shelf ends"
        raise ConfigError(f"its room ends at {right:g} m", key=f"facings.{i}.right_m", expected=end)
    begin, end_m = (facing.plates[0] - 1) * gondola.pitch_m, facing.plates[-1] * gondola.pitch_m
    if left >= end_m or right <= begin:
        problem = f"its room from {left:g} to {right:g} m is on none of its plates"
        raise ConfigError(problem, key=f"facings.{i}.left_m", expected=f"within {begin:g} to {end_m:g} m")


def _articles(config: StoreConfig, placed: Mapping[int, Room], gondolas: Mapping[int, Gondola]) -> dict[str, Article]:
    spaces: dict[str, list[Size]] = defaultdict(list)
    for i, facing in enumerate(config.facings):
        shelf = ShelfId(*map(int, facing.shelf.split("/")))
        spaces[facing.product].append(room_of(gondolas[shelf.gondola], shelf, placed[i][1] - placed[i][0]))
    articles = {}
    for i, product in enumerate(config.products):
        if product.id not in spaces:
            problem = f"product {product.id} ({product.name}) stands on no plate"
            raise ConfigError(problem, key=f"products.{i}.id", expected="a facing")
        articles[product.id] = _article(i, product, spaces[product.id])
    return articles


def _article(i: int, config: ProductConfig, spaces: list[Size]) -> Article:
    nan = float("nan")
    weight, spread, price = (nan if n is None else n for n in (config.weight_g, config.weight_sd_g, config.price))
    product = Product(config.id, config.name, weight, spread, price)
    real = config.weight_g if config.real_weight_g is None else config.real_weight_g
    if real is None:
        problem = f"nobody knows what product {config.id} ({config.name}) weighs"
        raise ConfigError(problem, key=f"products.{i}.weight_g", expected="weight_g or real_weight_g, above 0")
    real_spread = config.real_weight_sd_g
    if real_spread is None:
        real_spread = spread if spread > 0 else round(USUAL_SPREAD * real, 3)
    form = config.form or form_of(config.id, real)
    narrowest = Size(*(min(getattr(s, side) for s in spaces) for side in ("width_m", "depth_m", "height_m")))
    assumed = size_of(config.id, real, form).within(narrowest)
    colour, accent = colours_of(config.id)
    return Article(
        product,
        real,
        real_spread,
        config.width_m or assumed.width_m,
        config.depth_m or assumed.depth_m,
        config.height_m or assumed.height_m,
        form,
        config.colour or colour,
        config.accent or accent,
    )


def _cameras(configs: tuple[CameraConfig, ...]) -> dict[str, PinholeCamera]:
    _once("cameras", "name", [camera.name for camera in configs])
    for i, camera in enumerate(configs):
        if camera.position_m == camera.look_at_m:
            problem = f"camera {camera.name} looks at itself"
            raise ConfigError(problem, key=f"cameras.{i}.look_at_m", expected="another point")
    return {
        camera.name: PinholeCamera.look_at(
            camera.position_m,
            camera.look_at_m,
            width_px=camera.width_px,
            height_px=camera.height_px,
            focal_px=camera.width_px / (2 * math.tan(math.radians(camera.fov_deg) / 2)),
            distortion=camera.distortion,
        )
        for camera in configs
    }


def _numbered(error: ConfigError, config: StoreConfig) -> ConfigError:
    """The same error with the camera's place in the file, where the layout knows it by name."""
    keys = {f"cameras.{camera.name}.position_m": f"cameras.{i}.position_m" for i, camera in enumerate(config.cameras)}
    return ConfigError(error.problem, key=keys.get(error.key or "", error.key), expected=error.expected)
