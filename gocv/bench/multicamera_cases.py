"""What methods are given in `gocv bench multicamera`: views, spoilt or recorded, sound or with one camera at fault."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gocv.bench.multicamera_methods import views_of
from gocv.data.multiview import MultiviewScene
from gocv.geometry import PinholeCamera
from gocv.multicamera.views import CameraView
from gocv.sim.camera_faults import knock_camera, lose_camera, seen_through, skew_clock
from gocv.sim.views import ViewNoise, noisy_view

CLOCK_OFF_S, KNOCKED_DEGREES = 0.3, 5.0
RECORDED = "recorded"


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """What a method is given.

    Attributes:
        views: Of each camera, with the calibration that is believed.
        of: What it is: `ids`, `seed`, and `missed`, the share of labelled boxes that no detection comes from.
        person: (n,) who each box really is, by camera; None where nobody knows.
        fault: What is wrong with a camera, or "".
        faulty: The camera that faults happen to, also where there is none yet; "" if there is to be none.
    """

    views: Sequence[CameraView]
    of: Mapping[str, Any]
    person: Mapping[str, np.ndarray] | None = None
    fault: str = ""
    faulty: str = ""


def sound_cases(scene: MultiviewScene, noises: Sequence[ViewNoise], seeds: Sequence[int]) -> Iterator[Case]:
    """The recorded detections; where there are none the labels spoilt, once for each noise and seed."""
    if scene.detections:
        yield Case(views_of(scene.detections, scene.cameras), {"ids": "none", "seed": RECORDED})
        return
    labelled = sum(len(table.boxes) for table in scene.labels.values())
    for noise in noises:
        for seed in seeds:
            made = {n: noisy_view(t, n, scene.cameras.get(n), noise, seed=seed) for n, t in scene.labels.items()}
            found = sum(int((view.person >= 0).sum()) for view in made.values())
            of = {"ids": noise.ids, "seed": seed, "missed": 1 - found / max(labelled, 1)}
            person = {name: view.person for name, view in made.items()}
            yield Case(views_of({name: view.seen for name, view in made.items()}, scene.cameras), of, person)


def with_faults(sound: Case, faults: bool) -> Iterator[Case]:
    """The case as it is, and with the calibrated camera that sees most lost, late and knocked in turn."""
    able = [view for view in sound.views if view.calibration is not None]
    if not faults or not able:
        yield sound
        return
    best = max(able, key=lambda view: len(view.seen.boxes))
    yield dataclasses.replace(sound, faulty=best.camera)
    camera, seen = best.calibration, best.seen
    assert isinstance(camera, PinholeCamera)
    third_s, half_s = (float(np.quantile(seen.time_s, share)) for share in (1 / 3, 1 / 2))
    seed = sound.of["seed"] if isinstance(sound.of["seed"], int) else 0
    moved = knock_camera(camera, KNOCKED_DEGREES, seed=seed)
    for fault, table in {
        "lost after a third": lose_camera(seen, third_s),
        f"clock {1000 * CLOCK_OFF_S:.0f} ms ahead": skew_clock(seen, CLOCK_OFF_S),
        f"knocked by {KNOCKED_DEGREES:g}° half way": seen_through(seen, camera, moved, from_s=half_s),
    }.items():
        views = [dataclasses.replace(view, seen=table) if view is best else view for view in sound.views]
        yield Case(views, sound.of, None, fault, best.camera)
