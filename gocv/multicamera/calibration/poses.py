"""Cameras as rows of numbers that an adjustment may change, and back.

The numbers of a camera, in the order of `PARAMETERS`: the logarithm of the focal length in pixels, the first radial
distortion coefficient, tilt (radians below the horizon), roll (radians about the optical axis), yaw (radians from x
towards y), and the position in metres.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.geometry import PinholeCamera

Array = NDArray[np.float64]

PARAMETERS = ("log_focal", "k1", "tilt_rad", "roll_rad", "yaw_rad", "x_m", "y_m", "z_m")
"""Names of the columns."""
LOG_FOCAL, K1, TILT, ROLL, YAW, X, Y, Z = range(len(PARAMETERS))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Lens:
    """What of a camera is not where it is: image size and intrinsics.

    Attributes:
        width_px: Width of the image.
        height_px: Height of the image.
        matrix: (3, 3) float64, K; None where it is not known: square pixels, the centre of the image, and a focal
            length to find.
        distortion: (5,) float64, k1, k2, p1, p2, k3; None where it is not known: k1 to find, the rest 0.
    """

    width_px: int
    height_px: int
    matrix: Array | None = None
    distortion: Array | None = None

    @classmethod
    def of(cls, camera: PinholeCamera) -> Lens:
        """The intrinsics of a calibrated camera."""
        return cls(camera.width_px, camera.height_px, camera.matrix, camera.distortion)

    @property
    def known(self) -> bool:
        """Whether the focal length is."""
        return self.matrix is not None

    def constants(self) -> Array:
        """(8,) float64: cx, cy, fx / fy, skew / fy, k2, p1, p2, k3."""
        matrix, distortion = self._filled(1.0)
        fy = matrix[1, 1]
        return np.array([matrix[0, 2], matrix[1, 2], matrix[0, 0] / fy, matrix[0, 1] / fy, *distortion[1:]])

    def start(self) -> Array:
        """(2,) float64: logarithm of fy and k1 where they are known, that of the image's width and 0 where not."""
        matrix, distortion = self._filled(float(self.width_px))
        return np.array([np.log(matrix[1, 1]), distortion[0]])

    def camera(self, parameters: Array) -> PinholeCamera:
        """The camera of (8,) parameters.

        Raises:
            DataError: A number is not finite.
        """
        if not np.isfinite(parameters).all():
            raise DataError("a camera's parameters are not finite", expected="numbers")
        focal = float(np.exp(parameters[LOG_FOCAL]))
        matrix, distortion = self._filled(focal)
        distortion = np.array([parameters[K1], *distortion[1:]])
        pose = np.eye(4)
        pose[:3, :3] = rotations(parameters[None])[0]
        pose[:3, 3] = -pose[:3, :3] @ parameters[X : Z + 1]
        return PinholeCamera(self.width_px, self.height_px, matrix * [[focal], [focal], [1.0]] / [
            [matrix[1, 1]], [matrix[1, 1]], [1.0]], distortion, pose)  # fmt: skip

    def _filled(self, focal_px: float) -> tuple[Array, Array]:
        centre = (self.width_px - 1) / 2, (self.height_px - 1) / 2
        square = np.array([[focal_px, 0.0, centre[0]], [0.0, focal_px, centre[1]], [0.0, 0.0, 1.0]])
        distortion = np.zeros(5) if self.distortion is None else np.asarray(self.distortion, np.float64)
        return (square if self.matrix is None else np.asarray(self.matrix, np.float64)), distortion


def rotations(parameters: Array) -> Array:
    """(n, 3, 3) camera_R_world of (n, 8) parameters: rows are the camera's right, down and forward in the world."""
    tilt, roll, yaw = (parameters[:, k] for k in (TILT, ROLL, YAW))
    zero = np.zeros_like(tilt)
    forward = np.stack([np.cos(tilt) * np.cos(yaw), np.cos(tilt) * np.sin(yaw), -np.sin(tilt)], axis=1)
    right = np.stack([np.sin(yaw), -np.cos(yaw), zero], axis=1)
    down = np.cross(forward, right)
    c, s = np.cos(roll)[:, None], np.sin(roll)[:, None]
    return np.stack([c * right + s * down, c * down - s * right, forward], axis=1)


def parameters_of(camera: PinholeCamera) -> Array:
    """(8,) float64, the parameters of a camera; the inverse of `Lens.camera`."""
    rotation = camera.camera_T_world[:3, :3]
    forward = rotation[2]
    tilt = np.arcsin(np.clip(-forward[2], -1.0, 1.0))
    yaw = np.arctan2(forward[1], forward[0])
    level = rotations(np.array([[0.0, 0.0, tilt, 0.0, yaw, 0.0, 0.0, 0.0]]))[0]
    roll = np.arctan2(rotation[0] @ level[1], rotation[0] @ level[0])
    return np.array([np.log(camera.matrix[1, 1]), camera.distortion[0], tilt, roll, yaw, *camera.position_m])


def moved(parameters: Array, motion: Array) -> Array:
    """(n, 8) the same cameras in a frame turned and shifted: x' = R(angle) x + shift, `motion` being
    (3,) angle in radians and shift in metres, or (n, 3).
    """  # noqa: D205
    motion = np.broadcast_to(motion, (len(parameters), 3))
    found = parameters.copy()
    found[:, YAW] += motion[:, 0]
    found[:, X : Y + 1] = turned(parameters[:, X : Y + 1], motion)
    return found


def turned(xy: Array, motion: Array) -> Array:
    """(n, 2) points moved by the (3,) or (n, 3) `motion` of `moved`."""
    angle, shift = motion[..., 0], motion[..., 1:]
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * xy[..., 0] - s * xy[..., 1], s * xy[..., 0] + c * xy[..., 1]], axis=-1) + shift


def rigid_fit(source: Array, target: Array, weight: Array | None = None) -> Array:
    """(3,) angle and shift that best take (n, 2) points onto others: Umeyama, TPAMI 1991, without scale."""
    w = np.ones(len(source)) if weight is None else weight
    w = w / w.sum()
    a, b = w @ source, w @ target
    p, q = source - a, target - b
    angle = np.arctan2(w @ (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]), w @ (p * q).sum(axis=1))
    motion = np.array([angle, 0.0, 0.0])
    motion[1:] = b - turned(a[None], motion)[0]
    return motion


def normalised_to_pixels(points: Array, parameters: Array, constants: Array) -> Array:
    """Pixels of normalised points, by the lens model of `gocv.geometry.distortion`.

    Args:
        points: (..., 2) float64, x / z and y / z in the camera's frame.
        parameters: (..., 8) float64, of which the first two count: focal length and k1.
        constants: (..., 8) float64, of the lens.

    Returns:
        (..., 2) float64; far outside the picture the distortion is held, so that it never folds back.
    """
    cx, cy, aspect, skew, k2, p1, p2, k3 = (constants[..., k] for k in range(8))
    x, y = points[..., 0], points[..., 1]
    s = np.minimum(x * x + y * y, 4.0)
    radial = 1 + s * (parameters[..., K1] + s * (k2 + s * k3))
    xd = x * radial + 2 * p1 * x * y + p2 * (s + 2 * x * x)
    yd = y * radial + p1 * (s + 2 * y * y) + 2 * p2 * x * y
    focal = np.exp(parameters[..., LOG_FOCAL])
    return np.stack([focal * (aspect * xd + skew * yd) + cx, focal * yd + cy], axis=-1)
