"""What the network that looks at hands can do: `python experiments/evaluate_hands.py --json FILE`.

On visits of test seeds (`FOLDER/test`, `hand_crops.py`) in the built-in store, none of whose 40 products looks like
anything that the network or the evidence was fitted on: whether a hand holds something, by picture and before and after
each take and return; which product it is among all 40 and among those that stand on the shelf of the event, by
catalogue pictures alone and after learning from the events of other visits (`FOLDER/home`, seeds below 1000); and how
good the likelihoods are.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fit_hands import FilmedVisit, filmed_visits, pooled_with_truth
from sklearn.metrics import roc_auc_score

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.data.recording import Recording, TruthEvent
from gocv.interact.evidence import UNKNOWN, LookEvidence, Pooled
from gocv.interact.gallery import Gallery
from gocv.interact.hands import OnnxHandEncoder
from gocv.interact.recogniser import ShelfRecogniser

BINS = 10


def holds_row(method: str, holds: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """How well full hands are told from empty ones."""
    p = np.clip(holds.astype(float), 1e-6, 1 - 1e-6)
    bins = np.minimum((p * BINS).astype(int), BINS - 1)
    gaps = [abs(p[bins == b].mean() - truth[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return {
        "method": method,
        "rows": len(p),
        "full_share": float(truth.mean()),
        "auc": float(roc_auc_score(truth, p)),
        "accuracy": float(((p > 0.5) == truth).mean()),
        "log_loss": float(-np.mean(np.where(truth, np.log(p), np.log(1 - p)))),
        "log_loss_of_share": entropy(float(truth.mean())),
        "calibration_error": float(sum(gaps)),
    }


def entropy(share: float) -> float:
    return float(-share * np.log(share) - (1 - share) * np.log(1 - share))


def moved_looks(
    visits: Sequence[FilmedVisit], recogniser: ShelfRecogniser
) -> Iterator[tuple[FilmedVisit, TruthEvent, bool, Pooled]]:
    """Pooled looks before and after each event; whether they are of the side on which the product was in the hand."""
    for visit in visits:
        for one, event in zip(visit.interactions, visit.events, strict=True):
            wanted = "take" if event.quantity > 0 else "return"
            # The others of the same hand bound the looks, as in use.
            others = [other for other in visit.interactions if other is not one]
            for other, moved, look in recogniser.pool(visit.looks, [one, *others]):
                if other is one:
                    yield visit, event, moved == wanted, look


def near(recording: Recording, event: TruthEvent) -> set[str]:
    """Products that stand on the shelf of an event."""
    shelves = {plate.shelf_id for plate in event.plates}
    plates = [plate for plate in recording.store.plates if plate.shelf_id in shelves]
    return set(recording.store.products_on(frozenset(plates)))


def product_row(
    method: str,
    looks: Sequence[tuple[FilmedVisit, TruthEvent, bool, Pooled]],
    gallery: Gallery,
    evidence: LookEvidence,
    nearby: bool,
) -> dict[str, Any]:
    """How often the product that was moved is the likeliest, and what the likelihoods are worth."""
    prototypes, products = gallery.prototypes(), np.array(gallery.products)
    ranks, gains, stated, choices = [], [], [], []
    for visit, event, _, look in looks:
        values = evidence.likelihoods(look, prototypes)
        allowed = np.ones(len(products), bool)
        if nearby:
            allowed = np.isin(products, [*near(visit.recording, event), event.product])
        true = products == event.product
        share = values * allowed / (values * allowed).sum()
        ranks.append(int((share > share[true][0]).sum()))
        gains.append(float(np.log(max(values[true][0], 1e-3))))
        stated.append(float(share.max()))
        choices.append(int(allowed.sum()))
    ranked, sure, right = np.array(ranks), np.array(stated), np.array(ranks) == 0
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return {
        "method": method,
        "candidates": "on the shelf" if nearby else "all",
        "looks": len(ranked),
        "mean_candidates": float(np.mean(choices)),
        "top_1": float(right.mean()),
        "top_5": float((ranked < 5).mean()),
        "mean_log_likelihood_ratio": float(np.mean(gains)),
        "misled_share": float((np.array(gains) < np.log(0.5)).mean()),
        "calibration_error": float(sum(gaps)),
    }


def learn(gallery: Gallery, visits: Sequence[FilmedVisit], recogniser: ShelfRecogniser) -> int:
    """Let a gallery learn from events whose truth is known, as the scales would tell it; how many there were."""
    events = 0
    for _, event, there, look in moved_looks(visits, recogniser):
        if there and recogniser.evidence.holds(look) > 0.8:
            events += gallery.learn(event.product, look.vector[None])
    return events


def rows(crops: Path, encoder: OnnxHandEncoder, evidence: LookEvidence) -> Iterator[dict[str, Any]]:
    visits = list(filmed_visits(crops, "test", encoder))
    holds = np.concatenate([visit.looks.holds for visit in visits])
    full = np.concatenate([visit.held != "" for visit in visits])
    seen = np.concatenate([visit.visible for visit in visits])
    yield {**holds_row("holds, each picture", holds, full), "visits": len(visits)}
    yield holds_row("holds, pictures where the hand is seen", holds[seen], full[seen])
    gallery = visits[0].gallery
    recogniser = ShelfRecogniser(gallery, evidence)
    looks = list(moved_looks(visits, recogniser))
    pooled = [(evidence.holds(look), held != "") for visit in visits for look, held in pooled_with_truth(visit)]
    yield holds_row("holds, before or after an event", *(np.array(part) for part in zip(*pooled, strict=True)))
    full_looks = [one for one in looks if one[2]]
    for nearby in (False, True):
        yield product_row("catalogue pictures", full_looks, gallery, evidence, nearby)
    events = learn(gallery, list(filmed_visits(crops, "home", encoder)), recogniser)
    for nearby in (False, True):
        row = product_row("and learnt events", full_looks, gallery, evidence, nearby)
        yield {**row, "learnt_events": events, "learnt_products": int((gallery.learnt() > 0).sum())}
    known = np.array([gallery.learnt()[gallery.products.index(event.product)] > 0 for _, event, _, _ in full_looks])
    met = [one for one, is_known in zip(full_looks, known, strict=True) if is_known]
    if met:
        yield product_row("and learnt events, of products that were learnt", met, gallery, evidence, False)
    empty = [one for one in looks if not one[2]]
    others = [float(np.abs(np.log(evidence.likelihoods(one[3], gallery.prototypes()))).mean()) for one in empty]
    yield {
        "method": "likelihoods of the other side of an event",
        "looks": len(empty),
        "mean_abs_log": float(np.mean(others)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=Path, default=Path("runs/looks"), help="FOLDER of hand_crops.py")
    parser.add_argument("--weights", type=Path, help="another network than the one that comes with gocv")
    parser.add_argument("--evidence", type=Path, help="another file than the one that comes with gocv")
    parser.add_argument("--json", type=Path, help="where to")
    given = parser.parse_args()
    evidence = LookEvidence.shipped() if given.evidence is None else LookEvidence.load(given.evidence)
    found = list(rows(given.crops, OnnxHandEncoder(given.weights), evidence))
    for row in found:
        print({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()})
    if given.json is not None:
        notes = [
            "The visits are rendered: real pictures of hands in a store, with what they held, are not to be had.",
            f"Something that is none of the products has the prior {UNKNOWN}.",
        ]
        BenchmarkResult("hands", found, environment(), command_line(), notes).write(given.json)


if __name__ == "__main__":
    main()
