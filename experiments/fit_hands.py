"""How much looks at hands say, for the network that comes with gocv: `python experiments/fit_hands.py --json FILE`.

Around each take and return of the visits in `FOLDER/tune` (`hand_crops.py`; seeds below 1000, in stores whose products
look like no others) the looks of the hand before and after are pooled as in use. The products of the store are known
by their catalogue pictures alone. `gocv.interact.evidence.fit_evidence` then takes the numbers with the least log loss.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gocv.core import HandLooks, Interaction
from gocv.data.recording import Recording, TruthEvent
from gocv.interact.catalogue import catalogue_crop
from gocv.interact.evidence import SHIPPED, LookEvidence, Pooled, fit_evidence
from gocv.interact.gallery import Gallery
from gocv.interact.hands import OnnxHandEncoder
from gocv.interact.recogniser import ShelfRecogniser

HALF_S = 0.6
"""An interaction is taken to last so long before and after half the weight has moved."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class FilmedVisit:
    """A visit's hand pictures, encoded.

    Attributes:
        name: Part and visit.
        looks: A row for each picture that was not made of another one.
        held: (n,) text, the truth of each row.
        visible: (n,) bool, whether the hand is seen.
        gallery: Of the store's products, by their catalogue pictures.
        recording: Of the visit.
        interactions: One around each take and return of the truth, with the hand that did it.
        events: The truth of each interaction.
    """

    name: str
    looks: HandLooks
    held: np.ndarray
    visible: np.ndarray
    gallery: Gallery
    recording: Recording
    interactions: list[Interaction]
    events: list[TruthEvent]


def filmed_visits(folder: Path, part: str, encoder: OnnxHandEncoder) -> Iterator[FilmedVisit]:
    """The visits of a part, one after the other."""
    for file in sorted((folder / part).glob("*.npz")):
        with np.load(file, allow_pickle=False) as loaded:
            table = {key: loaded[key] for key in loaded}
        rows = np.flatnonzero(~table["pasted"])
        holds, vector = encoder.encode(table["crops"][rows])
        looks = HandLooks(
            tuple(table["shoppers"].tolist()),
            tuple(table["cameras"].tolist()),
            holds=holds,
            vector=vector,
            **{key: table[key][rows] for key in ("time_s", "shopper", "hand", "camera", "side_px")},
        )
        recording = Recording.open(folder / "recordings" / f"{part}-{file.stem}")
        found = list(around_events(recording, looks, table["held"][rows], table["person"][rows]))
        yield FilmedVisit(
            f"{part}-{file.stem}",
            looks,
            table["held"][rows],
            table["visible"][rows],
            gallery_of(table, encoder),
            recording,
            [one for one, _ in found],
            [event for _, event in found],
        )


def gallery_of(table: dict[str, np.ndarray], encoder: OnnxHandEncoder) -> Gallery:
    """The store's products; those that were only drawn into hands are none of them."""
    articles = [article["id"].rpartition("/")[2] for article in json.loads(str(table["articles"]))]
    names, crops = [], []
    for name, views in zip(articles, table["catalogue"], strict=True):
        if not name.startswith("new-"):
            names += [name] * len(views)
            crops += [catalogue_crop(view, encoder.size) for view in views]
    return Gallery(names, encoder.encode(np.array(crops))[1])


def around_events(
    recording: Recording, looks: HandLooks, held: np.ndarray, person: np.ndarray
) -> Iterator[tuple[Interaction, TruthEvent]]:
    """An interaction around each take and return of one shopper, by the name of the joints and with the hand."""
    assert recording.truth is not None
    for event in recording.truth.events:
        if event.kind != "shelf":
            continue
        after = 1 if event.quantity > 0 else -1
        near = (person == event.shopper) & (after * (looks.time_s - event.time_s) >= 0)
        near &= after * (looks.time_s - event.time_s) < 0.9
        has = near & np.array([event.product in one.split("+") for one in held])
        if has.any():
            row = int(np.flatnonzero(has)[0])
            name, hand = looks.shoppers[looks.shopper[row]], int(looks.hand[row])
            what = "take" if event.quantity > 0 else "return"
            start_s, end_s = event.time_s - HALF_S, event.time_s + HALF_S
            yield Interaction(name, str(event.plates[0].shelf_id), start_s, end_s, {what: 1.0}, hand), event


def pooled_with_truth(visit: FilmedVisit) -> Iterator[tuple[Pooled, str]]:
    """Looks before and after each interaction, and what the hand held for most of them."""
    recogniser = ShelfRecogniser(visit.gallery, LookEvidence())
    for one in visit.interactions:
        for other, moved, look in recogniser.pool(visit.looks, [one]):
            start_s, end_s = recogniser.spans(other, one.hand, [one])[moved]
            inside = (visit.looks.shopper == visit.looks.shoppers.index(one.shopper)) & (visit.looks.hand == one.hand)
            inside &= (visit.looks.time_s >= start_s) & (visit.looks.time_s < end_s)
            values, counts = np.unique(visit.held[inside], return_counts=True)
            yield look, str(values[counts.argmax()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=Path, default=Path("runs/looks"), help="FOLDER of hand_crops.py")
    parser.add_argument("--weights", type=Path, help="another network than the one that comes with gocv")
    parser.add_argument("--json", type=Path, default=SHIPPED, help="where to")
    given = parser.parse_args()
    encoder = OnnxHandEncoder(given.weights)
    looks: list[Pooled] = []
    truth: list[int | None] = []
    prototypes: list[Any] = []
    visits = 0
    for visit in filmed_visits(given.crops, "tune", encoder):
        visits += 1
        index = {product: i for i, product in enumerate(visit.gallery.products)}
        for look, held in pooled_with_truth(visit):
            if "+" not in held:
                looks.append(look)
                truth.append(index[held] if held else None)
                prototypes.append(visit.gallery.prototypes())
    evidence = fit_evidence(looks, truth, prototypes)
    made = {**evidence.made, "visits": visits, "part": "tune"}
    evidence.model_copy(update={"made": made}).save(given.json)
    print(evidence)


if __name__ == "__main__":
    main()
