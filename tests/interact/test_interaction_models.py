"""What comes with gocv says what simulated hands did, from end to end."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from gocv.core import FloorTracks, HandLooks, InteractionModel, ShelfId
from gocv.interact.calibrate import with_prior
from gocv.interact.model import NetworkInteractions, TreeInteractions
from gocv.pipeline.parts import PartSettings, make_part

NOBODY_LOOKED = HandLooks.empty(shoppers=(), cameras=())
MODELS = (NetworkInteractions, TreeInteractions)


@pytest.fixture(params=MODELS, ids=lambda m: m.__name__)
def model(request, store) -> Any:
    return request.param(store)


def likeliest(interaction) -> str:
    return max(interaction.probabilities, key=lambda name: interaction.probabilities[name])


def way(reach) -> np.ndarray:
    """A hand that goes in and comes out as people's hands do."""
    hand = reach(100)
    hand[:, 1] = 0.65 + 0.55 * np.exp(-(((np.arange(100) - 50) / 4.5) ** 2))
    return hand


def test_a_model_is_what_the_protocol_says(model) -> None:
    assert isinstance(model, InteractionModel)


@pytest.mark.parametrize(("held", "did"), [([0] * 50 + [1] * 50, "take"), ([1] * 50 + [0] * 50, "return")])
def test_a_hand_that_came_back_full_took_and_one_that_came_back_empty_returned(
    model, walk, reach, seen, held, did
) -> None:
    (found,) = model.predict(walk([way(reach)]), seen(held))
    assert likeliest(found) == did
    assert found.probabilities[did] > 0.8
    assert (found.shopper, found.zone, found.hand) == ("shopper-1", str(ShelfId(1, 1)), 1)
    assert found.start_s < 5.0 < found.end_s
    assert sum(found.probabilities.values()) == pytest.approx(1)


def test_without_looks_it_is_less_sure(model, walk, reach, seen) -> None:
    tracks = walk([way(reach)])
    (looked,), (bare,) = (model.predict(tracks, looks) for looks in (seen([0] * 50 + [1] * 50), NOBODY_LOOKED))
    assert bare.probabilities["take"] < looked.probabilities["take"]


def test_nobody_gives_no_interactions_and_several_come_in_order_of_time(model, walk, reach) -> None:
    assert model.predict(FloorTracks.empty(shoppers=()), NOBODY_LOOKED) == []
    late = reach(100, (70, 80))
    found = model.predict(walk([late, way(reach)]), NOBODY_LOOKED)
    assert [i.shopper for i in found] == ["shopper-2", "shopper-1"]


def test_even_odds_take_out_how_frequent_classes_were(store, walk, reach) -> None:
    tracks = walk([way(reach)])
    (even,), (learnt,) = (TreeInteractions(store, even=e).predict(tracks, NOBODY_LOOKED) for e in (True, False))
    assert even.probabilities["return"] > learnt.probabilities["return"]


def test_a_store_without_places_has_no_interactions(walk, reach, store) -> None:
    bare = dataclasses.replace(store, plates={})
    assert NetworkInteractions(bare).predict(walk([way(reach)]), NOBODY_LOOKED) == []


def test_a_place_where_nothing_is_weighed_can_be_a_shelf(store, walk, reach) -> None:
    hand = way(reach) + np.array([3.3, -0.5, 0.0])
    hand[:40, 1] = 1.5
    (found,) = NetworkInteractions(store, areas=("counter",)).predict(walk([hand]), NOBODY_LOOKED)
    assert found.zone == "counter"


@pytest.mark.parametrize(("name", "kind"), [("default", NetworkInteractions), ("trees", TreeInteractions)])
def test_the_pipeline_makes_it_with_a_store_and_its_settings(name, kind, store, walk, reach) -> None:
    settings = PartSettings.model_validate({"part": name, "even": False})
    made = make_part("interaction_models", "interact.model", settings, store=store, rate_hz=10.0)
    assert type(made) is kind
    tracks = walk([way(reach)])
    assert made.predict(tracks, NOBODY_LOOKED) == kind(store, even=False).predict(tracks, NOBODY_LOOKED)


def test_a_prior_is_exchanged_for_another() -> None:
    learnt = np.array([0.8, 0.2])
    found = with_prior(np.array([[0.8, 0.2], [0.5, 0.5]]), learnt, np.array([0.5, 0.5]))
    np.testing.assert_allclose(found, [[0.5, 0.5], [0.2, 0.8]])
