"""What detectors of people and poses would see of a visit: boxes and keypoints of each camera, without any picture.

How keypoints jitter with their scores is AlphaPose's on real shoppers (`experiments/fit_pose_noise.py`), how far they
are off for longer is what people who label the same picture disagree by (COCO's σ). How often boxes are missed and the
scores of what is hidden are assumed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.signal import lfilter

from gocv.core import Detections, Poses
from gocv.data.config import Model
from gocv.data.detections import DetectionTableWriter
from gocv.data.poses import COCO17, COCO_SIGMA, PoseTableWriter
from gocv.data.progress import with_progress
from gocv.geometry import PinholeCamera
from gocv.sim.body import Body, body
from gocv.sim.scene import Scene
from gocv.sim.sight import behind_body, behind_gondolas, behind_oneself

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

_SIGMA = np.array(COCO_SIGMA)
_FLESH = np.array([0.02] * 5 + [0.045] * 2 + [0.03] * 2 + [0.025] * 2 + [0.07] * 2 + [0.04] * 2 + [0.03] * 2)
"""Radius of the body around each keypoint, as a share of the height."""
_CROWN, _HAND, _TOE = 0.07, 0.04, 0.01
_TURNED = [COCO17.index(n.replace("l_", "r_") if n[0] == "l" else n.replace("r_", "l_")) for n in COCO17]
_CHUNK = 600


class PoseNoise(Model):
    """How detectors of people and poses err. Sizes are the square root of a box's area.

    Attributes:
        jitter: Noise that is new in each frame, standard deviation of each coordinate of a keypoint of score 1, as a
            share of the person's size.
        power: With which that grows as scores fall: score^-power.
        bias: Noise that stays for a while, in COCO's σ.
        bias_s: In which it is forgotten to 1/e.
        seen_score: Mean score of a keypoint that is in sight.
        hidden_score: Mean score of one that is not.
        score_spread: How sure those are: the sum of the parameters of a beta distribution.
        unseen: Probability that a keypoint that is not in sight is not given at all.
        turned_per_s: How often left and right are taken for each other.
        turned_s: Mean time for which they are.
        box: Noise of each edge of a box, as a share of the size.
        missed: Probability that a person is not found in a frame.
        least_in_sight: A person of whom fewer of the keypoints are in sight is never found.
    """

    jitter: float = Field(default=0.0098, ge=0)
    power: float = Field(default=1.41, ge=0)
    bias: float = Field(default=0.5, ge=0)
    bias_s: float = Field(default=0.45, gt=0)
    seen_score: float = Field(default=0.75, gt=0, lt=1)
    hidden_score: float = Field(default=0.25, gt=0, lt=1)
    score_spread: float = Field(default=12.0, gt=0)
    unseen: float = Field(default=0.3, ge=0, le=1)
    turned_per_s: float = Field(default=0.05, ge=0)
    turned_s: float = Field(default=0.3, gt=0)
    box: float = Field(default=0.02, ge=0)
    missed: float = Field(default=0.03, ge=0, lt=1)
    least_in_sight: float = Field(default=0.25, gt=0, le=1)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class SeenPeople:
    """The people that one camera's detectors found, in order of time; a row each.

    Attributes:
        person: (n,) text, who it is: the truth, which no detector says.
        frame: (n,) int64.
        boxes: The boxes, all of label 0.
        poses: Their keypoints, in the order of `gocv.data.poses.COCO17`.
    """

    person: NDArray[np.str_]
    frame: NDArray[np.int64]
    boxes: Detections
    poses: Poses


def see_people(
    scene: Scene, camera: str, noise: PoseNoise, *, rate_hz: float, seed: np.random.SeedSequence
) -> Iterator[tuple[int, SeenPeople]]:
    """What detectors would find in the frames of one camera, some hundreds of frames at a time.

    Args:
        scene: The visit; frame i is of the moment i / rate_hz.
        camera: Name of the camera.
        noise: How the detectors err.
        rate_hz: Frames a second.
        seed: Of the errors, a stream of its own.

    Yields:
        The number of frames so far, these included, and who was found in the new ones.
    """
    view = scene.layout.cameras[camera]
    frames = int(np.ceil(scene.duration_s * rate_hz - 1e-9))
    streams = [np.random.default_rng(child) for child in seed.spawn(len(scene.motions))]
    errors: dict[str, _Errors] = {}
    for start in range(0, frames, _CHUNK):
        frame = np.arange(start, min(start + _CHUNK, frames))
        time_s = frame / rate_hz
        bodies: dict[str, tuple[Body, Bool]] = {}
        for motion, stream in zip(scene.motions, streams, strict=True):
            there = (time_s >= motion.start_s) & (time_s <= motion.end_s)
            if there.any():
                bodies[motion.name] = body(motion, time_s), there
                errors.setdefault(motion.name, _Errors(noise, rate_hz, stream))
        found = [_seen(view, scene, name, bodies, errors[name], frame) for name in bodies]
        yield int(frame[-1]) + 1, _in_order(found)


def write_poses(
    scene: Scene,
    folder: Path,
    noise: PoseNoise,
    *,
    rate_hz: float,
    seed: np.random.SeedSequence,
    dark: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> dict[str, tuple[Path, Path]]:
    """Write the tables of boxes and of poses of all cameras of a store.

    Args:
        scene: The visit.
        folder: Where to.
        noise: How the detectors err.
        rate_hz: Frames a second.
        seed: Of the errors.
        dark: By camera, from when until when it is dead: nobody is found then.

    Returns:
        By camera, the table of detections and that of poses.
    """
    written: dict[str, tuple[Path, Path]] = {}
    cameras = scene.layout.cameras
    for name, child in zip(with_progress(cameras, "poses", len(cameras)), seed.spawn(len(cameras)), strict=True):
        boxes, poses = folder / f"{name}-detections.parquet", folder / f"{name}-poses.parquet"
        with DetectionTableWriter(boxes, classes=("person",)) as one, PoseTableWriter(poses) as other:
            begin = 0
            for end, found in see_people(scene, name, noise, rate_hz=rate_hz, seed=child):
                first = np.searchsorted(found.frame, np.arange(begin, end + 1))
                for frame in range(begin, end):
                    time_s = frame / rate_hz
                    is_dark = any(since <= time_s < until for since, until in (dark or {}).get(name, ()))
                    rows = slice(0, 0) if is_dark else slice(*first[frame - begin : frame - begin + 2])
                    one.write(frame, time_s, found.boxes[rows])
                    other.write(frame, time_s, found.poses[rows])
                begin = end
        written[name] = boxes, poses
    return written


class _Errors:
    """The errors about one person in one camera, chunk by chunk: what stays for a while goes on in the next chunk."""

    def __init__(self, noise: PoseNoise, rate_hz: float, rng: np.random.Generator) -> None:
        self.noise, self.rng = noise, rng
        self._keep = float(np.exp(-1 / (noise.bias_s * rate_hz)))
        self._last = rng.standard_normal((len(COCO17), 2))
        self._start, self._end = noise.turned_per_s / rate_hz, min(1.0, 1 / (noise.turned_s * rate_hz))
        self._turned = False

    def bias(self, rows: int) -> Array:
        """(rows, 17, 2) of standard deviation 1."""
        fresh = np.sqrt(1 - self._keep**2) * self.rng.standard_normal((rows, len(COCO17), 2))
        drawn, _ = lfilter([1.0], [1.0, -self._keep], fresh, axis=0, zi=self._keep * self._last[None])
        self._last = drawn[-1]
        return np.asarray(drawn)

    def turned(self, rows: int) -> Bool:
        """(rows,) whether left and right are taken for each other."""
        turned = np.zeros(rows, np.bool_)
        for row, chance in enumerate(self.rng.random(rows)):
            self._turned ^= bool(chance < (self._end if self._turned else self._start))
            turned[row] = self._turned
        return turned


def _seen(
    view: PinholeCamera,
    scene: Scene,
    name: str,
    bodies: Mapping[str, tuple[Body, Bool]],
    errors: _Errors,
    frame: NDArray[np.int64],
) -> SeenPeople:
    """One person in the frames of a chunk."""
    noise, rng, (own, there) = errors.noise, errors.rng, bodies[name]
    here, points = view.position_m, own.keypoints_m
    pixels, _ = view.project(points)
    limit = np.array([view.width_px - 0.5, view.height_px - 0.5])
    inside: Bool = np.asarray(((pixels > -0.5) & (pixels < limit)).all(axis=2))
    blocked = behind_gondolas(here, points, scene.layout.gondolas.values())
    for other, (somebody, present) in bodies.items():
        if other != name:
            blocked |= behind_body(here, points, somebody) & present[:, None]
    hidden = blocked | behind_oneself(here, own)
    xyxy = _boxes(view, own, ~blocked & inside)
    whole = np.sqrt(np.maximum(_areas(_boxes(view, own, np.isfinite(pixels[..., 0]))), 1.0))
    xyxy = xyxy + noise.box * whole[:, None] * rng.standard_normal(xyxy.shape)
    xyxy = np.clip(xyxy, -0.5, np.tile(limit, 2))
    found = there & ((inside & ~blocked).mean(axis=1) >= noise.least_in_sight) & (_areas(xyxy) > 1.0)
    found &= (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1) & (rng.random(len(frame)) >= noise.missed)
    mean = np.where(hidden, noise.hidden_score, noise.seen_score)
    score = np.clip(rng.beta(mean * noise.score_spread, (1 - mean) * noise.score_spread), 0.02, 1.0)
    fast = noise.jitter * score**-noise.power
    slow = noise.bias * np.sqrt(0.53 / 2) * _SIGMA * np.maximum(1.0, noise.seen_score / score)
    off = fast[..., None] * rng.standard_normal(pixels.shape) + slow[..., None] * errors.bias(len(frame))
    pixels = pixels + whole[:, None, None] * off
    given = inside & ~(hidden & (rng.random(hidden.shape) < noise.unseen))
    pixels[~given], score[~given] = np.nan, 0.0
    turned = errors.turned(len(frame))
    pixels[turned], score[turned] = pixels[turned][:, _TURNED], score[turned][:, _TURNED]
    boxes = Detections(xyxy[found], rng.beta(9.0, 1.5, len(frame))[found], np.zeros(found.sum(), np.int64))
    return SeenPeople(
        np.full(int(found.sum()), name),
        frame[found],
        boxes,
        Poses(pixels[found].astype(np.float32), score[found].astype(np.float32)),
    )


def _boxes(view: PinholeCamera, own: Body, visible: Bool) -> Array:
    """(m, 4) around what is in sight of a body; of no area where that is nothing."""
    h = own.height_m
    up = np.array([0.0, 0.0, _CROWN * h])
    more = [own.head_m[:, None] + up, own.hands_m, own.toes_m]
    points = np.concatenate([own.keypoints_m, *more], axis=1)
    # The crown is seen with the face, hands with wrists, toes with ankles.
    face: Bool = np.asarray(visible[:, :5].any(axis=1))
    seen = np.concatenate([visible, face[:, None], visible[:, 9:11], visible[:, 15:17]], axis=1)
    pixels, depth = view.project(points)
    around = np.concatenate([_FLESH, [0.01], [_HAND / 2] * 2, [_TOE] * 2]) * h
    seen &= np.isfinite(pixels).all(axis=2)
    reach = np.sqrt(view.matrix[0, 0] * view.matrix[1, 1]) * around / np.where(seen, depth, 1.0)
    low = np.where(seen[..., None], pixels - reach[..., None], np.inf).min(axis=1)
    high = np.where(seen[..., None], pixels + reach[..., None], -np.inf).max(axis=1)
    box = np.concatenate([low, high], axis=1)
    box[~seen.any(axis=1)] = 0.0
    return box


def _areas(xyxy: Array) -> Array:
    return np.asarray(np.prod(np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0.0), axis=1))


def _in_order(parts: Sequence[SeenPeople]) -> SeenPeople:
    if not parts:
        none = Poses(np.empty((0, len(COCO17), 2), np.float32), np.empty((0, len(COCO17)), np.float32))
        return SeenPeople(np.empty(0, np.str_), np.empty(0, np.int64), Detections.empty(), none)
    frame = np.concatenate([part.frame for part in parts])
    order = np.argsort(frame, kind="stable")
    return SeenPeople(
        np.concatenate([part.person for part in parts])[order],
        frame[order],
        Detections.concatenate([part.boxes for part in parts])[order],
        Poses.concatenate([part.poses for part in parts])[order],
    )
