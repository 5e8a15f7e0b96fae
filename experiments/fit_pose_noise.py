"""How a pose estimator's keypoints jitter on real shoppers, by its own scores: PoseLift's tracks of AlphaPose.

The third difference of a coordinate over four frames takes out where somebody is, how fast they move and how that
changes; of independent errors of standard deviation s it has √20 s. That is the noise that is new in each frame: an
error that stays for many frames does not show.

    python experiments/fit_pose_noise.py --root ../shared/data
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path

import numpy as np

from gocv.bench.result import BenchmarkResult, command_line, environment

BINS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
TORSO = ((5, 6), (11, 12))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--json", type=Path, default=Path("experiments/results/pose_noise.json"))
    arguments = parser.parse_args()
    jitter, least, scores, turned, apart = [], [], [], 0, 0
    for file in sorted((arguments.root / "poselift").glob("*.json")):
        for track in json.loads(file.read_text()).values():
            frames = sorted(map(int, track))
            if len(frames) < 20:
                continue
            rows = np.array([track[str(f)]["keypoints"] for f in frames], np.float64).reshape(-1, 17, 3)
            place, score = rows[..., :2], rows[..., 2]
            size = np.sqrt(np.nanmedian(np.prod(np.nanmax(place, axis=1) - np.nanmin(place, axis=1), axis=1)))
            following = np.diff(frames) == 1
            whole = following[:-2] & following[1:-1] & following[2:]
            third = place[3:] - 3 * place[2:-1] + 3 * place[1:-2] - place[:-3]
            jitter.append(third[whole] / size)
            least.append(np.stack([score[k : len(score) - 3 + k] for k in range(4)]).min(axis=0)[whole])
            scores.append(score)
            for pair in TORSO:
                before, after = place[:-1, list(pair)][following], place[1:, list(pair)][following]
                straight = np.linalg.norm(after - before, axis=2).sum(axis=1)
                crossed = np.linalg.norm(after[:, ::-1] - before, axis=2).sum(axis=1)
                wide = np.linalg.norm(before[:, 0] - before[:, 1], axis=1) > 0.15 * size
                turned += int(((crossed < 0.5 * straight) & wide).sum())
                apart += int(wide.sum())
    moved, sure, given = np.concatenate(jitter), np.concatenate(least), np.concatenate(scores)
    rows = []
    for low, high in itertools.pairwise(BINS):
        inside = (sure >= low) & (sure < high) & np.isfinite(moved).all(axis=2)
        if inside.sum() > 100:
            rms = float(np.sqrt(np.square(moved[inside]).mean() / 20))
            rows.append({"score": f"{low}-{high}", "share": float(inside.mean()), "jitter": rms})
    middle = np.array([sum(map(float, row["score"].split("-"))) / 2 for row in rows])
    slope, level = np.polyfit(np.log(middle), np.log([row["jitter"] for row in rows]), 1)
    quantiles = np.nanquantile(given, [0.1, 0.25, 0.5, 0.75, 0.9]).tolist()
    rows.append(
        {"score": "fit", "power": float(-slope), "jitter_at_1": float(np.exp(level)), "score_quantiles": quantiles}
    )
    rows.append({"score": "left and right", "turned_per_frame": turned / apart, "frames": apart})
    BenchmarkResult("pose_noise", rows, environment(), command_line()).write(arguments.json)
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
