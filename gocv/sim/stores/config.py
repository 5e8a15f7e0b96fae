"""A store in a file: the settings that describe it, from the room down to each product's place."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from gocv.data.config import Model, build, load_yaml
from gocv.sim.articles import Form

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Channel = Annotated[int, Field(ge=0, le=255)]
Text = Annotated[str, Field(min_length=1)]

_SHELF = re.compile(r"[1-9][0-9]{0,8}/[1-9][0-9]{0,8}")


class GondolaConfig(Model):
    """A row of shelves that is reached from one side.

    Attributes:
        number: From 1; each once.
        corner_m: (x, y) of its left front corner as the shopper sees it, metres in the store's frame.
        yaw_deg: Turn of its axes against the store's: 0 where the shopper looks along +y, 90 where along -x.
        plates: On each shelf.
        heights_m: Of the shelves above the floor, ascending; the lowest is shelf 1.
        pitch_m: From the middle of a plate to that of the next one.
        depth_m: Of its shelves.
        noise: How its scales misbehave: `quiet`, `shaky`, or fields of `ScaleNoise` that differ from the quiet ones.
    """

    number: Annotated[int, Field(ge=1)]
    corner_m: tuple[Finite, Finite]
    yaw_deg: Finite = 0.0
    plates: Annotated[int, Field(ge=1, le=200)]
    heights_m: Annotated[tuple[NotNegative, ...], Field(min_length=1, max_length=20)]
    pitch_m: Positive = 0.10
    depth_m: Positive = 0.40
    noise: Any = "quiet"


class ProductConfig(Model):
    """A product, as the catalogue has it and as it is.

    Attributes:
        id: Barcode or other identity: text, so in quotes.
        name: What a person calls it.
        weight_g: Mean weight on file, grams; null where the catalogue has none.
        weight_sd_g: Standard deviation between units on file, grams; null where unknown.
        real_weight_g: Mean weight of its units where the file is wrong or has none.
        real_weight_sd_g: Standard deviation between its units, where that on file (above 0) is not it; 0.6 % of the
            weight where neither is given.
        width_m: Of one unit, along the shelf; sizes that are left out are assumed from weight, form and id.
        depth_m: Of one unit, into the shelf.
        height_m: Of one unit, upwards.
        form: Its shape; assumed from weight and id where left out.
        colour: Main colour of the pack, red, green, blue, 0 to 255; from the id where left out.
        accent: Colour of its label.
        price: Of one unit.
    """

    id: Text
    name: Text
    weight_g: Positive | None = None
    weight_sd_g: NotNegative | None = None
    real_weight_g: Positive | None = None
    real_weight_sd_g: NotNegative | None = None
    width_m: Positive | None = None
    depth_m: Positive | None = None
    height_m: Positive | None = None
    form: Form | None = None
    colour: tuple[Channel, Channel, Channel] | None = None
    accent: tuple[Channel, Channel, Channel] | None = None
    price: NotNegative | None = None


class FacingConfig(Model):
    """A product's place on a shelf.

    Attributes:
        product: Its id.
        shelf: "gondola/shelf".
        plates: Neighbouring plates that the planogram gives it, from the left.
        left_m: Where its room begins, along the shelf; from the plates where left out.
        right_m: Where it ends.
        display: Whether its units stand on the plates or hang from pegs over them.
        units: How many stand there when it is full; as many as fit where left out.
    """

    product: Text
    shelf: str
    plates: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    left_m: NotNegative | None = None
    right_m: NotNegative | None = None
    display: Literal["shelf", "peg"] = "shelf"
    units: Annotated[int, Field(ge=1)] | None = None

    @field_validator("shelf")
    @classmethod
    def _names_a_shelf(cls, shelf: str) -> str:
        if not _SHELF.fullmatch(shelf):
            raise ValueError(f"'{shelf}' is not gondola/shelf, such as 1/3")
        return shelf

    @field_validator("plates")
    @classmethod
    def _neighbour_each_other(cls, plates: tuple[int, ...]) -> tuple[int, ...]:
        if any(after != before + 1 for before, after in itertools.pairwise(plates)):
            raise ValueError(f"plates {list(plates)} do not follow each other from the left: make it two facings")
        return plates


class CameraConfig(Model):
    """A camera.

    Attributes:
        name: Each once.
        position_m: (x, y, z), metres in the store's frame.
        look_at_m: (x, y, z) of what is in the middle of its picture.
        width_px: Of its picture.
        height_px: Of its picture.
        fov_deg: Horizontal field of view.
        distortion: k1, k2, p1, p2, k3 in OpenCV's order.
    """

    name: Text
    position_m: tuple[Finite, Finite, Finite]
    look_at_m: tuple[Finite, Finite, Finite]
    width_px: Annotated[int, Field(ge=16, le=8192)] = 640
    height_px: Annotated[int, Field(ge=16, le=8192)] = 360
    fov_deg: Annotated[float, Field(gt=1, lt=170)] = 88.0
    distortion: tuple[Finite, Finite, Finite, Finite, Finite] = (0.0, 0.0, 0.0, 0.0, 0.0)


class ZoneConfig(Model):
    """A named area of the floor.

    Attributes:
        name: The one called "entrance" is where shoppers come in and leave.
        polygon_m: (x, y) of its corners in order.
    """

    name: Text
    polygon_m: Annotated[tuple[tuple[Finite, Finite], ...], Field(min_length=3)]


class StoreConfig(Model):
    """A store. Its room is a rectangle whose corner is the origin of the store's frame: metres, z up.

    Attributes:
        size_m: Of the room, along x and y.
        door_m: (x, y) where shoppers come in and leave, close to the wall x = 0.
        ceiling_m: Height of the room.
        gondolas: In any order.
        products: All on sale.
        facings: What stands where; products in two places twice.
        cameras: None where nobody films.
        zones: The entrance, and others.
    """

    size_m: tuple[Positive, Positive]
    door_m: tuple[Finite, Finite]
    ceiling_m: Positive = 2.8
    gondolas: Annotated[tuple[GondolaConfig, ...], Field(min_length=1)]
    products: Annotated[tuple[ProductConfig, ...], Field(min_length=1)]
    facings: Annotated[tuple[FacingConfig, ...], Field(min_length=1)]
    cameras: tuple[CameraConfig, ...] = ()
    zones: tuple[ZoneConfig, ...]


def read_config(path: Path) -> StoreConfig:
    """The settings in a YAML file.

    Raises:
        ConfigError: It cannot be read, or a key is unknown, missing or of the wrong kind; file and key are named.
    """
    return build(StoreConfig, load_yaml(path), file=path)
