"""Fit the simulated scales' noise to the real ones': AiFi NanoStore (two recordings) and HX711 logs.

Writes a row per gondola and recording with what was measured, then what the model of `gocv.sim.scales` takes from it.
Every row says which data gave it and how much of it there was; what no data could say has a key that begins with
`assumed_`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import welch
from scipy.stats import kurtosis

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import ScaleSamples, ShelfId
from gocv.data.nanostore import convert_nanostore
from gocv.data.recording import Recording

Array = NDArray[np.float64]

RATE_HZ = 60
CHANGES = {
    ("BENCHMARK-1", ShelfId(1, 5)): 14.85,  # read off the signal: this recording's labels have no time
    ("cps-test-01", ShelfId(1, 5)): 16.4,
    ("cps-test-01", ShelfId(2, 5)): 10.0,
}
HANDLED_S = 2.5
"""A shelf's seconds nearer than this to a change on it are not idle."""
LAGS_S = (1, 2, 5, 10, 15, 20)


class Shelf(NamedTuple):
    """The idle samples of one shelf: the longest stretch without a change.

    Attributes:
        recording: Its name.
        id: Which shelf.
        time_s: (n,) of the samples.
        weight_g: (n, P) of the plates that are there: a series that never moves is none.
    """

    recording: str
    id: ShelfId
    time_s: Array
    weight_g: Array


def load(root: Path, name: str) -> tuple[list[Shelf], dict[int, ScaleSamples]]:
    with tempfile.TemporaryDirectory() as folder:
        convert_nanostore(root / "nanostore" / name, Path(folder) / name)
        recording = Recording.open(Path(folder) / name)
        groups = [ScaleSamples.concatenate(list(recording.scale_chunks(group))) for group in recording.scales]
    shelves = []
    for samples in groups:
        live = np.median(blocks_sd(np.asarray(samples.weight_g, np.float64)), axis=0) > 0.05
        for shelf in sorted({plate.shelf_id for plate in samples.plates}):
            columns = [i for i, plate in enumerate(samples.plates) if plate.shelf_id == shelf and live[i]]
            rows = _idle(samples.time_s, CHANGES.get((name, shelf)))
            shelves.append(Shelf(name, shelf, samples.time_s[rows], samples.weight_g[rows][:, columns].astype(float)))
    return shelves, {samples.plates[0].gondola: samples for samples in groups}


def _idle(time_s: Array, change_s: float | None) -> slice:
    if change_s is None:
        return slice(0, len(time_s))
    before, after = np.searchsorted(time_s, [change_s - HANDLED_S, change_s + HANDLED_S])
    return slice(0, int(before)) if before > len(time_s) - after else slice(int(after), len(time_s))


def blocks_sd(weight: Array, samples: int = RATE_HZ) -> Array:
    """(blocks, ...) standard deviation within each block."""
    whole = weight[: len(weight) // samples * samples]
    return np.asarray(whole.reshape(-1, samples, *weight.shape[1:]).std(axis=1))


def still(weight: Array) -> Array:
    """What is left after a centred mean of one second."""
    kernel = np.ones(RATE_HZ + 1) / (RATE_HZ + 1)
    padded = np.pad(weight, ((RATE_HZ // 2, RATE_HZ // 2), (0, 0)), mode="edge")
    return np.asarray(weight - np.stack([np.convolve(c, kernel, mode="valid") for c in padded.T], axis=1))


def v_s(weight: Array) -> Array:
    """FAIM's statistic: moving variance over 60 samples of the moving mean over 60 of the shelf's sum, g²."""
    mean = np.convolve(weight.sum(axis=1), np.ones(60) / 60, mode="valid")
    return np.lib.stride_tricks.sliding_window_view(mean, 60).var(axis=1)


def describe_shelf(shelf: Shelf) -> dict[str, Any]:
    weight, rest = shelf.weight_g, still(shelf.weight_g)
    plate_sd = np.median(blocks_sd(weight), axis=0)
    correlation = np.corrcoef(rest.T)[~np.eye(rest.shape[1], dtype=bool)]
    frequency, power = welch(rest, fs=RATE_HZ, nperseg=240, axis=0)
    power = (power / power.sum(axis=0)).mean(axis=1)
    of_sum = welch(rest.sum(axis=1), fs=RATE_HZ, nperseg=240)[1]
    peak = int(np.argmax(np.where(frequency > 3, of_sum, 0)))
    high = of_sum > of_sum[peak] / 2
    means = weight[: len(weight) // RATE_HZ * RATE_HZ].reshape(-1, RATE_HZ, weight.shape[1]).mean(axis=1)
    return {
        "plate_sd": plate_sd,
        "log_median": float(np.median(np.log(plate_sd))),
        "sum_sd": float(np.median(blocks_sd(weight.sum(axis=1)))),
        "independent_sd": float(np.sqrt((plate_sd**2).sum())),
        "correlation": float(correlation.mean()),
        "white": float(power[(frequency >= 1.5) & (frequency <= 5)].mean() * len(power) / power.sum()),
        "peak_hz": float(frequency[peak]),
        "bandwidth_hz": _width(high, peak) * float(frequency[1]),
        "near_peak": float(of_sum[np.abs(frequency - frequency[peak]) <= 1].sum() / of_sum.sum()),
        "v_s": v_s(weight),
        "kurtosis": float(np.median(kurtosis(rest, axis=0))),
        "wander": {n: np.sqrt(((means[n:] - means[:-n]) ** 2).mean(axis=0)) for n in LAGS_S if n < len(means) - 3},
        "lag_1": float(np.median([np.corrcoef(c[1:], c[:-1])[0, 1] for c in rest.T])),
    }


def _width(high: NDArray[np.bool_], peak: int) -> int:
    low, top = peak, peak
    while low > 0 and high[low - 1]:
        low -= 1
    while top + 1 < len(high) and high[top + 1]:
        top += 1
    return top - low + 1


def gondola_row(name: str, gondola: int, shelves: list[Shelf]) -> dict[str, Any]:
    found = [describe_shelf(shelf) for shelf in shelves]
    sd = np.concatenate([f["plate_sd"] for f in found])
    medians = np.array([f["log_median"] for f in found])
    within = np.concatenate([np.log(f["plate_sd"]) - np.log(f["plate_sd"]).mean() for f in found])
    stirred = np.array([np.median(f["v_s"]) for f in found])
    lags = [n for n in LAGS_S if all(n in f["wander"] for f in found)]
    wander = {n: np.median(np.concatenate([f["wander"][n] for f in found])) for n in lags}
    return {
        "method": "measured",
        "data": f"{name} gondola {gondola}",
        "plates": len(sd),
        "shelves": len(shelves),
        "seconds": _r(max(np.ptp(s.time_s) for s in shelves)),
        "samples": int(sum(s.weight_g.size for s in shelves)),
        "plate_sd_g_median": _r(np.median(sd)),
        "plate_sd_g_p90": _r(np.percentile(sd, 90)),
        "plate_sd_g_max": _r(sd.max()),
        "log_normal_median_g": _r(np.exp(np.log(sd).mean())),
        "log_normal_sigma": _r(np.log(sd).std()),
        "shelf_log_sd": _r(medians.std(ddof=1)),
        "plate_log_sd_within_shelf": _r(within.std()),
        "shelf_median_g": [_r(np.exp(m)) for m in medians],
        "shelf_sum_sd_g": [_r(f["sum_sd"]) for f in found],
        "sum_over_independent": _r(np.median([f["sum_sd"] / f["independent_sd"] for f in found])),
        "correlation_of_plates": [_r(f["correlation"]) for f in found],
        "white_share_by_power_at_1.5_to_5_hz": _r(np.median([f["white"] for f in found])),
        "vibration_peak_hz": [_r(f["peak_hz"]) for f in found],
        "vibration_bandwidth_hz": _r(np.median([f["bandwidth_hz"] for f in found])),
        "sum_power_within_1_hz_of_peak": _r(np.median([f["near_peak"] for f in found])),
        "v_s_g2_median_by_shelf": [_r(v) for v in stirred],
        "v_s_g2_p99_by_shelf": [_r(np.percentile(f["v_s"], 99)) for f in found],
        "excess_kurtosis_of_plate": _r(np.median([f["kurtosis"] for f in found])),
        **{f"wander_of_1_s_mean_over_{n}_s_g": _r(v) for n, v in wander.items()},
        "wander_of_1_s_mean_if_white_g": _r(np.median(sd) * np.sqrt(2 / RATE_HZ)),
    }


def activity(shelves: list[Shelf]) -> tuple[Array, Array]:
    """(m,) times and the store's agitation: half-second SD of the shaken plates against their quiet, the median."""
    whole = [s for s in shelves if (s.recording, s.id) not in CHANGES]
    edges = np.arange(max(s.time_s[0] for s in whole) + 0.1, min(s.time_s[-1] for s in whole) - 0.5, 0.5)
    levels = []
    for shelf in whole:
        rest = still(shelf.weight_g)
        starts = np.searchsorted(shelf.time_s, edges)
        sd = np.array([rest[i : i + 30].std(axis=0) for i in starts])
        quiet = np.percentile(sd, 15, axis=0)
        levels.append(sd / np.maximum(quiet, 0.3))
    return edges, np.median(np.concatenate(levels, axis=1), axis=1)


def bursts_row(name: str, shelves: list[Shelf]) -> dict[str, Any]:
    time, level = activity(shelves)
    rising = (level[1:-1] >= level[:-2]) & (level[1:-1] > level[2:]) & (level[1:-1] > 1.6)
    peaks = np.flatnonzero(rising) + 1
    falls = [
        -0.5 / np.log((level[p + 1] - 1) / (level[p] - 1))
        for p in peaks
        if level[p] > 2 and 1.05 < level[p + 1] < level[p]
    ]
    return {
        "method": "bursts",
        "data": f"{name}, all gondolas together: their plates shake at the same moments",
        "seconds": _r(time[-1] - time[0]),
        "samples": int(sum(s.weight_g.size for s in shelves)),
        "bursts": len(peaks),
        "bursts_per_min": _r(60 * len(peaks) / (time[-1] - time[0])),
        "level_over_quiet_median": _r(np.median(level)),
        "level_over_quiet_mean": _r(level.mean()),
        "level_over_quiet_rms": _r(np.sqrt((level**2).mean())),
        "level_over_quiet_max": _r(level.max()),
        "burst_gain_mean": _r((level[peaks] - 1).mean()),
        "burst_decay_s": _r(np.median(falls)),
        "correlation_of_gondolas": _r(_together(shelves)),
    }


def _together(shelves: list[Shelf]) -> float:
    levels = [np.log(activity([s for s in shelves if s.id.gondola == g])[1]) for g in {s.id.gondola for s in shelves}]
    length = min(map(len, levels))
    matrix = np.corrcoef([level[:length] for level in levels])
    return float(matrix[~np.eye(len(matrix), dtype=bool)].mean())


def stamps_row(name: str, groups: Mapping[int, ScaleSamples]) -> dict[str, Any]:
    residuals, rates, gaps = [], [], []
    for samples in groups.values():
        gap = np.diff(samples.time_s) * RATE_HZ
        gaps.append(gap)
        sent = samples.time_s[::12]
        line = np.polyfit(np.arange(len(sent)), sent, 1)
        residuals.append(sent - np.polyval(line, np.arange(len(sent))))
        rates.append(12 / line[0])
    late = np.concatenate(residuals)
    uncertain = late.std() * np.sqrt(12) / len(residuals[0]) ** 1.5 / 0.2 * 1e6
    return {
        "method": "time stamps",
        "data": name,
        "messages": len(late),
        "samples_per_message": 12,
        "odd_gaps_only_between_messages": _r(np.mean([np.mean(np.abs(np.delete(g, slice(11, None, 12)) - 1) < 0.02)
                                                      for g in gaps])),
        "message_jitter_sd_s": round(float(late.std()), 5),
        "message_jitter_p01_s": round(float(np.percentile(late, 1)), 5),
        "message_jitter_p99_s": round(float(np.percentile(late, 99)), 5),
        "message_jitter_max_s": round(float(late.max()), 5),
        "rate_hz": [round(r, 4) for r in rates],
        "drift_ppm": [_r((r / RATE_HZ - 1) * 1e6) for r in rates],
        "drift_uncertainty_ppm_1sd": _r(uncertain),
    }  # fmt: skip


def step_row(name: str, groups: Mapping[int, ScaleSamples]) -> dict[str, Any]:
    weights = np.concatenate([np.abs(np.diff(s.weight_g.astype(float), axis=0)).ravel() for s in groups.values()])
    moved = weights[weights > 0.05]
    step = float(np.median(moved[moved < 0.36]))
    return {
        "method": "quantisation",
        "data": name,
        "samples": len(weights),
        "step_g": round(step, 4),
        "differences_that_are_multiples": _r(np.mean(np.abs(moved / step - np.round(moved / step)) < 0.05)),
    }


def change_row(name: str, groups: Mapping[int, ScaleSamples], shelf: ShelfId, change_s: float) -> dict[str, Any]:
    samples = groups[shelf.gondola]
    columns = [i for i, plate in enumerate(samples.plates) if plate.shelf_id == shelf]
    time, weight = samples.time_s, samples.weight_g[:, columns].astype(float)
    before, after = ((time > change_s + a) & (time < change_s + b) for a, b in ((-6.5, -1.5), (2.0, 6.0)))
    delta = weight[after].mean(axis=0) - weight[before].mean(axis=0)
    seconds = [weight[mask][: mask.sum() // 60 * 60].reshape(-1, 60, len(columns)).mean(axis=1)
               for mask in (before, after)]  # fmt: skip
    error = np.sqrt(sum(m.var(axis=0, ddof=1) / len(m) for m in seconds))
    main = np.flatnonzero(np.abs(delta) > 0.1 * np.abs(delta).max())
    total = delta[main].sum()
    near = (time > change_s - 2) & (time < change_s + 2)
    course = (weight[near][:, main].sum(axis=1) - weight[before][:, main].sum(axis=1).mean()) / total
    done = int(np.argmax(course > 0.95))
    begun = int(np.flatnonzero(course[:done] < 0.05)[-1])
    beside = {f"spill_at_distance_{d}": [_r(delta[p] / total) for p in (main[0] - d, main[-1] + d)
                                         if 0 <= p < len(delta)] for d in (1, 2, 3)}  # fmt: skip
    return {
        "method": "change",
        "data": f"{name} shelf {shelf.gondola}/{shelf.shelf}, one take",
        "time_s": _r(time[near][done]),
        "delta_g": [_r(d) for d in delta],
        "delta_error_g_1sd": [_r(e) for e in error],
        "lift_s": _r(time[near][done] - time[near][begun]),
        "press_before_g": _r(max(-(course[:begun] * total).min(), (course[:begun] * total).max())),
        "overshoot_share": _r(course[done:].max() - 1),
        **beside,
    }


def load_cell_row(file: Path) -> dict[str, Any]:
    time, counts = np.genfromtxt(file, delimiter=",", skip_header=1).T
    rate = 1 / float(np.median(np.diff(time)))
    second = round(rate)
    blocks = counts[: len(counts) // second * second].reshape(-1, second)
    sd, mean = float(np.median(blocks.std(axis=1, ddof=1))), blocks.mean(axis=1)
    lags = {n: np.sqrt(((mean[n:] - mean[:-n]) ** 2).mean()) / sd for n in (1, 10, 60, 120, 300) if n < len(mean) - 30}
    return {
        "method": "load cell log",
        "data": f"load_cell_logs/{file.name} (HX711, one cell, counts of unknown weight)",
        "samples": len(counts),
        "seconds": _r(time[-1] - time[0]),
        "rate_hz": _r(rate),
        "sd_in_1_s_counts": _r(sd),
        **{f"change_of_1_s_mean_over_{n}_s_in_sd": _r(v) for n, v in lags.items()},
        "note": "a weight is being poured: its drift is no drift" if file.stem == "brew" else "at rest",
    }


def fitted_rows(measured: list[dict[str, Any]], bursts: list[dict[str, Any]], others: dict[str, Any]) -> list[Any]:
    """The parameters of `ScaleNoise`: medians over gondolas, the shaky one apart."""
    rows = []
    # Shot noise whose marks are exponential is gamma distributed: shape = rate x decay, scale = gain. Both moments of
    # the level are those of all bursts; the peaks that can be told apart are only the larger ones.
    decay = float(np.mean([b["burst_decay_s"] for b in bursts]))
    mean = float(np.average([b["level_over_quiet_mean"] - 1 for b in bursts], weights=[b["seconds"] for b in bursts]))
    square = np.average([b["level_over_quiet_rms"] ** 2 for b in bursts], weights=[b["seconds"] for b in bursts])
    variance = float(square) - (1 + mean) ** 2
    for method, shaky in (("fitted quiet gondola", False), ("fitted shaky gondola", True)):
        of = [m for m in measured if m["data"].endswith("gondola 1") == shaky]

        def mid(key: str, of: list[dict[str, Any]] = of) -> float:
            return _r(np.median(np.concatenate([np.atleast_1d(m[key]) for m in of])))

        correlation = np.concatenate([m["correlation_of_plates"] for m in of])
        peaks = np.concatenate([m["vibration_peak_hz"] for m in of])
        far, near = "wander_of_1_s_mean_over_10_s_g", "wander_of_1_s_mean_over_1_s_g"
        excess = [m[far] ** 2 - m[near] ** 2 for m in of if far in m]
        rows.append(
            {
                "method": method,
                "data": ", ".join(m["data"] for m in of),
                "samples": sum(m["samples"] for m in of),
                "sd_g": mid("plate_sd_g_median"),
                "shelf_spread": _r(np.sqrt(np.mean([m["shelf_log_sd"] ** 2 for m in of]))),
                "sd_spread": _r(np.sqrt(np.mean([m["plate_log_sd_within_shelf"] ** 2 for m in of]))),
                "vibration": _r(1 - mid("white_share_by_power_at_1.5_to_5_hz")),
                "correlation": _r(correlation.mean()),
                "correlation_spread": _r(correlation.std()),
                "frequency_hz": [_r(np.percentile(peaks, 5)), _r(np.percentile(peaks, 95))],
                "bandwidth_hz": mid("vibration_bandwidth_hz"),
                "wander_g": _r(np.sqrt(max(np.mean(excess), 0) / 9)),
                "plate_sd_g_range": _ends(of, "plate_sd_g_median"),
                "shelf_sum_sd_g_range": _ends(of, "shelf_sum_sd_g"),
                "v_s_g2_median_range": _ends(of, "v_s_g2_median_by_shelf"),
                "v_s_g2_p99_range": _ends(of, "v_s_g2_p99_by_shelf"),
                "bursts_per_min": _r(60 * mean**2 / variance / decay),
                "burst_gain": _r(variance / mean),
                "burst_decay_s": _r(decay),
                **others,
                "assumed_wander_s": 3600.0,
                "assumed_clock_drift_ppm": 60.0,
                "assumed_note": "no recording is longer than 34 s, and no log than 10 min: how far a plate drifts in "
                "hours, how clocks drift, and how often a store without the two recordings' shoppers shakes is assumed",
            }
        )
    return rows


def _ends(rows: list[dict[str, Any]], key: str) -> list[float]:
    values = np.concatenate([np.atleast_1d(row[key]) for row in rows])
    return [_r(values.min()), _r(values.max())]


def _r(value: Any) -> float:
    return float(f"{float(value):.3g}")


def fit(root: Path) -> list[dict[str, Any]]:
    measured, bursts, rest = [], [], []
    for name in ("BENCHMARK-1", "cps-test-01"):
        shelves, groups = load(root, name)
        for gondola in sorted(groups):
            measured.append(gondola_row(name, gondola, [s for s in shelves if s.id.gondola == gondola]))
        bursts.append(bursts_row(name, shelves))
        rest += [stamps_row(name, groups), step_row(name, groups)]
        rest += [change_row(name, groups, shelf, at) for (of, shelf), at in CHANGES.items() if of == name]
    logs = [load_cell_row(file) for file in sorted((root / "load_cell_logs").glob("*.csv"))]
    jitter = next(r for r in rest if r["data"] == "cps-test-01" and r["method"] == "time stamps")
    others = {"step_g": rest[1]["step_g"], "message_jitter_s": jitter["message_jitter_sd_s"]}
    return [*measured, *bursts, *rest, *logs, *fitted_rows(measured, bursts, others)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("../shared/data"), help="where the real data lie")
    parser.add_argument("--json", type=Path, default=Path("experiments/results/scale_noise.json"))
    arguments = parser.parse_args()
    rows = fit(arguments.root)
    BenchmarkResult("scale_noise", rows, environment(), command_line()).write(arguments.json)
    print(json.dumps(rows[-2:], indent=1))


if __name__ == "__main__":
    main()
