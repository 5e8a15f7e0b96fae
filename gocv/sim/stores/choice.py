"""Which store to simulate, as a scenario file says it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from gocv.core import ConfigError, PlateId, Store, nearest
from gocv.data.config import Model
from gocv.data.recording import Recording
from gocv.sim.layout import StoreLayout
from gocv.sim.stores.demo import demo_layout
from gocv.sim.stores.from_config import read_store
from gocv.sim.stores.from_recording import recorded_store
from gocv.sim.stores.noises import noise_of
from gocv.sim.stores.parametric import ParametricStore

STORES: Mapping[str, Callable[[], StoreLayout]] = {"demo": demo_layout}
"""Stores that come with gocv, by name."""


def _is_a_store(name: str) -> str:
    if name not in STORES:
        raise ValueError(f"Input should be the name of a store: got '{name}', expected {nearest(name, STORES)}")
    return name


class StoreChoice(Model):
    """One store: the one that comes with gocv unless something else is chosen.

    Attributes:
        name: Of a store that comes with gocv: `demo`.
        file: YAML file that describes one, as `StoreConfig` says. In a file of settings a path that begins with "./"
            is relative to that file.
        parametric: Numbers of one to make up.
        recording: Folder of a recording, whose own store is meant.
        noise: How the scales of a recording's gondolas misbehave, by number: `quiet`, `shaky` or fields of
            `ScaleNoise`; those not named are quiet.
    """

    name: Annotated[str, AfterValidator(_is_a_store)] | None = None
    file: Path | None = None
    parametric: ParametricStore | None = None
    recording: Path | None = None
    noise: dict[Annotated[int, Field(ge=1)], Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one(self) -> StoreChoice:
        chosen = [key for key in ("name", "file", "parametric", "recording") if getattr(self, key) is not None]
        if len(chosen) > 1:
            raise ValueError(f"Input should choose one store: got {' and '.join(chosen)}")
        if self.noise and self.recording is None:
            raise ValueError("Input should have noise only beside recording: the others say their own")
        return self

    def layout(self, amended: Callable[[Store], Store] | None = None, needed: Collection[PlateId] = ()) -> StoreLayout:
        """The store that is chosen.

        Args:
            amended: What is known better of a recording's store than the recording knows it.
            needed: Plates of a recording's store that have to be there, used or not.

        Raises:
            ConfigError: The file, the numbers or a noise are wrong; file and key are named.
            DataError: The recording is broken, or its store cannot be simulated.
        """
        if self.file is not None:
            return read_store(self.file)
        if self.parametric is not None:
            try:
                return self.parametric.layout()
            except ConfigError as error:
                key = f"parametric.{error.key}"
                raise ConfigError(error.problem, key=key, expected=error.expected) from error
        if self.recording is not None:
            noise = {number: noise_of(value, f"noise.{number}") for number, value in self.noise.items()}
            recording = Recording.open(self.recording)
            if amended is not None:
                recording = dataclasses.replace(recording, store=amended(recording.store))
            layout = recorded_store(recording, noise=noise, needed=needed)
            unknown = sorted(noise.keys() - layout.gondolas.keys())
            if unknown:
                known = f"one of {sorted(layout.gondolas)}"
                raise ConfigError("there is no such gondola", key=f"noise.{unknown[0]}", expected=known)
            return layout
        return STORES[self.name or "demo"]()
