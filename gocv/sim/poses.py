"""The keypoints that an estimator of poses would find in the boxes of a detector, without any picture.

How keypoints jitter with their scores is AlphaPose's on real shoppers (`experiments/fit_pose_noise.py`), how far they
are off for longer is what people who label the same picture disagree by (COCO's σ). The scores of what is hidden are
assumed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gocv.core import Poses
from gocv.data.config import Model
from gocv.data.detections import DetectionTable
from gocv.data.poses import COCO17, COCO_SIGMA, PoseTable
from gocv.geometry import PinholeCamera
from gocv.sim.detector import lasting
from gocv.sim.layout import StoreLayout
from gocv.sim.sight import hidden_keypoints
from gocv.sim.sightings import Presence, Sightings

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]

_SIGMA, _FILLED = np.array(COCO_SIGMA), 0.53
"""σ is of the person's area, which is this share of the box's: what OKS takes where only boxes are known."""
_TURNED = [COCO17.index(n.replace("l_", "r_") if n[0] == "l" else n.replace("r_", "l_")) for n in COCO17]


class PoseNoise(Model):
    """How an estimator of poses errs. Sizes are the square root of the area of the box of the whole person.

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


def estimate(
    layout: StoreLayout,
    camera: PinholeCamera,
    present: Presence,
    seen: Sightings,
    found: DetectionTable,
    of: Int64,
    noise: PoseNoise,
    rng: np.random.Generator,
) -> PoseTable:
    """The poses that an estimator would find in the boxes of one camera's detector.

    Args:
        layout: The store.
        camera: Who looks.
        present: The people.
        seen: By the camera, its `person` as in `present`.
        found: The boxes.
        of: (n,) int64, the row of `seen` that each box is of; -1 for those of nobody.
        noise: How the estimator errs.
        rng: Stream of random numbers.

    Returns:
        Keypoints in the order of `gocv.data.poses.COCO17`, a pose for each box of somebody; there are none in boxes of
        nobody.
    """
    period_s = float(found.time_s[1] - found.time_s[0]) if len(found) > 1 else 1.0
    many = int(present.person.max(initial=0)) + 1
    rows = np.searchsorted(present.frame * many + present.person, seen.frame * many + seen.person)
    hidden = hidden_keypoints(layout, camera, present)[rows]
    pixels = camera.project(present.keypoints_m[rows])[0]
    limit = np.array([camera.width_px, camera.height_px]) - 0.5
    inside = ((pixels > -0.5) & (pixels < limit)).all(axis=2)
    size = np.sqrt(np.prod(seen.xyxy[:, 2:] - seen.xyxy[:, :2], axis=1))
    mean = np.where(hidden, noise.hidden_score, noise.seen_score)
    score = np.clip(rng.beta(mean * noise.score_spread, (1 - mean) * noise.score_spread), 0.02, 1.0)
    fast = noise.jitter * score**-noise.power
    slow = noise.bias * np.sqrt(_FILLED / 2) * _SIGMA * np.maximum(1.0, noise.seen_score / score)
    keep = float(np.exp(-period_s / noise.bias_s))
    drawn = lasting(seen.person, seen.frame, keep, 2 * len(COCO17), rng).reshape(-1, len(COCO17), 2)
    off = fast[..., None] * rng.standard_normal(pixels.shape) + slow[..., None] * drawn
    pixels = pixels + size[:, None, None] * off
    given = inside & ~(hidden & (rng.random(hidden.shape) < noise.unseen))
    pixels[~given], score[~given] = np.nan, 0.0
    turned = _turned(seen, noise, period_s, rng)
    pixels[turned], score[turned] = pixels[turned][:, _TURNED], score[turned][:, _TURNED]
    boxes = np.flatnonzero(of >= 0)
    position = np.searchsorted(found.first_row, boxes, side="right") - 1
    poses = Poses(pixels[of[boxes]].astype(np.float32), score[of[boxes]].astype(np.float32))
    first_row = np.searchsorted(boxes, found.first_row).astype(np.int64)
    return PoseTable(COCO17, found.frame, found.time_s, first_row, poses, boxes - found.first_row[position])


def _turned(seen: Sightings, noise: PoseNoise, period_s: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(n,) whether left and right are taken for each other: a chain of two states for each person."""
    begins, ends = noise.turned_per_s * period_s, min(1.0, period_s / noise.turned_s)
    turned = np.zeros(len(seen), np.bool_)
    state: dict[int, bool] = {}
    for row, (person, chance) in enumerate(zip(seen.person.tolist(), rng.random(len(seen)).tolist(), strict=True)):
        before = state.get(person, False)
        turned[row] = state[person] = before ^ (chance < (ends if before else begins))
    return turned
