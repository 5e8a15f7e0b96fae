"""Encoders side by side on the crops of `reid_crops.py`: `python experiments/evaluate_reid.py --json FILE`.

Simulated shoppers whom no encoder has learnt from: all, those seen in full, those hidden in part, tracklets (the mean
vector of what a camera saw of a person) and each pair of cameras; and PETS09-S2L1, real, where one camera sees all and
stretches of time stand for cameras. The probability that two crops show one person is held against the truth for gocv's
own encoder.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gocv.bench.reid import by_cameras, crops_per_s, encode_pictures, make_encoder, scored
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.data.reid import ReidPictures, read_reid
from gocv.reid import SamePerson

HIDDEN, CLEAR = 0.6, 0.9
"""Below the first share of a person that is seen the crop counts as hidden in part, above the second as clear."""
PRIORS = (0.5, 0.1, 0.02)


def seen_shares(folder: Path, pictures: ReidPictures) -> np.ndarray:
    """(n,) share of the person that is seen in each picture; NaN where that is not known."""
    with (folder / "crops.csv").open(encoding="utf-8", newline="") as file:
        known = {row["file"]: float(row["seen"] or "nan") for row in csv.DictReader(file)}
    return np.array([known["/".join(file.parts[-2:])] for file in pictures.files])


def of_model(model: str, folder: Path, weights: Path) -> Iterator[dict[str, Any]]:
    """Rows of one encoder on one set."""
    data, encoder, name = read_reid("folder", folder, check=False), make_encoder(model, weights), Path(model).stem
    query, asked, _ = encode_pictures(encoder, data.query, f"{name}: query")
    gallery, searched, _ = encode_pictures(encoder, data.gallery, f"{name}: gallery")
    about = {"length": encoder.length, "crops_per_s": crops_per_s(encoder)}
    seen = seen_shares(folder, asked)
    parts = {"all": np.ones(len(asked), bool), "hidden": seen < HIDDEN, "clear": seen > CLEAR}
    parts = {key: mask for key, mask in parts.items() if mask.any()}
    for part, mask in parts.items():
        row = scored(query[mask], gallery, asked[mask], searched)
        yield {"method": name, "set": folder.name, "queries_of": part, **row, **about}
    row = scored(*pooled(np.concatenate([query, gallery]), asked, searched))
    yield {"method": name, "set": folder.name, "queries_of": "tracklets", **row, **about}
    for cameras, row in by_cameras(query, gallery, asked, searched) if "hidden" in parts else ():
        yield {"method": name, "set": folder.name, "queries_of": f"camera {cameras}", **row, "length": encoder.length}


def pooled(
    vectors: np.ndarray, asked: ReidPictures, searched: ReidPictures
) -> tuple[np.ndarray, np.ndarray, ReidPictures, ReidPictures]:
    """Tracklets, each against all: the mean vector of all that a camera saw of a person; what `scored` takes."""
    person, camera = (np.concatenate([getattr(asked, key), getattr(searched, key)]) for key in ("person", "camera"))
    groups, of = np.unique(np.stack([person, camera]), axis=1, return_inverse=True)
    mean = np.stack([vectors[of == group].mean(axis=0) for group in range(groups.shape[1])])
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    tracklets = ReidPictures(tuple(map(Path, "x" * len(mean))), *groups)
    return mean, mean, tracklets, tracklets


def calibration(folder: Path) -> Iterator[dict[str, Any]]:
    """How far stated probabilities of one person are from shares of pairs, at several shares of pairs of one person."""
    data, encoder, same = (
        read_reid("folder", folder, check=False),
        make_encoder("default"),
        SamePerson.shipped(),
    )
    query, asked, _ = encode_pictures(encoder, data.query, "query")
    gallery, searched, _ = encode_pictures(encoder, data.gallery, "gallery")
    across = asked.camera[:, None] != searched.camera
    alike, one = (query @ gallery.T)[across], (asked.person[:, None] == searched.person)[across]
    for prior in PRIORS:
        stated = same.probability(alike, prior=prior)
        weight = np.where(one, prior / one.mean(), (1 - prior) / (1 - one.mean()))
        bins = np.minimum((stated * 15).astype(int), 14)
        total = np.bincount(bins, weight, 15)
        gap = np.abs(np.bincount(bins, weight * stated, 15) - np.bincount(bins, weight * one, 15))
        brier = float(np.average((stated - one) ** 2, weights=weight))
        row = {"prior": prior, "pairs": len(one), "ece": float(gap.sum() / total.sum()), "brier": brier}
        yield {"method": "default", "set": folder.name, "queries_of": "calibration", **row}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=Path, default=Path("runs/reid"), help="folder of the sets")
    parser.add_argument("--weights", type=Path, default=Path("../shared/models"), help="where weights of others are")
    parser.add_argument("--model", action="append", required=True, help="as for gocv bench reid; again for another")
    parser.add_argument("--json", type=Path, required=True)
    given = parser.parse_args()
    rows = []
    for folder in (given.crops / "simulated", given.crops / "pets09"):
        for model in given.model:
            for row in of_model(model, folder, given.weights):
                print({key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()})
                rows.append(row)
        rows += calibration(folder)
    BenchmarkResult("re-identification", rows, environment(), command_line()).write(given.json)


if __name__ == "__main__":
    main()
