"""The simplest honest merge of single-camera tracks.

Where cameras are calibrated, tracks are joined by where their feet are on the floor. Where none is, the tracks of
all cameras can only be one shopper, and are, as long as no camera ever sees two people at once; otherwise there is
no shopper to name, and the report says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gocv.core import FloorTracks
from gocv.data.config import Model
from gocv.geometry import PinholeCamera, area, ioa

_SAME_PERSON_IOA = 0.5
"""Of two boxes in one frame, one that lies in the other by this share is the same person, detected twice."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class CameraTracks:
    """All confirmed tracks of one camera.

    Attributes:
        camera: Its name.
        calibration: Where it is and how it sees, or None.
        time_s: (n,) float64, seconds on the recording's clock, ascending.
        track_id: (n,) int64.
        xyxy: (n, 4) float32, pixels.
    """

    camera: str
    calibration: PinholeCamera | None
    time_s: NDArray[np.float64]
    track_id: NDArray[np.int64]
    xyxy: NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """Shoppers, where they were, and what to know about the merge."""

    shoppers: FloorTracks
    report: tuple[Mapping[str, str], ...]


_NOBODY = FloorTracks.empty(shoppers=())


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Tracklet:
    """One track of one camera on the floor; rows in order of time."""

    camera: str
    time_s: NDArray[np.float64]
    xy_m: NDArray[np.float64]
    covariance_m2: NDArray[np.float64]


class MergeSettings(Model):
    """How tracks are joined.

    Attributes:
        join_m: Tracks seen at the same times belong to one shopper if their feet are this close, in the median.
        speed_m_s: Tracks seen one after the other may be this much further apart for each second between them.
        gap_s: Longest time between such tracks.
        foot_sd_px: Standard deviation of the middle of a box's lower edge, as the place of the feet.
        crowd_s: Uncalibrated: people seen at once for at least this long in all are two people.
    """

    join_m: float = Field(default=0.8, gt=0)
    speed_m_s: float = Field(default=1.5, ge=0)
    gap_s: float = Field(default=3.0, ge=0)
    foot_sd_px: float = Field(default=6.0, gt=0)
    crowd_s: float = Field(default=1.0, ge=0)


def merge_cameras(cameras: Sequence[CameraTracks], settings: MergeSettings | None = None) -> Merged:
    """Join the tracks of all cameras.

    Args:
        cameras: Tracks of each camera. If any that saw somebody is calibrated, the uncalibrated ones are left out.
        settings: How tracks are joined.

    Returns:
        Shoppers "shopper-1", "shopper-2" … in the order in which they were first seen.
    """
    settings = settings or MergeSettings()
    seeing = [c for c in cameras if len(c.time_s)]
    calibrated = [c for c in seeing if c.calibration is not None]
    if not seeing:
        return Merged(_NOBODY, ())
    if not calibrated:
        return _one_at_a_time(seeing, settings.crowd_s)
    left_out = [c.camera for c in seeing if c.calibration is None]
    report = [{"where": f"camera {c}", "problem": "not calibrated: its tracks are left out"} for c in left_out]
    tracklets = [t for c in calibrated for t in _tracklets(c, settings.foot_sd_px)]
    return Merged(_on_the_floor(tracklets, settings) if tracklets else _NOBODY, tuple(report))


def _one_at_a_time(cameras: Sequence[CameraTracks], crowd_s: float) -> Merged:
    names = ", ".join(c.camera for c in cameras)
    together = {c.camera: _time_together(c) for c in cameras}
    crowded = {name: seconds for name, seconds in together.items() if seconds >= crowd_s}
    if crowded:
        seen = ", ".join(f"camera {name} for {seconds:.1f} s" for name, seconds in crowded.items())
        problem = f"not calibrated, and two people were seen at once ({seen}): no shopper can be named"
        return Merged(_NOBODY, ({"where": f"cameras {names}", "problem": problem},))
    tracks = sum(len(np.unique(c.track_id)) for c in cameras)
    problem = f"not calibrated: {tracks} tracks are taken to be one shopper, as no two people were seen at once"
    time_s = np.sort(np.concatenate([c.time_s for c in cameras]))
    shoppers = FloorTracks.sightings(("shopper-1",), time_s, np.zeros(len(time_s), np.int64))
    return Merged(shoppers, ({"where": f"cameras {names}", "problem": problem},))


def _time_together(camera: CameraTracks) -> float:
    """Seconds in which two people were seen at once."""
    times, starts, counts = np.unique(camera.time_s, return_index=True, return_counts=True)
    crowds = zip(starts[counts > 1], counts[counts > 1], strict=True)
    crowded = sum(_are_several(camera.xyxy[start : start + count]) for start, count in crowds)
    return crowded * float(np.median(np.diff(times))) if len(times) > 1 else 0.0


def _are_several(xyxy: NDArray[np.float32]) -> bool:
    """Whether some box does not lie in the largest."""
    return bool(np.any(ioa(xyxy, xyxy[[np.argmax(area(xyxy))]]) < _SAME_PERSON_IOA))


def _tracklets(camera: CameraTracks, foot_sd_px: float) -> list[_Tracklet]:
    assert camera.calibration is not None
    feet_px = np.stack([(camera.xyxy[:, 0] + camera.xyxy[:, 2]) / 2, camera.xyxy[:, 3]], axis=1).astype(np.float64)
    xy_m = camera.calibration.pixels_to_floor(feet_px)
    covariance_m2 = camera.calibration.floor_covariance(feet_px, foot_sd_px)
    on_floor = np.flatnonzero(np.isfinite(xy_m).all(axis=1))
    by_track = on_floor[np.argsort(camera.track_id[on_floor], kind="stable")]
    starts = np.flatnonzero(np.diff(camera.track_id[by_track])) + 1
    return [
        _Tracklet(camera.camera, camera.time_s[rows], xy_m[rows], covariance_m2[rows])
        for rows in np.split(by_track, starts)
        if len(rows)
    ]


def _on_the_floor(tracklets: list[_Tracklet], settings: MergeSettings) -> FloorTracks:
    """Merge greedily, closest pair first; tracks seen at once that are too far apart never end up in one shopper."""
    tracklets = sorted(tracklets, key=lambda t: (t.time_s[0], t.camera))
    distances = dict(_distances(tracklets, settings))
    apart: list[set[int]] = [set() for _ in tracklets]
    for i, j in [pair for pair, distance in distances.items() if distance == np.inf]:
        apart[i].add(j)
        apart[j].add(i)
    groups = [{k} for k in range(len(tracklets))]
    for distance, i, j in sorted((distance, i, j) for (i, j), distance in distances.items()):
        if distance < 1 and groups[i] is not groups[j] and not any(apart[k] & groups[j] for k in groups[i]):
            groups[i] |= groups[j]
            for k in groups[j]:
                groups[k] = groups[i]
    order = {group: k for k, group in enumerate(dict.fromkeys(min(group) for group in groups))}
    shopper = np.concatenate([np.full(len(t.time_s), order[min(g)]) for t, g in zip(tracklets, groups, strict=True)])
    time_s = np.concatenate([t.time_s for t in tracklets])
    rows = np.argsort(time_s, kind="stable")
    return FloorTracks.sightings(
        tuple(f"shopper-{k + 1}" for k in range(len(order))),
        time_s[rows],
        shopper[rows],
        xy_m=np.concatenate([t.xy_m for t in tracklets])[rows],
        covariance_m2=np.concatenate([t.covariance_m2 for t in tracklets])[rows],
    )


def _distances(tracklets: list[_Tracklet], settings: MergeSettings) -> Iterator[tuple[tuple[int, int], float]]:
    """`_distance` of every two tracks with at most `gap_s` between them; `tracklets` are in order of their start."""
    going: list[int] = []
    for j, later in enumerate(tracklets):
        going = [i for i in going if later.time_s[0] - tracklets[i].time_s[-1] <= settings.gap_s]
        yield from (((i, j), _distance(tracklets[i], later, settings)) for i in going)
        going.append(j)


def _distance(a: _Tracklet, b: _Tracklet, settings: MergeSettings) -> float:
    """How far apart two tracks are, as a share of what may still be one shopper; infinite where they are two.

    Args:
        a: The track that starts first.
        b: The other.
        settings: How tracks are joined.
    """
    end_s = min(a.time_s[-1], b.time_s[-1])
    if b.time_s[0] > end_s:
        elapsed_s = float(b.time_s[0] - a.time_s[-1])
        apart_m = float(np.linalg.norm(b.xy_m[0] - a.xy_m[-1]))
        return apart_m / (settings.join_m + settings.speed_m_s * elapsed_s)
    if a.camera == b.camera:
        return np.inf
    times = b.time_s[b.time_s <= end_s]
    share = float(np.median(np.linalg.norm(_at(a, times) - _at(b, times), axis=1))) / settings.join_m
    return share if share < 1 else np.inf


def _at(tracklet: _Tracklet, times: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.interp(times, tracklet.time_s, tracklet.xy_m[:, k]) for k in (0, 1)], axis=1)
