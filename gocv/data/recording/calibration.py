"""A camera's calibration as it stands in YAML, and as a camera."""

from __future__ import annotations

from typing import Any

import numpy as np

from gocv.data.recording.schema import Calibration
from gocv.geometry import PinholeCamera, rotation_vector


def camera_of(calibration: Calibration) -> PinholeCamera:
    """The camera.

    Raises:
        DataError: A number will not do for a camera; the key is named.
    """
    (fx, fy), (cx, cy) = calibration.focal_px, calibration.centre_px
    return PinholeCamera.from_pose(
        width_px=calibration.width_px,
        height_px=calibration.height_px,
        matrix=np.array([[fx, calibration.skew_px, cx], [0, fy, cy], [0, 0, 1]]),
        distortion=calibration.distortion,
        position_m=calibration.position_m,
        rotation_vector=calibration.rotation_vector,
    )


def calibration_of(camera: PinholeCamera) -> dict[str, Any]:
    """The fields of `Calibration`, as YAML takes them."""
    return {
        "width_px": int(camera.width_px),
        "height_px": int(camera.height_px),
        "focal_px": [camera.matrix[0, 0].item(), camera.matrix[1, 1].item()],
        "centre_px": [camera.matrix[0, 2].item(), camera.matrix[1, 2].item()],
        "skew_px": camera.matrix[0, 1].item(),
        "distortion": camera.distortion.tolist(),
        "position_m": camera.position_m.tolist(),
        "rotation_vector": rotation_vector(camera.camera_T_world[:3, :3]).tolist(),
    }
