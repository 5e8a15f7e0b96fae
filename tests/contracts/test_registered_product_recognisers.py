"""What holds for every recogniser of products that is registered, made as the pipeline makes it: with pictures."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gocv.core import HandLooks, Interaction, ProductRecogniser
from gocv.interact.hands import OnnxHandEncoder
from gocv.pipeline.hands import GIVEN
from gocv.pipeline.parts import PartSettings, make_part

PARTS = list(entry_points(group="gocv.product_recognisers"))
PRODUCTS = ("cocoa", "tea")
REACH = Interaction("ann", "1/2", 10.0, 11.0, {"take": 0.5, "return": 0.5}, hand=1)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for product, colour in zip(PRODUCTS, ((150, 30, 20), (20, 140, 60)), strict=True):
        picture = np.full((80, 60, 3), 255, np.uint8)
        picture[10:70, 10:50] = colour
        Image.fromarray(picture).save(folder / f"{product}.png")
    return folder


@pytest.fixture(params=PARTS, ids=lambda entry: entry.name)
def recogniser(request: pytest.FixtureRequest, pictures: Path) -> ProductRecogniser:
    entry: EntryPoint = request.param
    given = dict(zip(GIVEN, (pictures, PRODUCTS, OnnxHandEncoder(threads=1)), strict=True))
    made = make_part("product_recognisers", "interact.recogniser", PartSettings(part=entry.name), **given)
    assert isinstance(made, ProductRecogniser)
    return made


def looks() -> HandLooks:
    """A right hand before and after the reach: empty, then with something in it that looks like nothing known."""
    time_s = np.concatenate([np.arange(8.5, 10, 0.1), np.arange(11.1, 12.5, 0.1)])
    vector = np.random.default_rng(0).normal(size=(len(time_s), 64))
    return HandLooks(
        ("ann",),
        ("1",),
        time_s=time_s,
        shopper=np.zeros(len(time_s), np.int64),
        hand=np.ones(len(time_s), np.int64),
        camera=np.zeros(len(time_s), np.int64),
        side_px=np.full(len(time_s), 40.0),
        holds=np.where(time_s > 11, 0.95, 0.05),
        vector=vector / np.linalg.norm(vector, axis=1, keepdims=True),
    )


def test_there_are_likelihoods_of_the_stores_products(recogniser: ProductRecogniser) -> None:
    found = recogniser.recognise(looks(), [REACH])
    assert found  # so that what follows could fail
    assert len(found) == len({one.moved for one in found})
    for one in found:
        assert one.moved in ("take", "return")
        assert set(one.likelihoods) == set(PRODUCTS)
        assert all(np.isfinite(value) and value > 0 for value in one.likelihoods.values())


def test_where_nobody_looked_nothing_is_said_or_learnt(recogniser: ProductRecogniser) -> None:
    nobody = HandLooks.empty(shoppers=("ann",), cameras=("1",))
    assert recogniser.recognise(nobody, [REACH]) == []
    assert recogniser.recognise(looks(), []) == []
    assert recogniser.learn(looks(), [REACH], []) == 0
