"""Fit the noise of the simulated shoppers' joints to the joints of a real recording: AiFi NanoStore, BENCHMARK-1.

One shopper for 18 s: rate, noise, scores and drop-outs can be measured, identities cannot. Every row says which data
gave it; what the data could not say has a key that begins with `assumed_`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import JOINTS, FloorTracks
from gocv.data.nanostore import convert_nanostore
from gocv.data.recording import Recording

Array = NDArray[np.float64]

NAME = "BENCHMARK-1"
BONES = (
    ("head", "neck"),
    ("neck", "l_shoulder"),
    ("neck", "r_shoulder"),
    ("l_shoulder", "l_elbow"),
    ("r_shoulder", "r_elbow"),
    ("l_elbow", "l_wrist"),
    ("r_elbow", "r_wrist"),
)
LAGS_S = (0.1, 0.2, 0.5, 1.0, 2.0)
HALF_WIDTH, DEGREE = 4, 2


def load(root: Path) -> FloorTracks:
    with tempfile.TemporaryDirectory() as folder:
        convert_nanostore(root / "nanostore" / NAME, Path(folder) / NAME)
        return Recording.open(Path(folder) / NAME).floor_tracks()


def rate_row(tracks: FloorTracks) -> dict[str, Any]:
    gap = np.diff(tracks.time_s)
    return {
        "method": "rate",
        "data": f"{NAME}: converted joints",
        "samples": len(tracks),
        "seconds": _r(np.ptp(tracks.time_s)),
        "rate_hz": _r((len(tracks) - 1) / np.ptp(tracks.time_s)),
        "gap_s_percentiles_5_25_50_75_95_100": [_r(v) for v in np.percentile(gap, [5, 25, 50, 75, 95, 100])],
        "gaps_under_0_02_s": _r((gap < 0.02).mean()),
        "gaps_over_0_15_s": _r((gap > 0.15).mean()),
        "lag_1_correlation_of_gaps": _r(np.corrcoef(gap[1:], gap[:-1])[0, 1]),
        "note": "two interleaved streams of about 10 and 5 Hz; a row's time is that of its newest camera frame",
    }


def residual(time_s: Array, value: Array) -> Array:
    """(n,) distance of each value from a parabola through it and its neighbours, scaled up for what the fit takes."""
    out = np.full(len(value), np.nan)
    for i in range(HALF_WIDTH, len(value) - HALF_WIDTH):
        rows = slice(i - HALF_WIDTH, i + HALF_WIDTH + 1)
        if not np.isfinite(value[rows]).all():
            continue
        powers = np.vander(time_s[rows] - time_s[i], DEGREE + 1)
        hat = powers @ np.linalg.pinv(powers)
        own = 1 - hat[HALF_WIDTH, HALF_WIDTH]
        out[i] = (value[i] - hat[HALF_WIDTH] @ value[rows]) / np.sqrt(own)
    return out


def joint_rows(tracks: FloorTracks) -> list[dict[str, Any]]:
    rows = []
    lost = np.isnan(tracks.joints_m).any(axis=2)
    for j, joint in enumerate(JOINTS):
        residuals = np.stack([residual(tracks.time_s, tracks.joints_m[:, j, axis]) for axis in range(3)])
        correlation = [np.nansum(r[1:] * r[:-1]) / np.nansum(r**2) for r in residuals]
        score = tracks.joint_score[~lost[:, j], j]
        rows.append(
            {
                "method": "joint",
                "data": f"{NAME}: {joint}",
                "samples": int((~lost[:, j]).sum()),
                "fast_noise_sd_m_xyz": [round(float(np.nanstd(r)), 5) for r in residuals],
                "fast_noise_robust_sd_m": round(float(1.4826 * np.nanmedian(np.abs(residuals))), 5),
                "lag_1_correlation_of_residuals": _r(np.mean(correlation)),
                "beyond_4_robust_sd": _r(np.nanmean(np.abs(residuals) > 4 * 1.4826 * np.nanmedian(np.abs(residuals)))),
                "score_percentiles_1_5_25_50_75_95": [_r(v) for v in np.percentile(score, [1, 5, 25, 50, 75, 95])],
                "score_under_0_8": _r((score < 0.8).mean()),
                "lost": _r(lost[:, j].mean()),
                "lost_rows": [int(row) for row in np.flatnonzero(lost[:, j])],
            }
        )
    return rows


def bone_row(tracks: FloorTracks, start: str, end: str) -> dict[str, Any]:
    """A bone does not change its length: how much it seems to, and for how long, is slow noise of its two ends."""
    ends = [tracks.joints_m[:, JOINTS.index(joint)] for joint in (start, end)]
    length = np.linalg.norm(ends[1] - ends[0], axis=1)
    error = length - np.nanmean(length)
    time = tracks.time_s
    carried = {}
    for lag in LAGS_S:
        later = np.searchsorted(time, time + lag)
        rows = np.flatnonzero(later < len(time))
        carried[f"correlation_after_{lag:g}_s"] = _r(np.nanmean(error[rows] * error[later[rows]]) / np.nanvar(error))
    robust = 1.4826 * np.nanmedian(np.abs(length - np.nanmedian(length)))
    return {
        "method": "bone",
        "data": f"{NAME}: {start} to {end}",
        "samples": int(np.isfinite(length).sum()),
        "length_m": _r(np.nanmean(length)),
        "length_sd_m": round(float(np.nanstd(length)), 5),
        "length_robust_sd_m": round(float(robust), 5),
        **carried,
    }


def dropout_row(tracks: FloorTracks) -> dict[str, Any]:
    lost = np.isnan(tracks.joints_m).any(axis=2)
    runs = []
    for joint in lost.T:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], joint.astype(int), [0]])))
        runs += [int(b - a) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    before_end = tracks.time_s < tracks.time_s[-1] - 1.0
    return {
        "method": "drop-outs",
        "data": f"{NAME}: converted joints",
        "samples": int(lost.size),
        "lost": _r(lost.mean()),
        "run_lengths_rows": sorted(runs),
        "rows_with_several_joints_lost": int((lost.sum(axis=1) > 1).sum()),
        "rows_with_a_joint_lost": int(lost.any(axis=1).sum()),
        "lost_before_the_last_second": _r(lost[before_end].mean()),
        "note": "all losses are in the last second, as the shopper leaves: rates and runs are not measured",
    }


def identity_row(root: Path) -> dict[str, Any]:
    names: Counter[str] = Counter()
    states: Counter[str] = Counter()
    boxes: Counter[int] = Counter()
    cameras: Counter[int] = Counter()
    messages = empty = 0
    with (root / "nanostore" / NAME / "full_targets.json").open(encoding="utf-8") as lines:
        for line in lines:
            targets = json.loads(line)["document"]["targets"].get("targets", [])
            messages += 1
            empty += not targets
            for target in targets:
                names[target["target_id"]["id"]] += 1
                states[target.get("target_state", "")] += 1
                boxes[len(target.get("detection_metadata", []))] += 1
                cameras.update(d["frame_source"]["camera_id"]["id"] for d in target.get("detection_metadata", []))
    return {
        "method": "identities",
        "data": f"{NAME}: full_targets.json as published",
        "messages": messages,
        "messages_without_a_target": empty,
        "target_ids": len(names),
        "rows_by_state": dict(states),
        "boxes_by_row": {str(k): v for k, v in sorted(boxes.items())},
        "cameras": len(cameras),
        "identity_changes": len(names) - 1,
        "note": "one shopper, one id: how often identities break or swap cannot be told from this",
    }


def fitted_row(joints: list[dict[str, Any]], bones: list[dict[str, Any]]) -> dict[str, Any]:
    """The parameters of `JointNoise`."""
    by_joint = {row["data"].split(": ")[1]: row for row in joints}
    fast = [round(float(np.sqrt(np.mean(np.square(by_joint[j]["fast_noise_sd_m_xyz"])))), 4) for j in JOINTS]
    arms = bones[3:]
    lengths = {row["data"].split(": ")[1]: row["length_sd_m"] for row in bones}
    trunk = lengths["neck to l_shoulder"] / np.sqrt(2), lengths["neck to r_shoulder"] / np.sqrt(2)
    shoulder = float(np.mean(trunk))
    elbow = float(np.sqrt(max(np.mean([lengths[f"{s}_shoulder to {s}_elbow"] ** 2 for s in "lr"]) - shoulder**2, 0)))
    wrist = float(np.sqrt(max(np.mean([lengths[f"{s}_elbow to {s}_wrist"] ** 2 for s in "lr"]) - elbow**2, 0)))
    after = {lag: float(np.mean([row[f"correlation_after_{lag:g}_s"] for row in arms])) for lag in LAGS_S}
    slow_s = -0.3 / np.log(after[0.5] / after[0.2])
    sd = [shoulder, shoulder, shoulder, shoulder, elbow, elbow, wrist, wrist]
    scores = [row["score_percentiles_1_5_25_50_75_95"] for row in joints]
    return {
        "method": "fitted",
        "data": f"{NAME}: {joints[0]['samples']} rows of one shopper",
        "fast_m": fast,
        "slow_m": [round(s, 4) for s in sd],
        "slow_s": _r(slow_s),
        "score_median": [_r(s[3]) for s in scores],
        "score_p05": [_r(s[1]) for s in scores],
        "lost": _r(np.mean([row["lost"] for row in joints])),
        "note": "fast: off a parabola through 9 rows; slow: off a bone's mean length, half of it at each end",
        "assumed_lost_per_s": [0.04, 0.04, 0.06, 0.06, 0.1, 0.1, 0.15, 0.15],
        "assumed_lost_s": 0.3,
        "assumed_away_per_h": 6.0,
        "assumed_away_s": 1.5,
        "assumed_breaks_per_h": 1.0,
        "assumed_swap": 0.02,
        "assumed_swap_within_m": 0.5,
        "assumed_note": "18 s with one shopper who is lost for a moment at the exit say nothing of occlusion by "
        "others, of lost shoppers, of identities that break or swap, and nothing of a bias that all joints share",
    }


def _r(value: Any) -> float:
    return float(f"{float(value):.3g}")


def fit(root: Path) -> list[dict[str, Any]]:
    tracks = load(root)
    joints = joint_rows(tracks)
    bones = [bone_row(tracks, *bone) for bone in BONES]
    others = [rate_row(tracks), dropout_row(tracks), identity_row(root)]
    return [*others, *joints, *bones, fitted_row(joints, bones)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("../shared/data"), help="where the real data lie")
    parser.add_argument("--json", type=Path, default=Path("experiments/results/joint_noise.json"))
    arguments = parser.parse_args()
    rows = fit(arguments.root)
    BenchmarkResult("joint_noise", rows, environment(), command_line()).write(arguments.json)
    print(json.dumps(rows[-1], indent=1))


if __name__ == "__main__":
    main()
