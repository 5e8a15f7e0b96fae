"""Data sets with boxes: three formats read, COCO's written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gocv.core import ConfigError, DataError, Detections
from gocv.data.coco import (
    COCO_CLASSES,
    DetectionSet,
    LabelledBoxes,
    read_coco,
    read_detection_set,
    read_pennfudan,
    read_yolo,
    write_coco,
    write_coco_results,
)

CONTENT: dict[str, Any] = {
    "images": [
        {"id": 9, "file_name": "b.png", "width": 40, "height": 20},
        {"id": 4, "file_name": "a.png", "width": 30, "height": 60},
    ],
    "categories": [{"id": 3, "name": "hand"}, {"id": 1, "name": "person"}],
    "annotations": [
        {"id": 1, "image_id": 4, "category_id": 1, "bbox": [1, 2, 10.5, 20], "area": 99.0, "iscrowd": 0},
        {"id": 2, "image_id": 9, "category_id": 3, "bbox": [0, 0, 4, 5], "iscrowd": 1},
        {"id": 3, "image_id": 4, "category_id": 3, "bbox": [5, 5, 2, 2], "area": 4, "iscrowd": 0},
    ],
}

PENN = """# Compatible with PASCAL Annotation Version 1.00
Image size (X x Y x C) : 40 x 20 x 3
Objects with ground truth : 1 {{ "PASpersonWalking" }}
Bounding box for object 1 "PASpersonWalking" (Xmin, Ymin) - (Xmax, Ymax) : {box}
"""


def coco(root: Path, content: Any = CONTENT) -> Path:
    folder = root / "images" / "small"
    folder.mkdir(parents=True)
    Image.new("RGB", (40, 20)).save(folder / "b.png")
    Image.new("RGB", (30, 60)).save(folder / "a.png")
    (root / "annotations").mkdir()
    (root / "annotations" / "instances_small.json").write_text(json.dumps(content))
    return root


def yolo(root: Path, lines: str = "0 0.5 0.5 0.5 1.0\n", names: str | None = None) -> Path:
    for kind in ("images", "labels"):
        (root / kind / "small").mkdir(parents=True)
    Image.new("RGB", (40, 20)).save(root / "images" / "small" / "b.png")
    Image.new("RGB", (30, 60)).save(root / "images" / "small" / "a.png")
    (root / "labels" / "small" / "b.txt").write_text(lines)
    if names is not None:
        (root / "data.yaml").write_text(names)
    return root


def penn(root: Path, box: str = "(1, 2) - (3, 5)", text: str = PENN) -> Path:
    for kind in ("Annotation", "PNGImages"):
        (root / kind).mkdir()
    Image.new("RGB", (40, 20)).save(root / "PNGImages" / "one.png")
    (root / "Annotation" / "one.txt").write_text(text.format(box=box))
    return root


def changed(place: list[Any], value: Any) -> Any:
    content = json.loads(json.dumps(CONTENT))
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return content


def same(one: DetectionSet, other: DetectionSet) -> None:
    assert [f.resolve() for f in one.files] == [f.resolve() for f in other.files]
    assert (one.classes, one.category_id) == (other.classes, other.category_id)
    np.testing.assert_array_equal(one.size_px, other.size_px)
    np.testing.assert_array_equal(one.image_id, other.image_id)
    for name in ("image", "label", "ignore", "xyxy", "area_px2"):
        np.testing.assert_allclose(getattr(one.boxes, name), getattr(other.boxes, name), atol=0.006)


def test_cocos_labels_are_in_order_of_the_pictures(tmp_path: Path) -> None:
    found = read_coco(coco(tmp_path), "small")
    assert [f.name for f in found.files] == ["b.png", "a.png"]
    assert found.classes == ("hand", "person")
    assert found.boxes.image.tolist() == [0, 1, 1]
    assert found.boxes.label.tolist() == [0, 1, 0]
    assert found.boxes.ignore.tolist() == [True, False, False]
    assert found.boxes.area_px2.tolist() == [20, 99, 4]
    assert found.boxes.xyxy.tolist() == [[0, 0, 4, 5], [1, 2, 11.5, 22], [5, 5, 7, 7]]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    one = read_coco(coco(tmp_path), "small")
    write_coco(tmp_path / "again" / "labels.json", one)
    same(read_coco(tmp_path / "again" / "labels.json"), one)


def test_results_are_those_of_the_classes_that_there_are(tmp_path: Path) -> None:
    dataset = read_coco(coco(tmp_path), "small")
    found = [Detections.empty(), Detections([[0, 0, 2, 3], [1, 1, 5, 5]], [0.5, 0.25], [1, 0])]
    write_coco_results(tmp_path / "results.json", dataset, found, ("dog", "person"))
    written = json.loads((tmp_path / "results.json").read_text())
    assert written == [{"image_id": 4, "category_id": 1, "bbox": [0, 0, 2, 3], "score": 0.5}]
    with pytest.raises(DataError, match="results of 1 pictures"):
        write_coco_results(tmp_path / "results.json", dataset, found[:1], ("person",))


def test_yolos_shares_become_pixels_and_a_picture_may_show_nothing(tmp_path: Path) -> None:
    found = read_yolo(yolo(tmp_path), "small")
    assert [f.name for f in found.files] == ["a.png", "b.png"]
    assert found.classes == COCO_CLASSES
    assert found.boxes.image.tolist() == [1]
    assert found.boxes.xyxy.tolist() == [[10, 0, 30, 20]]
    assert found.boxes.area_px2.tolist() == [400]


@pytest.mark.parametrize("names", ["names: [shelf, hand]", "names: {1: hand, 0: shelf}"])
def test_yolos_names_come_from_its_file(tmp_path: Path, names: str) -> None:
    assert read_yolo(yolo(tmp_path, names=names), "small").classes == ("shelf", "hand")


def test_labels_without_a_picture_are_told_of(tmp_path: Path) -> None:
    root = yolo(tmp_path)
    (root / "labels" / "small" / "gone.txt").write_text("0 0.5 0.5 0.5 0.5")
    assert read_yolo(root, "small").notes == ("1 files of labels have no picture: gone",)


def test_penn_fudans_pixels_count_from_1(tmp_path: Path) -> None:
    found = read_pennfudan(penn(tmp_path))
    assert found.boxes.xyxy.tolist() == [[0, 1, 3, 5]]
    assert found.size_px.tolist() == [[40, 20]]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (changed(["annotations", 1, "bbox"], [1, 2, 3]), "'annotations.1.bbox': is"),
        (changed(["annotations", 1, "bbox"], [1, 2, -3, 4]), "'annotations.1.bbox': is"),
        (changed(["annotations", 1, "bbox"], [1, 2, float("nan"), 4]), "'annotations.1.bbox': is"),
        (changed(["annotations", 2, "image_id"], 7), "'annotations.2.image_id': is 7, which is not listed"),
        (changed(["annotations", 2, "category_id"], "x"), "'annotations.2.category_id': is 'x'"),
        (changed(["images", 0, "width"], None), "'images.0.width': is None"),
        (changed(["images", 0, "id"], 4), "two pictures have one number"),
        (changed(["categories", 0, "name"], "person"), "'categories.name': stands there twice"),
        (changed(["images", 1, "file_name"], "gone.png"), "1 of 2 pictures are not there"),
        (changed(["annotations"], {}), "'annotations': is missing or not a list"),
        ([], "is not in COCO's format"),
    ],
)
def test_cocos_faults_are_named(tmp_path: Path, content: Any, told: str) -> None:
    with pytest.raises(DataError) as caught:
        read_coco(coco(tmp_path, content), "small")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("0 0.5 0.5 0.5", "row 2: is '0 0.5 0.5 0.5'"),
        ("0 0.5 0.5 0.5 1.5", "row 2: is"),
        ("0 0.5 0.5 x 1", "row 2: is"),
        ("80 0.5 0.5 0.5 1", "row 2: class 80 is not known (expected 0 to 79)"),
        ("0.5 0.5 0.5 0.5 1", "row 2: class 0.5 is not known"),
    ],
)
def test_yolos_faults_are_named(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(DataError, match=r"b\.txt") as caught:
        read_yolo(yolo(tmp_path, "0 0.5 0.5 0.5 1.0\n" + line), "small")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"box": "(1, 2) - (3, 1)"}, "'Bounding box for object 1': is turned about"),
        ({"box": "nowhere"}, "'Bounding box for object': are 0 (expected 1)"),
        ({"text": PENN.replace("40 x 20", "41 x 20")}, "is of (40, 20) (expected (41, 20) pixels)"),
        ({"text": PENN.replace("Image size", "Size")}, "'Image size (X x Y x C)': is missing"),
    ],
)
def test_penn_fudans_faults_are_named(tmp_path: Path, change: dict[str, str], told: str) -> None:
    with pytest.raises(DataError, match="one") as caught:
        read_pennfudan(penn(tmp_path, **change))
    assert told in str(caught.value)


@pytest.mark.parametrize(("format", "make"), [("coco", coco), ("yolo", yolo), ("pennfudan", penn)])
def test_a_format_goes_by_its_name(tmp_path: Path, format: str, make: Callable[[Path], Path]) -> None:
    assert len(read_detection_set(format, make(tmp_path), "small").boxes)
    with pytest.raises(DataError, match="expected"):
        read_detection_set(format, tmp_path / "nowhere", "small")


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected 'yolo'"):
        read_detection_set("yollo", ".")


def test_pictures_and_classes_are_chosen_with_their_boxes(tmp_path: Path) -> None:
    whole = read_coco(coco(tmp_path), "small")
    turned = whole[[1, 0]]
    assert [f.name for f in turned.files] == ["a.png", "b.png"]
    assert turned.boxes.image.tolist() == [0, 0, 1]
    assert turned.of(0).xyxy.tolist() == [[1, 2, 11.5, 22], [5, 5, 7, 7]]
    assert len(whole[[]].boxes) == len(whole[[]]) == 0
    people = whole.of_classes(("person",))
    assert (people.classes, people.category_id) == (("person",), (1,))
    assert people.boxes.label.tolist() == [0]
    with pytest.raises(DataError, match="expected 'person'"):
        whole.of_classes(("persons",))


def test_boxes_of_no_picture_are_refused() -> None:
    boxes = LabelledBoxes([1], [[0, 0, 1, 1]], [0], [False], [1.0])  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"DetectionSet\.boxes\.image goes from 1 to 1"):
        DetectionSet("x", (Path("a.png"),), np.array([[1, 1]]), np.array([1]), ("person",), (1,), boxes)


def test_penn_fudan_has_what_was_published(shared_data: Path) -> None:
    found = read_pennfudan(shared_data / "pennfudan")
    assert (len(found), len(found.boxes)) == (170, 423)
    assert (found.boxes.xyxy[:, 2:] <= found.size_px[found.boxes.image]).all()


@pytest.mark.parametrize("split", ["train2017", "val2017"])
def test_every_person_in_the_text_is_read(shared_data: Path, split: str) -> None:
    """The copy may hold a part of the pictures alone."""
    found = read_yolo(shared_data / "coco_person", split).of_classes(("person",))
    texts = [(shared_data / "coco_person" / "labels" / split / f"{f.stem}.txt").read_text() for f in found.files]
    assert len(found.boxes) == sum(line.startswith("0 ") for text in texts for line in text.splitlines()) > 100
    assert (found.boxes.xyxy[:, 2:] <= found.size_px[found.boxes.image] + 0.01).all()
