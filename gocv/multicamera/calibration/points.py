"""Where a camera is, from points of the store whose places were measured and that somebody found in its picture."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from gocv.core import DataError
from gocv.geometry import PinholeCamera, rodrigues
from gocv.multicamera.calibration.poses import Lens, normalised_to_pixels
from gocv.multicamera.calibration.single import FIELDS_RAD, normalised_rays

Array = NDArray[np.float64]

_FLAT = 1e-3
_ITERATIONS, _REFINED = 30, 4
_SUSPECT = 5.0
_SUBSETS = 12
_UNFIXED = 1e-9


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class PointsCalibration:
    """A camera found from known points.

    Attributes:
        camera: In the frame of the points.
        rms_px: Root mean square distance between where points were found and where they project to, without suspects.
        residual_px: (n,) float64, of each point.
        suspect: (n,) bool, points that are further off than the others allow: measured or clicked wrongly.
        position_covariance_m2: (3, 3) float64, of the camera's place, by the inverse of J^T J.
        rotation_covariance_rad2: (3, 3) float64, of a small turn about the axes of the points' frame.
        focal_sd_px: Of the focal length; 0 where that was given.
    """

    camera: PinholeCamera
    rms_px: float
    residual_px: Array
    suspect: NDArray[np.bool_]
    position_covariance_m2: Array
    rotation_covariance_rad2: Array
    focal_sd_px: float


def calibrate_points(lens: Lens, pixels: ArrayLike, points_m: ArrayLike, *, noise_px: float = 1.0) -> PointsCalibration:
    """Find where a camera is, and its focal length if that is not known.

    Starts come from orthogonal iteration (Lu, Hager and Mjolsness, "Fast and globally convergent pose estimation from
    video images", TPAMI 2000), from many turns, with all points and with few of them, so that a wrong one does not
    spoil all; the best are refined by least squares under Cauchy's loss.

    Args:
        lens: What is known of the camera's intrinsics. A distortion that is not known is taken to be none.
        pixels: (n, 2) where points are in the picture.
        points_m: (n, 3) where they are in the store.
        noise_px: How well points are found in pictures.

    Raises:
        DataError: There are fewer than four points (five without the focal length), they lie on a line, or they do not
            fix the camera.
    """
    seen, places, fewest = _checked(lens, pixels, points_m)
    focals = [float(np.exp(lens.start()[0]))]
    if not lens.known:
        focals = list(lens.width_px / (2 * np.tan(FIELDS_RAD[::3] / 2)))
    starts = []
    for focal in focals:
        rays = normalised_rays(seen, lens, focal)
        for rows in _subsets(len(seen), fewest):
            starts += [(*start, focal) for start in _orthogonal_iteration(rays[rows], places[rows])]
    constants = lens.constants()
    scored = sorted(
        ((_cost(_residual(_pack(p, f, lens), r, seen, places, constants, lens), noise_px), i)
         for i, (r, p, f) in enumerate(starts)),
    )  # fmt: skip
    best = None
    for _, index in scored[:_REFINED]:
        rotation, position, focal = starts[index]
        fitted = least_squares(
            _residual,
            _pack(position, focal, lens),
            args=(rotation, seen, places, constants, lens),
            loss="cauchy",
            f_scale=2 * noise_px,
            x_scale="jac",
        )
        if best is None or fitted.cost < best[0].cost:
            best = fitted, rotation
    if best is None:
        raise DataError("no pose puts the points before the camera", key="pixels", expected="points that it sees")
    return _result(best[0].x, best[0].jac, best[1], seen, places, constants, lens, noise_px)


def _checked(lens: Lens, pixels: ArrayLike, points_m: ArrayLike) -> tuple[Array, Array, int]:
    seen, places = np.asarray(pixels, np.float64), np.asarray(points_m, np.float64)
    fewest = 4 if lens.known else 5
    if seen.ndim != 2 or seen.shape[1:] != (2,) or places.shape != (len(seen), 3):
        raise DataError(f"pixels {seen.shape}, points {places.shape}", key="points_m", expected="(n, 2) and (n, 3)")
    if not (np.isfinite(seen).all() and np.isfinite(places).all()):
        raise DataError("a value is not finite", key="points_m", expected="numbers")
    if len(seen) < fewest:
        what = "" if lens.known else " without the focal length"
        raise DataError(f"{len(seen)} points do not fix a camera{what}", key="points_m", expected=f"at least {fewest}")
    for values, key in ((places, "points_m"), (seen, "pixels")):
        spread = np.linalg.svd(values - values.mean(axis=0), compute_uv=False)
        if spread[1] <= _FLAT * max(spread[0], 1e-12):
            raise DataError("the points lie on a line", key=key, expected="points that are not all on one line")
    return seen, places, fewest


def _subsets(n: int, fewest: int) -> list[NDArray[np.int64]]:
    """All points, and few of them, the same ones every time."""
    size = min(n - 1, max(fewest, 6))
    if n <= fewest:
        return [np.arange(n)]
    rng = np.random.default_rng(0)
    return [np.arange(n), *(np.sort(rng.permutation(n)[:size]) for _ in range(_SUBSETS))]


def _turns() -> Array:
    """(24, 3, 3) the turns of a cube: no rotation is far from all of them."""
    found = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            if np.linalg.det(matrix) > 0:
                found.append(matrix)
    return np.stack(found)


def _orthogonal_iteration(rays: Array, places: Array) -> list[tuple[Array, Array]]:
    """(camera_R_world, position) of poses that put the points near their rays, and before the camera."""
    unit = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    onto = np.einsum("ni,nj->nij", unit, unit)
    eye = np.eye(3)
    centre = places.mean(axis=0)
    local = places - centre
    spread = float(np.linalg.norm(local, axis=1).mean())
    inverse = np.linalg.pinv(eye - onto.mean(axis=0))
    rotation = _turns()
    for step in range(_ITERATIONS):
        turned = np.einsum("hij,nj->hni", rotation, local)
        shift = np.einsum("ij,hj->hi", inverse, np.einsum("nij,hnj->hi", onto - eye, turned) / len(places))
        if step == 0:  # a first guess of the distance, before any turn is right
            shift = np.broadcast_to(unit.mean(axis=0) * 3 * spread, shift.shape)
        target = np.einsum("nij,hnj->hni", onto, turned + shift[:, None])
        matrix = np.einsum("hni,nj->hij", target - target.mean(axis=1, keepdims=True), local)
        u, _, v = np.linalg.svd(matrix)
        u[..., 2] *= np.sign(np.linalg.det(u @ v))[:, None]
        rotation = u @ v
    turned = np.einsum("hij,nj->hni", rotation, local)
    shift = np.einsum("ij,hj->hi", inverse, np.einsum("nij,hnj->hi", onto - eye, turned) / len(places))
    depth = (turned + shift[:, None])[..., 2]
    left = np.einsum("nij,hnj->hni", eye - onto, turned + shift[:, None])
    error = np.square(left).sum(axis=(1, 2))
    found: list[tuple[Array, Array]] = []
    for h in np.argsort(error):
        new = all(np.trace(rotation[h] @ other[0].T) < 2.99 for other in found)
        if (depth[h] > 0).all() and new:
            found.append((rotation[h], centre - rotation[h].T @ shift[h]))
        if len(found) == 3:
            break
    return found


def _pack(position: Array, focal: float, lens: Lens) -> Array:
    """Unknowns: position, a small turn, and the logarithm of a focal length that is not known."""
    return np.concatenate([position, np.zeros(3), [] if lens.known else [np.log(focal)]])


def _residual(x: Array, rotation: Array, seen: Array, places: Array, constants: Array, lens: Lens) -> Array:
    turned = rotation @ rodrigues(x[3:6]).T
    in_camera = (places - x[:3]) @ turned.T
    depth = np.where(in_camera[:, 2] > 1e-3, in_camera[:, 2], 1e-3)
    parameters = np.array([lens.start()[0] if lens.known else x[6], lens.start()[1]])
    return np.asarray((normalised_to_pixels(in_camera[:, :2] / depth[:, None], parameters, constants) - seen).ravel())


def _cost(residual: Array, noise_px: float) -> float:
    return float(np.log1p(np.square(residual / (2 * noise_px))).sum())


def _result(
    x: Array, jac: Array, rotation: Array, seen: Array, places: Array, constants: Array, lens: Lens, noise_px: float
) -> PointsCalibration:
    off = np.linalg.norm(_residual(x, rotation, seen, places, constants, lens).reshape(-1, 2), axis=1)
    suspect = off > _SUSPECT * max(noise_px, float(np.median(off)))
    good = off[~suspect]
    # `jac` of least_squares has the loss's weights in it already.
    normal = jac.T @ jac
    scale = np.sqrt(np.diagonal(normal))
    if not (scale > 0).all() or np.linalg.eigvalsh(normal / np.outer(scale, scale))[0] < _UNFIXED:
        raise DataError(
            "the points do not fix the camera",
            key="points_m",
            expected="points at different depths and heights" if not lens.known else "points that are spread out",
        )
    freedom = max(2 * len(good) - len(x), 1)
    variance = max(float(np.square(good).sum()) / freedom, noise_px**2)
    covariance = np.linalg.inv(normal) * variance
    turned = rotation @ rodrigues(x[3:6]).T
    focal = float(np.exp(lens.start()[0] if lens.known else x[6]))
    pose = np.zeros(8)
    pose[0] = np.log(focal)
    intrinsics = lens.camera(np.concatenate([pose[:1], lens.start()[1:], np.zeros(6)]))
    camera_t_world = np.eye(4)
    camera_t_world[:3, :3], camera_t_world[:3, 3] = turned, -turned @ x[:3]
    return PointsCalibration(
        camera=dataclasses.replace(intrinsics, camera_T_world=camera_t_world),
        rms_px=float(np.sqrt(np.square(good).mean())),
        residual_px=off,
        suspect=suspect,
        position_covariance_m2=np.asarray(covariance[:3, :3], np.float64),
        rotation_covariance_rad2=np.asarray(covariance[3:6, 3:6], np.float64),
        focal_sd_px=0.0 if lens.known else focal * float(np.sqrt(covariance[6, 6])),
    )
