from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gocv.core import DataError
from gocv.data.products import (
    ProductPictures,
    middle_crop,
    read_catalogue,
    read_gaze,
    read_grocerystore,
    read_shelf_labels,
    read_shelves,
)

HEADER = (
    "Class Name (str),Class ID (int),Coarse Class Name (str),Coarse Class ID (int),"
    "Iconic Image Path (str),Product Description Path (str)"
)


def picture(file: Path, size: tuple[int, int] = (20, 40)) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (9, 99, 199)).save(file)


@pytest.fixture
def grocery(tmp_path: Path) -> Path:
    rows = [f"{name},{i},Milk,0,/iconic/{name}.jpg,/none.txt" for i, name in enumerate(("Red", "Blue", "Absent"))]
    (tmp_path / "classes.csv").write_text("\n".join([HEADER, *rows]))
    for name in ("Red", "Blue"):
        picture(tmp_path / "iconic" / f"{name}.jpg")
        picture(tmp_path / "train" / "Packages" / "Milk" / name / f"{name}_1.jpg")
    picture(tmp_path / "val" / "Packages" / "Milk" / "Blue" / "Blue_2.jpg")
    return tmp_path


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    picture(tmp_path / "shelf" / "img" / "a.jpg", (100, 50))
    objects = [{"points": {"exterior": [[180, 90], [20, 10]]}}, {"points": {"exterior": [[0, 0], [4, 4]]}}]
    ann = tmp_path / "shelf" / "ann" / "a.jpg.json"
    ann.parent.mkdir()
    ann.write_text(json.dumps({"size": {"width": 200, "height": 100}, "objects": objects}))
    for name in ("chips", "nuts"):
        picture(tmp_path / "catalogue" / f"{name}.png")
    return tmp_path


def test_products_are_those_with_a_catalogue_picture(grocery: Path) -> None:
    found = read_grocerystore(grocery)
    assert found.products == ("Red", "Blue")
    assert found.kinds == ("Milk", "Milk")
    assert found.train.product.tolist() == [1, 0]  # in order of the files
    assert [f.name for f in found.val.files] == ["Blue_2.jpg"]
    assert found.val.product.tolist() == [1]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: (root / "classes.csv").unlink(), r"classes\.csv"),
        (lambda root: (root / "classes.csv").write_text("a,b\n1,2\n"), "Class Name"),
        (
            lambda root: (root / "classes.csv").write_text(f"{HEADER}\nX,0,Milk,0,/x.jpg,/x\nX,1,Milk,0,/x.jpg,/x\n"),
            "twice",
        ),
        (lambda root: (root / "classes.csv").write_text(f"{HEADER}\nX,0,Milk,0,/x.jpg,/x\n"), "none of the catalogue"),
        (lambda root: (root / "train").rename(root / "elsewhere"), "no such folder"),
        (lambda root: picture(root / "val" / "Packages" / "Milk" / "Green" / "x.jpg"), "no product"),
    ],
)
def test_a_spoilt_grocery_store_is_refused_by_name(grocery: Path, spoil: object, message: str) -> None:
    spoil(grocery)  # type: ignore[operator]
    with pytest.raises(DataError, match=message):
        read_grocerystore(grocery)


def test_boxes_of_shelves_are_brought_to_the_pixels_of_the_photo(shelf: Path) -> None:
    boxes = read_shelves(shelf / "shelf")
    assert boxes.xyxy is not None
    assert boxes.xyxy.tolist() == [[10, 5, 90, 45], [0, 0, 2, 2]]
    assert boxes.product.tolist() == [-1, -1]
    assert boxes.picture(0).shape == (40, 80, 3)


def test_labels_name_products_of_the_catalogue(shelf: Path) -> None:
    boxes, catalogue = read_shelves(shelf / "shelf"), read_catalogue(shelf / "catalogue")
    table = shelf / "labels.csv"
    table.write_text("photo,box,product\na.jpg,1,nuts\na.jpg,0,none\n")
    found = read_shelf_labels(table, boxes, catalogue)
    assert found.products == ("chips", "nuts")
    assert found.product.tolist() == [1, -1]
    assert found.xyxy is not None
    assert found.xyxy[0].tolist() == [0, 0, 2, 2]


@pytest.mark.parametrize("row", ["a.jpg,2,nuts", "b.jpg,0,nuts", "a.jpg,x,nuts", "a.jpg,0,candy", "a.jpg,0,", "a.jpg"])
def test_labels_of_nothing_are_refused(shelf: Path, row: str) -> None:
    table = shelf / "labels.csv"
    table.write_text(f"photo,box,product\n{row}\n")
    with pytest.raises(DataError, match=r"labels\.csv"):
        read_shelf_labels(table, read_shelves(shelf / "shelf"), read_catalogue(shelf / "catalogue"))


@pytest.mark.parametrize("text", ["{", "{}", '{"size": {"width": 0, "height": 1}, "objects": []}', "[]"])
def test_a_spoilt_file_of_boxes_is_refused(shelf: Path, text: str) -> None:
    (shelf / "shelf" / "ann" / "a.jpg.json").write_text(text)
    with pytest.raises(DataError, match=r"a\.jpg\.json"):
        read_shelves(shelf / "shelf")


def test_folders_without_pictures_are_refused(tmp_path: Path) -> None:
    for reader in (read_shelves, read_catalogue, read_gaze):
        with pytest.raises(DataError):
            reader(tmp_path)


def test_a_number_must_name_a_product() -> None:
    with pytest.raises(DataError, match="names no product"):
        ProductPictures((Path("a.jpg"),), ("milk",), np.array([1]))
    with pytest.raises(DataError, match="a row for each file"):
        ProductPictures((Path("a.jpg"),), ("milk",), np.array([0, 0]))


@pytest.mark.parametrize(("share", "shape"), [(1.0, (8, 4, 3)), (0.5, (4, 2, 3)), (0.01, (1, 1, 3))])
def test_the_middle_keeps_its_share(share: float, shape: tuple[int, ...]) -> None:
    image = np.arange(96, dtype=np.uint8).reshape(8, 4, 3)
    assert middle_crop(image, share).shape == shape
    assert middle_crop(image, 0.5)[0, 0, 0] == image[2, 1, 0]


def test_the_real_sets_hold_what_is_known_of_them(shared_data: Path) -> None:
    grocery = read_grocerystore(shared_data / "grocerystore_packages")
    assert (len(grocery.products), len(grocery.train), len(grocery.val)) == (31, 864, 100)
    boxes, catalogue = read_shelves(shared_data / "store_shelves"), read_catalogue(shared_data / "snacks_catalog")
    assert (len(boxes), len(catalogue), len(set(boxes.files))) == (926, 83, 37)
    assert boxes.xyxy is not None
    assert boxes.xyxy[:, 2].max() <= 720
    assert boxes.xyxy[:, 3].max() <= 1280
    gaze, video = read_gaze(shared_data / "gtea_gaze_plus")
    assert len(gaze) == len(video) == 224
    assert gaze.picture(0).size > 0
