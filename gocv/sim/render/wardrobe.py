"""What a person looks like, drawn by lot from the person's name: the same in every camera."""

from __future__ import annotations

import dataclasses
import zlib

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SKINS = ((244, 208, 177), (231, 183, 145), (210, 157, 117), (174, 120, 84), (126, 82, 56), (84, 55, 40))
_HAIRS = ((28, 22, 20), (52, 36, 26), (92, 62, 38), (140, 98, 56), (196, 164, 108), (150, 146, 142), (118, 52, 30))
_TOPS = (
    (196, 44, 48),
    (32, 62, 120),
    (238, 236, 230),
    (38, 40, 44),
    (58, 120, 76),
    (226, 178, 60),
    (120, 134, 150),
    (138, 62, 110),
    (92, 148, 190),
    (206, 118, 60),
    (112, 92, 74),
    (222, 170, 180),
)
_BOTTOMS = ((36, 44, 66), (30, 30, 34), (92, 96, 102), (150, 128, 96), (70, 92, 128), (88, 74, 60), (62, 72, 54))
_SHOES = ((24, 24, 26), (232, 230, 226), (96, 66, 44), (170, 52, 48), (70, 78, 96))
UNIFORM = np.array([0, 118, 122]) / 255
"""Colour of the vest of those who work in the store."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Colours are (3,) in [0, 1]. Where something is None, the person has none.

    Attributes:
        skin: Of face, hands and what the clothes leave bare.
        hair: Of the hair.
        long_hair: Whether it falls over the neck.
        bald: Whether there is none.
        beard: Whether there is one, in the colour of the hair.
        top: Of shirt or jacket.
        stripe: Second colour of the top, in rings or down its front.
        striped: Whether the second colour goes in rings.
        short_sleeves: Whether the forearms are bare.
        bottom: Of trousers or skirt.
        bare_legs: Whether the shins are.
        hem: Colour of what hangs over the thighs, of a coat or a skirt.
        shoes: Of the shoes.
        backpack: Of the one that is worn.
        vest: Of a uniform, over the top.
        girth: Width of body and limbs against the usual.
    """

    skin: Array
    hair: Array
    long_hair: bool
    bald: bool
    beard: bool
    top: Array
    stripe: Array | None
    striped: bool
    short_sleeves: bool
    bottom: Array
    bare_legs: bool
    hem: Array | None
    shoes: Array
    backpack: Array | None
    vest: Array | None
    girth: float


def look(name: str, seed: int, *, staff: bool = False) -> Look:
    """The look of a person.

    Args:
        name: Of the person.
        seed: Of the visit.
        staff: Whether they wear the uniform.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    shade = int(rng.integers(len(_SKINS)))
    top, bottom = _one(rng, _TOPS, 0.06), _one(rng, _BOTTOMS, 0.05)
    stripe = _one(rng, _TOPS, 0.05) if rng.random() < 0.5 else None
    long_hair, bottomless = bool(rng.random() < 0.45), rng.random()
    beard, bald = bool(rng.random() < 0.35), bool(rng.random() < 0.08)
    backpack = _one(rng, (*_BOTTOMS, *_TOPS), 0.05) if rng.random() < 0.3 else None
    return Look(
        skin=_one(rng, _SKINS[shade : shade + 1], 0.03),
        hair=_one(rng, _HAIRS if shade < 3 else (*_HAIRS[:2], _HAIRS[5]), 0.02),
        long_hair=long_hair,
        bald=bald and not long_hair,
        beard=beard and not long_hair,
        top=top,
        stripe=stripe,
        striped=bool(rng.random() < 0.5),
        short_sleeves=bool(rng.random() < 0.5),
        bottom=bottom,
        bare_legs=bool(bottomless < 0.25),
        hem=(top if bottomless > 0.85 else bottom if bottomless < 0.12 else None),
        shoes=_one(rng, _SHOES, 0.03),
        backpack=None if staff else backpack,
        vest=UNIFORM if staff else None,
        girth=float(np.clip(rng.normal(1.03, 0.07), 0.88, 1.25)),
    )


def _one(rng: np.random.Generator, colours: tuple[tuple[int, int, int], ...], spread: float) -> Array:
    chosen = np.array(colours[rng.integers(len(colours))]) / 255
    return np.clip(chosen * rng.normal(1.0, spread, 3) + rng.normal(0.0, spread / 2), 0.02, 0.97)
