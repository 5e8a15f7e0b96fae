"""A camera's lens from pictures of a chessboard. The one module of gocv that uses OpenCV."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, MissingDependencyError
from gocv.geometry import rodrigues
from gocv.multicamera.calibration.poses import Lens

Array = NDArray[np.float64]

FEWEST_PICTURES = 5
"""Of boards found: fewer do not show the lens from enough sides."""
_OUTLIER, _OUTLIER_PX = 2.5, 0.3
_LOOSE = 0.02
_COVERED = 0.4
_TURNED_RAD = np.radians(15.0)


@dataclasses.dataclass(frozen=True, slots=True)
class BoardPicture:
    """What came of one picture.

    Attributes:
        name: Of the picture.
        rms_px: Root mean square reprojection error of its corners; NaN where no board was found.
        problem: Why it was left out; "" where it was used.
    """

    name: str
    rms_px: float
    problem: str


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class BoardCalibration:
    """A lens found from a board.

    Attributes:
        lens: Image size, camera matrix and distortion (k3 is 0).
        rms_px: Root mean square reprojection error over the pictures used.
        focal_sd_px: Standard deviation of fx and fy.
        covered: Share of the image that corners were seen in, of a grid of 8 by 8 cells.
        pictures: In the order given.
        notes: What to mind.
    """

    lens: Lens
    rms_px: float
    focal_sd_px: tuple[float, float]
    covered: float
    pictures: tuple[BoardPicture, ...]
    notes: tuple[str, ...]


def calibrate_board(
    pictures: Mapping[str, NDArray[np.uint8]], inner_corners: tuple[int, int], square_m: float
) -> BoardCalibration:
    """Find focal lengths, principal point and distortion from pictures of a chessboard.

    OpenCV finds the corners (`findChessboardCornersSB`: Duda and Frese, "Accurate detection and localization of
    checkerboard corners for calibration", BMVC 2018) and fits the lens (`calibrateCamera`: Zhang, "A flexible new
    technique for camera calibration", TPAMI 2000). Pictures whose error is far above the median are left out, the worst
    first, and the rest is fitted again.

    Args:
        pictures: By name: (h, w, 3) uint8 RGB or (h, w) uint8, all of one size, taken by one camera with one focus.
        inner_corners: How many inner corners the board has along and across: one less than squares.
        square_m: Side of a square.

    Raises:
        MissingDependencyError: OpenCV is not installed.
        DataError: Pictures differ in size, the board is found in too few of them, or they do not fix the focal length:
            all show the board from one side.
    """
    cv2 = _opencv()
    if min(inner_corners) < 3 or square_m <= 0:
        raise DataError(f"{inner_corners} corners, {square_m} m", key="inner_corners", expected="3 by 3 or more, > 0 m")
    sizes = {picture.shape[:2] for picture in pictures.values()}
    if len(sizes) > 1:
        raise DataError(f"pictures of sizes {sorted(sizes)}", key="pictures", expected="one camera, so one size")
    found = {name: _corners(cv2, picture, inner_corners) for name, picture in pictures.items()}
    used = [name for name, corners in found.items() if corners is not None]
    _enough(used, pictures)
    height, width = sizes.pop()
    board = np.zeros((inner_corners[0] * inner_corners[1], 3), np.float32)
    board[:, :2] = square_m * np.stack(np.meshgrid(*map(np.arange, inner_corners)), axis=-1).reshape(-1, 2)
    dropped: dict[str, float] = {}
    while True:
        matrix, distortion, sd, normals, errors = _fit(cv2, board, [found[name] for name in used], (width, height))
        limit = max(_OUTLIER_PX, _OUTLIER * float(np.median(errors)))
        worst = int(errors.argmax())
        if errors[worst] <= limit:
            break
        dropped[used[worst]] = float(errors[worst])
        used.pop(worst)
        _enough(used, pictures)
    focal = matrix[0, 0], matrix[1, 1]
    if not max(sd[0] / focal[0], sd[1] / focal[1]) < _LOOSE or _between(normals) < _TURNED_RAD:
        raise DataError(
            f"the pictures do not fix the focal length: {focal[0]:.0f} ± {sd[0]:.0f} px",
            key="pictures",
            expected="the board tilted by 30° and more, to all sides, near and far",
        )
    covered = _coverage(np.concatenate([found[name] for name in used]), width, height)
    notes = (
        [] if covered >= _COVERED else [f"corners cover {covered:.0%} of the image: distortion is a guess elsewhere"]
    )
    rms = dict(zip(used, errors.tolist(), strict=True))
    return BoardCalibration(
        lens=Lens(width, height, matrix, distortion),
        rms_px=float(np.sqrt(np.square(errors).mean())),
        focal_sd_px=(float(sd[0]), float(sd[1])),
        covered=covered,
        pictures=tuple(_told(name, rms, dropped, limit) for name in pictures),
        notes=tuple(notes),
    )


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise MissingDependencyError("OpenCV is not installed: pip install gocv[calibrate]") from error
    return cv2


def _corners(cv2: Any, picture: NDArray[np.uint8], inner_corners: tuple[int, int]) -> Any:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
    # Not "normalised": with "accuracy" it hands back corners that are not those of the board (OpenCV 5.0).
    found, corners = cv2.findChessboardCornersSB(np.ascontiguousarray(grey), inner_corners, flags=cv2.CALIB_CB_ACCURACY)
    return np.asarray(corners, np.float32).reshape(-1, 1, 2) if found else None


def _fit(
    cv2: Any, board: NDArray[np.float32], corners: list[Any], size: tuple[int, int]
) -> tuple[Array, Array, Array, Array, Array]:
    """Camera matrix, distortion, standard deviations of the intrinsics, board normals and error of each picture."""
    _, matrix, distortion, turns, _, sd, _, errors = cv2.calibrateCameraExtended(
        [board] * len(corners), corners, size, None, None, flags=cv2.CALIB_FIX_K3
    )
    found = np.asarray(distortion, np.float64).ravel()[:5]
    normals = rodrigues(np.asarray(turns, np.float64).reshape(-1, 3))[:, :, 2]
    return (
        np.asarray(matrix, np.float64),
        found,
        np.asarray(sd, np.float64).ravel(),
        normals,
        np.asarray(errors).ravel(),
    )


def _between(normals: Array) -> float:
    """The largest angle between two boards, radians."""
    return float(np.arccos(np.clip(normals @ normals.T, -1.0, 1.0)).max())


def _enough(used: list[str], pictures: Mapping[str, Any]) -> None:
    if len(used) < FEWEST_PICTURES:
        raise DataError(
            f"the board can be used in {len(used)} of {len(pictures)} pictures",
            key="pictures",
            expected=f"at least {FEWEST_PICTURES} that show the whole board sharply, from different sides",
        )


def _coverage(corners: Array, width: int, height: int) -> float:
    cells = np.floor(corners.reshape(-1, 2) / [width / 8, height / 8]).astype(np.int64).clip(0, 7)
    return len(np.unique(cells, axis=0)) / 64


def _told(name: str, rms: Mapping[str, float], dropped: Mapping[str, float], limit: float) -> BoardPicture:
    if name in rms:
        return BoardPicture(name, rms[name], "")
    if name in dropped:
        return BoardPicture(
            name, dropped[name], f"its corners are {dropped[name]:.2f} px off; others at most {limit:.2f}"
        )
    return BoardPicture(name, float("nan"), "the board was not found")
