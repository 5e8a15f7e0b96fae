"""A scenario: the store, its shoppers, what goes wrong, as a YAML file says it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from gocv.core import ConfigError, nearest
from gocv.data.config import Model, load
from gocv.sim.checks import Span
from gocv.sim.detector import BoxNoise
from gocv.sim.features import SCENES
from gocv.sim.habits import Habits
from gocv.sim.mishaps import Mishap
from gocv.sim.observe import JointNoise
from gocv.sim.paperwork import Paperwork
from gocv.sim.poses import PoseNoise
from gocv.sim.replay import Replay
from gocv.sim.stock import Disorder
from gocv.sim.stores import StoreChoice

Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


def _is_a_scene(name: str) -> str:
    if name not in SCENES:
        raise ValueError(f"Input should be a scene: got '{name}', expected {nearest(name, SCENES)}")
    return name


def _told_where(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """What checks itself knows its own key, and pydantic the one that it stands under."""
    try:
        return check(value)
    except ConfigError as error:
        raise ValueError(str(error)) from error


class Seeds(Model):
    """Which seeds may be used for what: first and last of each range. What learns or tunes uses the first alone.

    Attributes:
        development: For building, tuning and training.
        test: For figures that are published.
    """

    development: tuple[Seed, Seed] = (0, 999)
    test: tuple[Seed, Seed] = (10_000, 10_999)

    @model_validator(mode="after")
    def _apart(self) -> Seeds:
        for first, last in (self.development, self.test):
            if first > last:
                raise ValueError(f"Input should have the smaller seed first: got {first}, {last}")
        if self.development[0] <= self.test[1] and self.test[0] <= self.development[1]:
            raise ValueError("Input should keep the test seeds apart from those of development")
        return self


class Scenario(Model):
    """What is simulated.

    Attributes:
        about: In a sentence.
        store: Where.
        cameras: So many under the ceiling, in place of the store's own; None: those, or 4 where there are none.
        replay: A labelled sequence to act out; its shoppers come, and nobody else. The store is that of a recording,
            with what the labels say was taken where.
        shoppers: How many come, staff not counted.
        hours: Shoppers come at random times over this long; None: they come in together, seconds apart.
        staff: Whether staff restock what runs low.
        fill: Share of each facing's places that are filled at the start.
        features: Scenes of `gocv.sim.features` that happen, each once a visit (or each hour of a long one).
        habits: Of ordinary shoppers.
        disorder: Of the shelves.
        paperwork: What of the recording's own description of the store is wrong.
        faults: Of scales and cameras.
        joints: What the trackers of the shoppers' joints are like.
        poses: What the estimator of poses in those boxes is like, where boxes and poses take the place of joints.
        joints_hz: Rows a second of each shopper.
        boxes: What a detector of people is like.
        detections: Whether recordings have what such a detector finds in each camera and, also without footage, the
            truth of each frame.
        scale_offset_s: Range of how long before the recording the scales' clock began, as the recording states it.
        scale_drift_ppm: The most that it is fast or slow, as the recording states it.
        frames_hz: Frames a second of rendered footage, and of boxes and poses.
        seeds: Which seeds are for what.
    """

    about: str = "An ordinary visit."
    store: StoreChoice = StoreChoice()
    cameras: Annotated[int, Field(ge=1, le=200)] | None = None
    replay: Replay | None = None
    shoppers: Annotated[int, Field(ge=1, le=100_000)] = 3
    hours: Annotated[float, Field(gt=0, le=24 * 14)] | None = None
    staff: bool = False
    fill: Annotated[float, Field(gt=0, le=1)] = 1.0
    features: tuple[Annotated[str, AfterValidator(_is_a_scene)], ...] = ()
    habits: Habits = Habits()
    disorder: Disorder = Disorder()
    paperwork: Paperwork = Paperwork()
    faults: tuple[Mishap, ...] = ()
    joints: Annotated[JointNoise, WrapValidator(_told_where)] = JointNoise()
    poses: PoseNoise = PoseNoise()
    joints_hz: Annotated[float, Field(ge=0.01, le=120)] = 10.0
    boxes: BoxNoise = BoxNoise()
    detections: bool = False
    scale_offset_s: Span = (-5000.0, -600.0)
    scale_drift_ppm: Annotated[float, Field(ge=0, le=1000)] = 60.0
    frames_hz: Annotated[float, Field(gt=0, le=120)] = 10.0
    seeds: Seeds = Seeds()

    @model_validator(mode="after")
    def _enough_shoppers(self) -> Scenario:
        needed = max((SCENES[name][1] for name in self.features), default=1)
        if self.shoppers < needed:
            raise ValueError(f"Input should have at least {needed} shoppers for its features: got {self.shoppers}")
        return self

    @model_validator(mode="after")
    def _replays_somewhere(self) -> Scenario:
        if self.replay is not None and self.store.recording is None:
            raise ValueError("Input should have store.recording beside replay: labels name plates of a real store")
        if self.replay is not None and (self.features or self.hours is not None):
            raise ValueError("Input should have no features and no hours beside replay: the labels say it all")
        return self


def read_scenario(path: Path | None, overrides: Sequence[str] = ()) -> Scenario:
    """A scenario from a YAML file, defaults where it says nothing, `key=value` overrides last.

    Raises:
        ConfigError: Something in it is unknown, of the wrong type or out of range; file and key are named.
    """
    return load(Scenario, path, overrides)
