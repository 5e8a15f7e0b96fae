"""Faults as a scenario asks for them: of a plate that it names, or of any that the seed picks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

import numpy as np
from pydantic import Field, model_validator

from gocv.core import ConfigError, PlateId, nearest
from gocv.data.config import Model
from gocv.sim.faults import (
    BlindArea,
    ClockSkew,
    DeadGondola,
    DriftingPlate,
    MissingPlate,
    NoisyPlate,
    ScaleFault,
    StuckPlate,
    SwappedPlates,
)
from gocv.sim.layout import StoreLayout

Part = TypeVar("Part", PlateId, int, str)

_OWN: Mapping[str, frozenset[str]] = {
    "noisy": frozenset({"factor"}),
    "drifting": frozenset({"g_per_h"}),
    "clock_skew": frozenset({"offset_s", "drift_ppm"}),
}
"""Settings that one kind alone has."""
_FEW = 20
"""As many names as a message may list."""
_SIGHT_M = 1.2
"""Half the side of the square of floor that only one camera sees well."""
_BEFORE_S = -1.0
"""The first samples are a little older than the recording: what is broken from the beginning is so in these too."""


class Mishap(Model):
    """Something that breaks.

    Attributes:
        kind: What. A dead camera leaves the joints of those under it unknown.
        plate: Which, "gondola/shelf/plate"; the seed picks one of those that carry something where None.
        gondola: Which, for those kinds that are of a gondola; the seed picks one where None.
        camera: Name of the one that is dead; the seed picks one where None.
        count: How many of the kind, where the seed picks.
        from_s: Since when, seconds on the recording's clock.
        until_s: Until when; None: to the end.
        factor: Of a noisy plate: on the standard deviation of its noise.
        g_per_h: Of a drifting plate: how fast.
        offset_s: Of a skewed clock: by how much it is ahead.
        drift_ppm: Of a skewed clock: by how much it is fast.
    """

    kind: Literal["stuck", "missing", "noisy", "drifting", "swapped", "dead_gondola", "clock_skew", "dead_camera"]
    plate: str | None = None
    gondola: int | None = None
    camera: str | None = None
    count: Annotated[int, Field(ge=1, le=5000)] = 1
    from_s: Annotated[float, Field(ge=0)] = 0.0
    until_s: float | None = None
    factor: Annotated[float, Field(ge=1, le=1000)] = 5.0
    g_per_h: float = 60.0
    offset_s: float = 0.0
    drift_ppm: float = 0.0

    @model_validator(mode="after")
    def _names_what_it_needs(self) -> Mishap:
        named = [key for key in ("plate", "gondola", "camera") if getattr(self, key) is not None]
        right = {"dead_gondola": "gondola", "clock_skew": "gondola", "dead_camera": "camera"}.get(self.kind, "plate")
        if any(key != right for key in named):
            raise ValueError(f"Input should name a {right} for kind {self.kind}, if anything: got {named}")
        if named and self.count > 1:
            raise ValueError(f"Input should have count 1 where it names the {right}: got {self.count}")
        unheard = self.model_fields_set - {"kind", "plate", "gondola", "camera", "count", "from_s", "until_s"}
        unheard -= _OWN.get(self.kind, frozenset())
        if unheard:
            raise ValueError(f"Input should not have {min(unheard)} for kind {self.kind}: it would do nothing")
        if not any(getattr(self, key) for key in _OWN.get(self.kind, {"kind"})):
            raise ValueError(f"Input should have {min(_OWN[self.kind])} other than 0: nothing would break")
        if self.kind == "clock_skew" and (self.from_s or self.until_s is not None):
            raise ValueError("Input should have no from_s and no until_s for kind clock_skew: it is so all the time")
        if self.until_s is not None and self.until_s <= self.from_s:
            raise ValueError(f"Input should end after it begins: got {self.from_s} s to {self.until_s} s")
        return self

    def draw(
        self, layout: StoreLayout, rng: np.random.Generator, broken: set[PlateId] | None = None
    ) -> list[ScaleFault | BlindArea]:
        """What breaks in this store.

        Args:
            layout: The store.
            rng: Own stream of random numbers.
            broken: Plates that the seed does not pick any more; those that it picks are added.

        Raises:
            ConfigError: There is no such plate, gondola or camera.
        """
        until_s = np.inf if self.until_s is None else self.until_s
        span = {"from_s": self.from_s or _BEFORE_S, "until_s": float(until_s)}
        if self.kind == "dead_camera":
            names = self._chosen("camera", self.camera, sorted(layout.cameras), rng)
            return [BlindArea(_under(layout, name), name, **span) for name in names]
        if self.kind in ("dead_gondola", "clock_skew"):
            numbers = self._chosen("gondola", self.gondola, sorted(layout.gondolas), rng)
            if self.kind == "dead_gondola":
                return [DeadGondola(number, **span) for number in numbers]
            return [ClockSkew(number, self.offset_s, self.drift_ppm) for number in numbers]
        plates = self._plates(layout, rng, set() if broken is None else broken)
        if self.kind == "swapped":
            return [SwappedPlates(plate, _beside(plate, layout), **span) for plate in plates]
        if self.kind == "noisy":
            sd_g = {p: layout.gondolas[p.gondola].noise.sd_g for p in plates}
            return [NoisyPlate(plate, self.factor, sd_g[plate], **span) for plate in plates]
        if self.kind == "drifting":
            return [DriftingPlate(plate, self.g_per_h, **span) for plate in plates]
        fault = StuckPlate if self.kind == "stuck" else MissingPlate
        return [fault(plate, **span) for plate in plates]

    def _plates(self, layout: StoreLayout, rng: np.random.Generator, broken: set[PlateId]) -> list[PlateId]:
        """Those that break, each of them once; both of a pair whose cables are exchanged count as broken."""
        carrying = sorted(set().union(*layout.store.planogram.values()))
        if self.plate is not None:
            return self._chosen("plate", _parse(self.plate), carrying, rng)
        chosen: list[PlateId] = []
        for _ in range(self.count):
            sound = [plate for plate in carrying if not self._touched(plate, layout) & broken]
            if not sound:
                raise ConfigError(f"{len(chosen)} plates are all there are", key="count", expected="no more than that")
            chosen.append(sound[int(rng.integers(len(sound)))])
            broken |= self._touched(chosen[-1], layout)
        return chosen

    def _touched(self, plate: PlateId, layout: StoreLayout) -> set[PlateId]:
        return {plate, _beside(plate, layout)} if self.kind == "swapped" else {plate}

    def _chosen(self, key: str, named: Part | None, there: list[Part], rng: np.random.Generator) -> list[Part]:
        if named is None:
            if len(there) < self.count:
                raise ConfigError(f"there are {len(there)} to pick from", key="count", expected="no more than that")
            return [there[int(i)] for i in sorted(rng.choice(len(there), self.count, replace=False))]
        if named not in there:
            some = f"such as {there[0]}" if len(there) > _FEW else nearest(str(named), map(str, there))
            raise ConfigError(f"there is no {key} {named}", key=key, expected=some)
        return [named]


def _parse(text: str) -> PlateId:
    try:
        return PlateId.parse(text)
    except ValueError as problem:
        raise ConfigError(str(problem), key="plate", expected="gondola/shelf/plate") from None


def _beside(plate: PlateId, layout: StoreLayout) -> PlateId:
    last = layout.gondolas[plate.gondola].plates
    if last == 1:
        raise ConfigError(f"plate {plate} has no neighbour", key="plate", expected="a shelf of several plates")
    return plate._replace(plate=plate.plate + 1 if plate.plate < last else plate.plate - 1)


def _under(layout: StoreLayout, name: str) -> tuple[tuple[float, float], ...]:
    """The square of floor in the middle of a camera's picture."""
    camera = layout.cameras[name]
    x, y = camera.pixels_to_floor([[camera.width_px / 2, camera.height_px / 2]])[0]
    if not np.isfinite([x, y]).all():
        x, y = camera.position_m[:2]
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return tuple((float(x + i * _SIGHT_M), float(y + j * _SIGHT_M)) for i, j in corners)
