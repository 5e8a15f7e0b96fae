"""Labels of the NanoStore data, and the truth that follows from them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from gocv.core import DataError, PlateId, Product
from gocv.data.nanostore import read_labels, truth_of
from gocv.data.nanostore.labels import label_unix_s


@pytest.mark.parametrize("text", ["", " + ", "noon", "2020-13-01_00-00-00", "1:00 + "])
def test_a_label_without_a_time_is_told_from_one_with(text: str) -> None:
    assert math.isnan(label_unix_s(text))


def event(time: str, *products: tuple[str, str], putback: int = 0, shopper: str = "7") -> dict:
    items = [{"id": barcode, "name": name, "weight": 1} for barcode, name in products]
    position = {"gondola": 1, "shelf": 2, "plates": [4, 3]}
    return {
        "observation": {"position": position, "products": items, "time": time, "target_id": shopper},
        "putback": putback,
    }


NOON = "2020-01-28_12-00-"
TEA, COLA = ("001", "Tea"), ("02", "Cola 355")


@pytest.mark.parametrize(
    ("events", "receipts", "moved", "left_with", "said"),
    [
        ([event(NOON + "05", TEA, TEA)], None, [("001", 2)], {"7": {"001": 2}}, ""),
        (
            [event("0:05 + " + NOON + "00", COLA)],
            None,
            [("002", 1)],
            {"7": {"002": 1}},
            "barcode 02 of the labels is 002",
        ),
        ([event(NOON + "05", TEA), event(NOON + "06", TEA, putback=1)], None, [("001", 1), ("001", -1)], {"7": {}}, ""),
        ([event(NOON + "06", TEA, putback=1)], None, [("001", -1)], None, "put back more than was seen taken"),
        ([event(NOON + "05", ("9", "Cola"))], None, [("002", 1)], {"7": {"002": 1}}, "barcode 9 of the labels is 002"),
        (
            [event(NOON + "05", ("9", "Gum"))],
            None,
            [("9", 1)],
            {"7": {"9": 1}},
            "9 of the labels is not in the catalogue",
        ),
        ([event(NOON + "05", TEA), event(" + ", TEA)], None, [("001", 1)], None, "its time cannot be read"),
        (
            [event(NOON + "05", TEA), event("2020-01-28_13-00-00", TEA)],
            None,
            [("001", 1)],
            None,
            "outside the recording",
        ),
        ([event(NOON + "05", TEA), event(NOON + "05")], None, [("001", 1)], None, "names no product"),
        ([event(NOON + "05", ("UNKOWN", ""))], None, None, None, "names no product that is known ['UNKOWN']"),
        ([event(NOON + "05", TEA)], (1.0, {"1": 1}), [("001", 1)], {"7": {"001": 1}}, "scored as right"),
        ([event(NOON + "05", TEA)], (1.0, {"002": 1}), [("001", 1)], {"7": {"002": 1}}, "make other receipts"),
        ([event(NOON + "05", TEA)], (0.9, {"002": 1}), [("001", 1)], {"7": {"001": 1}}, "follow from the events"),
        ([], (1.0, {"002": 2}), [], {"7": {"002": 2}}, "truth: 0 events, 1 receipts"),
        (None, None, None, None, "the labels know nothing of made_1"),
    ],
)
def test_labels_become_truth(
    tmp_path: Path, events: list | None, receipts: tuple | None, moved: list | None, left_with: dict | None, said: str
) -> None:
    (tmp_path / "events.json").write_text(
        json.dumps({"lists": [] if events is None else [{"dataset": "MADE-1", "events": events}]})
    )
    if receipts is not None:
        f1, items = receipts
        bought = [{"barcode": b, "quantity": n} for b, n in items.items()]
        case = {"testcase": "MADE-1", "f1": f1, "receipts": [{"target_id": "7", "products": bought}]}
        (tmp_path / "receipts.json").write_text(json.dumps([case]))
    (tmp_path / "other.json").write_text("{}")
    catalogue = {"001": Product("001", "Tea"), "002": Product("002", "Cola")}
    origin, notes = label_unix_s(NOON + "00"), list[str]()
    truth = truth_of(("made_1",), read_labels(tmp_path), catalogue, origin, 30.0, notes)
    assert said in "\n".join(notes)
    if moved is None:
        assert truth is None
        return
    assert truth is not None
    assert [(e.product, e.quantity) for e in truth.events] == moved
    assert all(e.plates == (PlateId(1, 2, 3), PlateId(1, 2, 4)) and 5 <= e.time_s <= 6 for e in truth.events)
    assert (None if truth.receipts is None else {r.shopper: r.items for r in truth.receipts}) == left_with


def test_a_file_that_holds_no_labels_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "labels.json"
    file.write_text("{}")
    with pytest.raises(DataError, match="holds no labels"):
        read_labels(file)


def test_the_real_labels_are_read_whole(shared_data: Path) -> None:
    labels = read_labels(shared_data / "nanostore" / "labels")
    events = [event for listed in labels.events.values() for event in listed]
    assert (len(labels.events), len(events)) == (45, 237)  # 46 lists: one name stands there twice
    assert sum(event.returned for event in events) == 56
    assert len(labels.receipts) == 34
    assert labels.receipts["BENCHMARK-1"] == {"3325379692103139202": {"071142008582": 1}}
    assert [event.place for event in events if math.isnan(event.unix_s)] == [
        "events_v14.json, lists.39.events.0",
        "events_v14.json, lists.43.events.0",
    ]
