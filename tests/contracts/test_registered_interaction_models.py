"""What holds for every model of what hands do that is registered, made as the pipeline makes it: with a store."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

import numpy as np
import pytest

from gocv.core import JOINTS, FloorTracks, HandLooks, Interaction, InteractionModel, Plate, PlateId, Store
from gocv.pipeline.parts import PartSettings, make_part

PARTS = list(entry_points(group="gocv.interaction_models"))
NOBODY_LOOKED = HandLooks.empty(shoppers=(), cameras=())
PLATE = PlateId(1, 1, 1)
STORE = Store({}, {PLATE: Plate(PLATE, np.array([0.0, 0.2, 0.9]), np.eye(3), np.array([0.3, 0.4]))}, {})
"""One plate, whose edge towards shoppers is at y = 0."""


@pytest.fixture(scope="module", params=PARTS, ids=lambda entry: entry.name)
def model(request: pytest.FixtureRequest) -> InteractionModel:
    entry: EntryPoint = request.param
    made = make_part("interaction_models", "interact.model", PartSettings(part=entry.name), store=STORE)
    assert isinstance(made, InteractionModel)
    return made


def reaches(*start_s: float) -> FloorTracks:
    """Right hands that reach over the plate and come out again, 4 s after the start; a shopper for each start."""
    time_s = 0.1 * np.arange(80)
    y_m = -0.5 + 0.7 * np.exp(-(((time_s - 4) / 0.45) ** 2))
    joints = np.full((len(time_s), len(JOINTS), 3), [0.0, -0.8, 1.4])
    joints[:, JOINTS.index("r_elbow")] = np.stack([0 * y_m, y_m - 0.33, 0 * y_m + 1.0], axis=1)
    joints[:, JOINTS.index("r_wrist")] = np.stack([0 * y_m, y_m - 0.08, 0 * y_m + 1.0], axis=1)
    names = tuple(f"shopper-{i}" for i in range(len(start_s)))
    return FloorTracks.sightings(
        names,
        np.concatenate([time_s + start for start in start_s]),
        np.repeat(np.arange(len(start_s)), len(time_s)),
        joints_m=np.tile(joints, (len(start_s), 1, 1)),
        joint_score=np.ones((len(start_s) * len(time_s), len(JOINTS))),
    )


def test_interactions_are_of_shoppers_at_shelves_in_order_of_time(model: InteractionModel) -> None:
    found = model.predict(reaches(0.0, 20.0), NOBODY_LOOKED)
    assert [one.shopper for one in found] == ["shopper-0", "shopper-1"]
    for one, reach_s in zip(found, (4.0, 24.0), strict=True):
        assert isinstance(one, Interaction)
        assert one.start_s <= reach_s <= one.end_s
        assert (one.zone, one.hand) == (str(PLATE.shelf_id), 1)
        assert {"take", "return"} <= set(one.probabilities)
        assert min(one.probabilities.values()) >= 0
        assert sum(one.probabilities.values()) == pytest.approx(1)


def test_a_reach_is_judged_alike_alone_and_among_others(model: InteractionModel) -> None:
    together, (alone,) = model.predict(reaches(0.0, 20.0), NOBODY_LOOKED), model.predict(reaches(0.0), NOBODY_LOOKED)
    assert alone.probabilities == pytest.approx(together[0].probabilities, abs=1e-4)


def test_nobody_has_no_interactions(model: InteractionModel) -> None:
    assert model.predict(FloorTracks.empty(shoppers=()), NOBODY_LOOKED) == []
