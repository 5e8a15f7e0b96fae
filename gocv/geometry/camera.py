"""A calibrated camera: points of the store to pixels, pixels to rays and to places on the floor.

The world is the store's frame: metres, z up, floor at z = 0. The camera's frame is OpenCV's: x right, y down, z
forwards. Pixels are (x, y) with the centre of the top left pixel at (0, 0). Everything is float64 and works on any
number of leading axes. A row that has no answer is NaN, and so is one that holds a NaN.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from gocv.core import DataError
from gocv.geometry import distortion as lens
from gocv.geometry._arrays import Float64, as_array, as_vectors
from gocv.geometry.rotation import rodrigues

_PRINTED_ROTATION = 1e-4


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class PinholeCamera:
    """Pinhole camera with Brown-Conrady distortion.

    Attributes:
        width_px: Width of the image.
        height_px: Height of the image.
        matrix: (3, 3) float64, K: focal lengths and principal point in pixels, skew allowed.
        distortion: (5,) float64, k1, k2, p1, p2, k3 (OpenCV's order).
        camera_T_world: (4, 4) float64, world to camera, metres. A rotation printed with few digits (off by up to
            1e-4) is replaced by the nearest true one.

    Raises:
        DataError: A field has the wrong shape, is not finite, or is not what it should be (see `key`).
    """

    width_px: int
    height_px: int
    matrix: Float64
    distortion: Float64
    camera_T_world: Float64
    _fold_radius: float = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        distortion = as_array(self.distortion, (5,), "distortion")
        fields = {
            "width_px": _image_size(self.width_px, "width_px"),
            "height_px": _image_size(self.height_px, "height_px"),
            "matrix": _read_only(_camera_matrix(self.matrix)),
            "distortion": _read_only(distortion),
            "camera_T_world": _read_only(_rigid(self.camera_T_world)),
            "_fold_radius": lens.fold_radius(distortion),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_pose(
        cls,
        width_px: int,
        height_px: int,
        matrix: ArrayLike,
        distortion: ArrayLike = (0.0, 0.0, 0.0, 0.0, 0.0),
        *,
        position_m: ArrayLike,
        rotation_vector: ArrayLike,
    ) -> PinholeCamera:
        """A camera from where it is and how it is turned.

        Args:
            width_px: Width of the image.
            height_px: Height of the image.
            matrix: (3, 3), K.
            distortion: (5,), k1, k2, p1, p2, k3.
            position_m: (3,), the centre of projection in the store's frame (not OpenCV's tvec, which is -R position).
            rotation_vector: (3,), radians, of camera_R_world (OpenCV's rvec).

        Raises:
            DataError: As for the class.

        >>> k = [[500.0, 0.0, 320.0], [0.0, 500.0, 240.0], [0.0, 0.0, 1.0]]
        >>> down = PinholeCamera.from_pose(640, 480, k, position_m=[1, 2, 3], rotation_vector=[np.pi, 0, 0])
        >>> down.pixels_to_floor([[320.0, 240.0]]).round(6)
        array([[1., 2.]])
        """
        rotation = rodrigues(as_array(rotation_vector, (3,), "rotation_vector"))
        pose = _pose(rotation, as_array(position_m, (3,), "position_m"))
        return cls(width_px, height_px, np.asarray(matrix), np.asarray(distortion), pose)

    @classmethod
    def look_at(
        cls,
        position_m: ArrayLike,
        target_m: ArrayLike,
        *,
        width_px: int,
        height_px: int,
        focal_px: float,
        distortion: ArrayLike = (0.0, 0.0, 0.0, 0.0, 0.0),
    ) -> PinholeCamera:
        """A level camera (its x axis is horizontal) with square pixels and the target in the middle of its image.

        A camera that looks straight up or down has the store's +y at the top of its image.

        Args:
            position_m: (3,), the centre of projection in the store's frame.
            target_m: (3,), what it looks at.
            width_px: Width of the image.
            height_px: Height of the image.
            focal_px: Focal length; a horizontal field of view of a takes width_px / (2 tan(a / 2)).
            distortion: (5,), k1, k2, p1, p2, k3.

        Raises:
            DataError: As for the class, or the target is where the camera is.

        >>> camera = PinholeCamera.look_at([0, 0, 3], [4, 0, 0], width_px=641, height_px=481, focal_px=500)
        >>> pixels, depth = camera.project([[4, 0, 0], [-4, 0, 3]])
        >>> pixels.round(6), depth.round(6)
        (array([[320., 240.],
               [ nan,  nan]]), array([ 5. , -3.2]))
        """
        position, target = as_array(position_m, (3,), "position_m"), as_array(target_m, (3,), "target_m")
        distance = float(np.linalg.norm(target - position))
        if distance == 0:
            raise DataError("the target is where the camera is", key="target_m", expected="another point")
        forward = (target - position) / distance
        right = np.cross(forward, [0.0, 0.0, 1.0])
        if np.linalg.norm(right) < 1e-9:
            right = np.cross(forward, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        pose = _pose(np.stack([right, np.cross(forward, right), forward]), position)
        matrix = [[focal_px, 0.0, (width_px - 1) / 2], [0.0, focal_px, (height_px - 1) / 2], [0.0, 0.0, 1.0]]
        return cls(width_px, height_px, np.asarray(matrix), np.asarray(distortion), pose)

    @property
    def position_m(self) -> Float64:
        """(3,) float64, the centre of projection in the store's frame."""
        centre: Float64 = -self.camera_T_world[:3, :3].T @ self.camera_T_world[:3, 3]
        return centre

    def project(self, points_m: ArrayLike) -> tuple[Float64, Float64]:
        """Where points of the store appear.

        Args:
            points_m: (..., 3), metres in the store's frame.

        Returns:
            (..., 2) float64 pixels, which may lie outside the image; NaN for points that are not in front of the
            camera, and for those past the fold of the distortion polynomial (see `gocv.geometry.distortion`).
            (...) float64 depth: metres along the optical axis, negative behind the camera.

        Raises:
            DataError: The last axis does not have length 3.
        """
        in_camera = self._to_camera(as_vectors(points_m, 3, "points_m"))
        depth = in_camera[..., 2]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            normalised = in_camera[..., :2] / depth[..., None]
            normalised[~(depth > 0)] = np.nan
            distorted = lens.distort(normalised, self.distortion, self._fold_radius)
        pixels: Float64 = distorted @ self.matrix[:2, :2].T + self.matrix[:2, 2]
        return pixels, depth

    def projection_jacobian(self, points_m: ArrayLike) -> Float64:
        """How the pixels of `project` move as points of the store do.

        Args:
            points_m: (..., 3), metres in the store's frame.

        Returns:
            (..., 2, 3) float64, pixels a metre; it means nothing where `project` gives NaN.

        Raises:
            DataError: The last axis does not have length 3.

        >>> camera = PinholeCamera.look_at([0, 0, 3], [4, 0, 3], width_px=641, height_px=481, focal_px=500)
        >>> camera.projection_jacobian([4, 0, 3]).round(6) + 0.0
        array([[   0., -125.,    0.],
               [   0.,    0., -125.]])
        """
        in_camera = self._to_camera(as_vectors(points_m, 3, "points_m"))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            normalised = in_camera[..., :2] / in_camera[..., 2:]
            rotation = self.camera_T_world[:3, :3]
            by_point = (rotation[:2] - normalised[..., None] * rotation[2]) / in_camera[..., 2, None, None]
            if self.distortion.any():
                by_point = lens.jacobian(normalised, self.distortion) @ by_point
            moved: Float64 = self.matrix[:2, :2] @ by_point
        return moved

    def undistort(self, pixels: ArrayLike) -> Float64:
        """Normalised image coordinates of pixels: x/z and y/z of the ray in the camera's frame, lens undone.

        Args:
            pixels: (..., 2).

        Returns:
            (..., 2) float64; NaN where the lens model is not invertible, that is where no point before the fold of
            the polynomial lands on the pixel. Inside the image that happens only with a calibration that does not
            fit its corners.

        Raises:
            DataError: The last axis does not have length 2.

        >>> camera = PinholeCamera.look_at([0, 0, 3], [4, 0, 0], width_px=641, height_px=481, focal_px=500)
        >>> camera.undistort([[320.0, 240.0], [820.0, 240.0]])
        array([[0., 0.],
               [1., 0.]])
        """
        return lens.undistort(self._normalise(as_vectors(pixels, 2, "pixels")), self.distortion, self._fold_radius)

    def rays(self, pixels: ArrayLike) -> tuple[Float64, Float64]:
        """The half-lines on which what is seen at pixels lies.

        Args:
            pixels: (..., 2).

        Returns:
            (3,) float64, where all of them start: the camera's position in the store's frame, metres.
            (..., 3) float64, unit directions in the store's frame; NaN where `undistort` is.

        Raises:
            DataError: The last axis does not have length 2.
        """
        direction = self._directions(self.undistort(pixels))
        return self.position_m, direction / np.linalg.norm(direction, axis=-1, keepdims=True)

    def pixels_to_plane(self, pixels: ArrayLike, point_m: ArrayLike, normal: ArrayLike) -> Float64:
        """Where the rays of pixels meet a plane.

        Args:
            pixels: (..., 2).
            point_m: (3,), any point of the plane, metres in the store's frame.
            normal: (3,), its normal, of any length.

        Returns:
            (..., 3) float64, metres in the store's frame; NaN for rays that run along the plane or away from it.

        Raises:
            DataError: A shape does not fit, or the normal is zero.
        """
        point, normal = as_array(point_m, (3,), "point_m"), as_array(normal, (3,), "normal")
        if not normal.any():
            raise DataError("the normal is zero", key="normal", expected="a direction")
        direction = self._directions(self.undistort(pixels))
        origin = self.position_m
        depth = _positive_ratio(float(normal @ (point - origin)), direction @ normal)
        hit: Float64 = origin + depth[..., None] * direction
        return hit

    def pixels_to_floor(self, pixels: ArrayLike, height_m: float = 0.0) -> Float64:
        """Where the rays of pixels meet the floor, or the level `height_m` above it.

        Args:
            pixels: (..., 2).
            height_m: Such as 1.7 for the top of a head.

        Returns:
            (..., 2) float64, x and y in metres in the store's frame; NaN where the ray does not come down (or up)
            to that level.

        Raises:
            DataError: The last axis does not have length 2.
        """
        return self._floor_hits(self.undistort(pixels), height_m)[0]

    def floor_covariance(self, pixels: ArrayLike, sd_px: ArrayLike, height_m: float = 0.0) -> Float64:
        """Covariance of `pixels_to_floor` from independent errors of the pixel's two coordinates.

        First order: sd^2 J J^T with J the derivative of the floor point by the pixel (Hartley and Zisserman, Multiple
        View Geometry, 2nd ed., section 5.2.1, forward propagation), got as the inverse of the derivative of
        `floor_to_pixels`. It is too small where sd_px is a large part of the distance to the horizon.

        Args:
            pixels: (..., 2).
            sd_px: Standard deviation of each coordinate, one for all or (...) one a pixel.
            height_m: As for `pixels_to_floor`.

        Returns:
            (..., 2, 2) float64, square metres; NaN where `pixels_to_floor` is.

        Raises:
            DataError: The last axis does not have length 2.

        >>> camera = PinholeCamera.look_at([0, 0, 5], [0, 0, 0], width_px=641, height_px=481, focal_px=500)
        >>> camera.floor_covariance([[320.0, 240.0]], sd_px=2.0).round(8)
        array([[[0.0004, 0.    ],
                [0.    , 0.0004]]])
        """
        normalised = self.undistort(pixels)
        depth = self._floor_hits(normalised, height_m)[1]
        x, y = normalised[..., 0, None], normalised[..., 1, None]
        rotation = self.camera_T_world[:3, :2]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            by_floor = np.stack([rotation[0] - x * rotation[2], rotation[1] - y * rotation[2]], axis=-2)
            by_floor /= depth[..., None, None]
            forward = self.matrix[:2, :2] @ lens.jacobian(normalised, self.distortion) @ by_floor
            determinant = forward[..., 0, 0] * forward[..., 1, 1] - forward[..., 0, 1] * forward[..., 1, 0]
            # adj(F) adj(F)^T / det(F)^2 is (F^T F)^-1 without a call that refuses NaN and singular rows.
            adjugate = forward[..., ::-1, ::-1].swapaxes(-1, -2) * [[1.0, -1.0], [-1.0, 1.0]]
            inverse = adjugate / determinant[..., None, None]
            variance = np.square(np.asarray(sd_px, np.float64))[..., None, None]
            covariance: Float64 = variance * (inverse @ inverse.swapaxes(-1, -2))
        return covariance

    def floor_to_pixels(self, xy_m: ArrayLike, height_m: float = 0.0) -> Float64:
        """Where points of the floor, or of the level `height_m` above it, appear: the inverse of `pixels_to_floor`.

        Args:
            xy_m: (..., 2), metres in the store's frame.
            height_m: Height of all the points.

        Returns:
            (..., 2) float64 pixels; NaN where `project` is.

        Raises:
            DataError: The last axis does not have length 2.
        """
        xy = as_vectors(xy_m, 2, "xy_m")
        return self.project(np.concatenate([xy, np.full((*xy.shape[:-1], 1), height_m)], axis=-1))[0]

    def _to_camera(self, points_m: Float64) -> Float64:
        in_camera: Float64 = points_m @ self.camera_T_world[:3, :3].T + self.camera_T_world[:3, 3]
        return in_camera

    def _normalise(self, pixels: Float64) -> Float64:
        (fx, skew, cx), (_, fy, cy), _ = self.matrix
        y = (pixels[..., 1] - cy) / fy
        return np.stack([(pixels[..., 0] - cx - skew * y) / fx, y], axis=-1)

    def _directions(self, normalised: Float64) -> Float64:
        """(..., 3) in the store's frame, as long as depth 1 takes."""
        rotation = self.camera_T_world[:3, :3]
        directions: Float64 = normalised @ rotation[:2] + rotation[2]
        return directions

    def _floor_hits(self, normalised: Float64, height_m: float) -> tuple[Float64, Float64]:
        """(..., 2) floor points and (...) their depths in the camera."""
        direction = self._directions(normalised)
        origin = self.position_m
        depth = _positive_ratio(height_m - float(origin[2]), direction[..., 2])
        return origin[:2] + depth[..., None] * direction[..., :2], depth


def _positive_ratio(numerator: float, denominator: Float64) -> Float64:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.asarray(numerator / denominator)
    return np.where((ratio > 0) & np.isfinite(ratio), ratio, np.nan)


def _pose(rotation: Float64, position_m: Float64) -> Float64:
    pose = np.eye(4)
    pose[:3, :3] = rotation
    pose[:3, 3] = -rotation @ position_m
    return pose


def _image_size(value: int, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise DataError(f"{key} is {value!r}", key=key, expected="a whole number of pixels, at least 1")
    return int(value)


def _camera_matrix(value: ArrayLike) -> Float64:
    matrix = as_array(value, (3, 3), "matrix")
    if matrix[1, 0] != 0 or not np.array_equal(matrix[2], [0.0, 0.0, 1.0]):
        raise DataError("matrix is not a camera matrix", key="matrix", expected="[[fx, s, cx], [0, fy, cy], [0, 0, 1]]")
    if matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
        raise DataError("a focal length is not positive", key="matrix", expected="fx > 0 and fy > 0, in pixels")
    return matrix


def _rigid(value: ArrayLike) -> Float64:
    key = "camera_T_world"
    pose = as_array(value, (4, 4), key).copy()
    if not np.array_equal(pose[3], [0.0, 0.0, 0.0, 1.0]):
        raise DataError("the last row is not that of a rigid motion", key=key, expected="[0, 0, 0, 1]")
    left, scale, right = np.linalg.svd(pose[:3, :3])
    if np.abs(scale - 1).max() > _PRINTED_ROTATION or np.linalg.det(pose[:3, :3]) < 0:
        raise DataError("its upper left 3 by 3 is not a rotation", key=key, expected="R R^T = 1 and det(R) = 1")
    if np.abs(scale - 1).max() > 1e-12:
        pose[:3, :3] = left @ right
    return pose


def _read_only(array: Float64) -> Float64:
    copy = array.copy()
    copy.flags.writeable = False
    return copy
