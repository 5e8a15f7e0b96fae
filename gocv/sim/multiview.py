"""A simulated visit as many calibrated cameras and a detector in each would give it, with who really stood where.

Nothing is drawn for it; `gocv.sim.render` draws the same scene where looks matter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.data.detections import DetectionTable
from gocv.data.multiview.scene import FloorTruth, MultiviewScene
from gocv.data.poses import PoseTable
from gocv.sim.detector import BoxNoise, detect, table
from gocv.sim.poses import PoseNoise, estimate
from gocv.sim.scene import Scene
from gocv.sim.sightings import Presence, Sightings, people_of, presence, sightings

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Views:
    """What the cameras of a scene saw.

    Attributes:
        scene: Boxes, cameras and floor.
        sightings: By camera: all that is true of the boxes; `person` is the number that the scene's labels have.
        of: By camera: (n,) int64, the row of the camera's sightings that each of its detections is of, -1 for nobody.
        poses: By camera, of its detections; none where they were not asked for.
    """

    scene: MultiviewScene
    sightings: Mapping[str, Sightings]
    of: Mapping[str, NDArray[np.int64]]
    poses: Mapping[str, PoseTable]


def look(
    scene: Scene,
    noise: BoxNoise,
    *,
    seed: int,
    rate_hz: float = 10.0,
    from_s: float = 0.0,
    until_s: float | None = None,
    poses: PoseNoise | None = None,
) -> Views:
    """Let all cameras of a store look at a visit.

    Frame i of each is of the moment i / rate_hz, as `gocv.sim.render.render_camera` has it; tables count their frames
    from 0.

    Args:
        scene: The visit.
        noise: How the detectors err.
        seed: Of their errors.
        rate_hz: Frames a second.
        from_s: First moment that is wanted.
        until_s: Where to stop, exclusive; the end of the visit where None.
        poses: How estimators of poses err, if there are any; boxes are the same with and without them.

    Returns:
        Labels are boxes of what is seen of each person, whose score is how much of them that is; detections are what a
        detector would find; the truth has everybody inside, seen or not.

    Raises:
        DataError: The rate is not positive, or the times are not in order.
    """
    until_s = scene.duration_s if until_s is None else until_s
    if not (0 < rate_hz < np.inf and 0 <= from_s <= until_s < np.inf):
        problem = f"{rate_hz} frames a second from {from_s} to {until_s} s"
        raise DataError(problem, key="rate_hz", expected="a positive rate, times in order")
    time_s = np.arange(np.ceil(from_s * rate_hz - 1e-9), np.ceil(until_s * rate_hz - 1e-9)) / rate_hz
    present = presence(scene, time_s)
    numbers = people_of(scene)
    person = np.array([numbers[motion.person] for motion in scene.motions], np.int64)
    labels, detections, all_seen, of, estimated = {}, {}, {}, {}, {}
    cameras = scene.layout.cameras
    streams, posing = (np.random.SeedSequence([seed, k]).spawn(len(cameras)) for k in (1, 2))
    for (name, camera), stream, other in zip(cameras.items(), streams, posing, strict=True):
        here = sightings(scene.layout, camera, present)
        seen = dataclasses.replace(here, person=person[here.person])
        detections[name], of[name] = detect(seen, camera, time_s, noise, np.random.default_rng(stream))
        if poses is not None:
            rng = np.random.default_rng(other)
            estimated[name] = estimate(scene.layout, camera, present, here, detections[name], of[name], poses, rng)
        labels[name] = _labels(seen, time_s)
        all_seen[name] = seen
    (x, y), (length, width) = scene.layout.origin_m, scene.layout.size_m
    room = np.array([[x, y], [x + length, y], [x + length, y + width], [x, y + width]])
    multiview = MultiviewScene(
        f"simulated-{seed}",
        dict(cameras),
        labels,
        detections,
        _truth(present, person, time_s),
        room,
        ("Simulated: there is no such store, and nobody was filmed.",),
    )
    return Views(multiview, all_seen, of, estimated)


def _labels(seen: Sightings, time_s: Array) -> DetectionTable:
    shown = np.flatnonzero(np.isfinite(seen.visible_xyxy).all(axis=1))
    return table(seen.frame[shown], seen.visible_xyxy[shown], seen.visible_fraction[shown], seen.person[shown], time_s)


def _truth(present: Presence, person: NDArray[np.int64], time_s: Array) -> FloorTruth:
    return FloorTruth(time_s[present.frame], person[present.person], present.xy_m)
