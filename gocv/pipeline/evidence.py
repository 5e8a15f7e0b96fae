"""What a line of a receipt rests on: when and where the scales changed, and which cameras look there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gocv.core import WeightEvent
from gocv.data.recording import Recording
from gocv.shelf import episodes


def evidence(recording: Recording, events: Sequence[WeightEvent]) -> dict[str, dict[str, Any]]:
    """What there is to look at, by the ids of episodes that receipts name.

    Returns:
        `start_s` and `end_s` on the recording's clock, `shelf`, `plates`, grams gained (`total_g`), and the `cameras`
        in whose pictures the middle of one of the plates is; None where none of the cameras is calibrated.
    """
    calibrated = [camera for camera in recording.cameras if camera.calibration is not None]
    found: dict[str, dict[str, Any]] = {}
    for episode in episodes(events):
        whole = episode.between(0, len(episode.events))
        main = np.abs(whole.delta_g) >= 0.2 * np.abs(whole.delta_g).max()
        plates = [plate for plate, is_main in zip(whole.plates, main, strict=True) if is_main]
        centres_m = np.array([recording.store.plates[p].centre_m for p in plates if p in recording.store.plates])
        cameras = [c.name for c in calibrated if len(centres_m) and _sees(c.calibration, centres_m)]
        found[episode.id] = {
            "start_s": round(episode.start_s, 3),
            "end_s": round(episode.end_s, 3),
            "shelf": str(whole.shelf),
            "plates": [str(p) for p in plates],
            "total_g": round(whole.total_g, 1),
            "cameras": cameras if calibrated else None,
        }
    return found


def _sees(camera: Any, points_m: np.ndarray) -> bool:
    pixels, depth_m = camera.project(points_m[np.isfinite(points_m).all(axis=1)])
    within = (pixels >= 0).all(axis=1) & (pixels < (camera.width_px, camera.height_px)).all(axis=1)
    return bool((within & (depth_m > 0)).any())
