"""Readers of folders of pictures, on folders of empty files with the right names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from gocv.core import ConfigError, DataError
from gocv.data.reid import (
    ReidDataset,
    read_cuhk03,
    read_dukemtmc,
    read_folder,
    read_market1501,
    read_msmt17,
    read_protocol,
    read_reid,
)

TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"
MARKET1501 = {
    TRAIN: ["0002_c1s1_000451_03.jpg", "0002_c2s1_000776_01.jpg", "0007_c6s3_077419_03.jpg"],
    QUERY: ["0001_c1s1_001051_00.jpg", "1488_c1s6_023021_00.jpg.jpg"],
    GALLERY: ["0001_c4s6_810354_01.jpg", "0000_c1s1_000151_01.jpg", "-1_c3s1_000401_03.jpg"],
}
DUKEMTMC = {
    TRAIN: ["0001_c2_f0046182.jpg"],
    QUERY: ["0005_c2_f0046985.jpg", "0005_c5_f0051781.jpg"],
    GALLERY: ["0005_c8_f0000001.jpg", "0002_c1_f0044158.jpg"],
}
CUHK03 = {TRAIN: ["0001_c1_1.png"], QUERY: ["0003_c1_22.png"], GALLERY: ["0003_c2_301.png", "0003_c1_21.png"]}
MSMT17 = {
    "list_train.txt": ["0000/0000_000_01_0303morning_0008_0.jpg 0", "0001/0001_002_15_0303noon_0017_2_ex.jpg 1"],
    "list_val.txt": ["0001/0001_000_02_0303morning_0017_2.jpg 1"],
    "list_query.txt": ["0000/0000_000_03_0303morning_0015_0.jpg 0"],
    "list_gallery.txt": ["0000/0000_001_04_0302afternoon_0015_0_ex.jpg 0", "3059/3059_001_05_0113noon_0015_0.jpg 3059"],
}
SMALL = {"market1501": MARKET1501, "dukemtmc": DUKEMTMC, "folder": MARKET1501}


def made(root: Path, tree: dict[str, list[str]]) -> Path:
    """A folder with the folders of `tree`, and empty files in them."""
    for folder, names in tree.items():
        (root / folder).mkdir(parents=True)
        for name in names:
            (root / folder / name).touch()
    return root


def made_msmt17(root: Path, train: str = "train", test: str = "test") -> Path:
    root.mkdir(parents=True)
    for name, rows in MSMT17.items():
        (root / name).write_text("".join(f"{row}\n" for row in rows))
        for row in rows:
            file = root / (train if name in ("list_train.txt", "list_val.txt") else test) / row.split()[0]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    return root


def told(dataset: ReidDataset) -> list[list[tuple[str, int, int]]]:
    """Name, person and camera of every picture, part by part."""
    return [
        [(f.name, *pair) for f, *pair in zip(part.files, part.person.tolist(), part.camera.tolist(), strict=True)]
        for part in (dataset.train, dataset.query, dataset.gallery)
    ]


def test_market1501(tmp_path: Path) -> None:
    made(tmp_path, MARKET1501)
    for noise in ("Thumbs.db", ".0001_c1s1_000000_00.jpg", "notes.txt"):
        (tmp_path / GALLERY / noise).touch()
    dataset = read_market1501(tmp_path, check=False)
    assert dataset.name == "market1501"
    assert told(dataset) == [
        [("0002_c1s1_000451_03.jpg", 2, 1), ("0002_c2s1_000776_01.jpg", 2, 2), ("0007_c6s3_077419_03.jpg", 7, 6)],
        [("0001_c1s1_001051_00.jpg", 1, 1), ("1488_c1s6_023021_00.jpg.jpg", 1488, 1)],
        [("-1_c3s1_000401_03.jpg", -1, 3), ("0000_c1s1_000151_01.jpg", 0, 1), ("0001_c4s6_810354_01.jpg", 1, 4)],
    ]
    assert all(file.is_file() for file in dataset.gallery.files)


def test_dukemtmc(tmp_path: Path) -> None:
    dataset = read_dukemtmc(made(tmp_path, DUKEMTMC), check=False)
    assert told(dataset) == [
        [("0001_c2_f0046182.jpg", 1, 2)],
        [("0005_c2_f0046985.jpg", 5, 2), ("0005_c5_f0051781.jpg", 5, 5)],
        [("0002_c1_f0044158.jpg", 2, 1), ("0005_c8_f0000001.jpg", 5, 8)],
    ]


def test_cuhk03_detected_and_labeled(tmp_path: Path) -> None:
    made(tmp_path / "detected", CUHK03)
    made(tmp_path / "labeled", {**CUHK03, TRAIN: ["0009_c2_7.png"]})
    dataset = read_cuhk03(tmp_path, check=False)
    assert dataset.name == "cuhk03_detected"
    assert told(dataset) == [
        [("0001_c1_1.png", 1, 1)],
        [("0003_c1_22.png", 3, 1)],
        [("0003_c1_21.png", 3, 1), ("0003_c2_301.png", 3, 2)],
    ]
    by_hand = read_reid("cuhk03", tmp_path, boxes="labeled", check=False)
    assert (by_hand.name, by_hand.train.person.tolist()) == ("cuhk03_labeled", [9])
    with pytest.raises(DataError, match=r"train_pictures 1,.*7,365"):
        read_cuhk03(tmp_path)
    with pytest.raises(DataError, match=r"train_pictures 1,.*7,368"):
        read_cuhk03(tmp_path, boxes="labeled")
    with pytest.raises(ConfigError, match=r"key 'boxes'.*'labelled'.*expected 'labeled'"):
        read_cuhk03(tmp_path, boxes="labelled")  # type: ignore[arg-type]


def test_any_folder_in_that_naming(tmp_path: Path) -> None:
    tree = {TRAIN: [], QUERY: ["12_c3.png", "7_c104 noon.JPG"], GALLERY: ["12_c4_x.webp", "-1_c3-1.bmp", "0_c9s.jpeg"]}
    dataset = read_folder(made(tmp_path / "shop", tree))
    assert dataset.name == "shop"
    assert told(dataset) == [
        [],
        [("12_c3.png", 12, 3), ("7_c104 noon.JPG", 7, 104)],
        [("-1_c3-1.bmp", -1, 3), ("0_c9s.jpeg", 0, 9), ("12_c4_x.webp", 12, 4)],
    ]


@pytest.mark.parametrize("gallery", [["12_c3_x.jpg"], ["13_c4.jpg", "-1_c4.jpg", "0_c4.jpg"], []])
def test_a_folder_where_no_query_can_be_scored(tmp_path: Path, gallery: list[str]) -> None:
    made(tmp_path, {TRAIN: ["1_c1.jpg"], QUERY: ["12_c3.jpg", "12_c3_b.jpg"], GALLERY: gallery})
    with pytest.raises(DataError, match=r"none of 2 queries has its person in the gallery.*check=False"):
        read_folder(tmp_path)
    assert len(read_folder(tmp_path, check=False).query) == 2


@pytest.mark.parametrize(
    ("version", "train", "test"),
    [("MSMT17_V1", "train", "test"), ("MSMT17_V2", "mask_train_v2", "mask_test_v2"), ("", "train", "test")],
)
def test_msmt17(tmp_path: Path, version: str, train: str, test: str) -> None:
    root = tmp_path / "msmt17"
    folder = made_msmt17(root / version, train, test)
    dataset = read_msmt17(root, check=False)
    assert told(dataset) == [
        [
            ("0000_000_01_0303morning_0008_0.jpg", 1, 1),
            ("0001_002_15_0303noon_0017_2_ex.jpg", 2, 15),
            ("0001_000_02_0303morning_0017_2.jpg", 2, 2),
        ],
        [("0000_000_03_0303morning_0015_0.jpg", 1042, 3)],
        [("0000_001_04_0302afternoon_0015_0_ex.jpg", 1042, 4), ("3059_001_05_0113noon_0015_0.jpg", 4101, 5)],
    ]
    files = [*dataset.train.files, *dataset.query.files, *dataset.gallery.files]
    assert all(file.is_file() for file in files)
    assert {file.relative_to(folder).parts[0] for file in files} == {train, test}
    with pytest.raises(DataError, match=r"counted train_pictures 3.*train_pictures 32,621"):
        read_msmt17(root)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("0000/0000_000_16_0303morning_0008_0.jpg 0", "expected a picture and a person"),
        ("0000/0000_000_0303morning_0008_0.jpg 0", "expected a picture and a person"),
        ("0000/0000_000_01_0303morning_0008_0.jpg", "expected a picture and a person"),
        ("0000/0000_000_01_x/../../../../secret.jpg 0", "expected a picture and a person"),
        ("", "expected a picture and a person"),
        ("0000/0000_000_01_0303morning_0008_0.jpg 1", "person 1, and the picture is 0000/0000_000_01"),
        ("0001/0000_000_01_0303morning_0008_0.jpg 0", "the same number in folder, name and row"),
    ],
)
def test_a_row_of_msmt17_that_is_not_right(tmp_path: Path, row: str, problem: str) -> None:
    root = made_msmt17(tmp_path / "msmt17")
    path = root / "list_query.txt"
    path.write_text(f"{path.read_text()}{row}\n{row}\n")
    with pytest.raises(DataError, match=problem) as caught:
        read_msmt17(root, check=False)
    assert (caught.value.file, caught.value.row) == (str(path), 2)


def test_what_msmt17_can_lack(tmp_path: Path) -> None:
    root = made_msmt17(tmp_path / "msmt17")
    picture = root / "test" / MSMT17["list_gallery.txt"][1].split()[0]
    picture.unlink()
    with pytest.raises(DataError, match="3059_001_05") as caught:
        read_msmt17(root)
    assert (caught.value.file, caught.value.row) == (str(root / "list_gallery.txt"), 2)
    assert len(read_msmt17(root, check=False).gallery) == 2
    (root / "list_val.txt").write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"list_val.txt: cannot be read.*UTF-8"):
        read_msmt17(root, check=False)
    (root / "train").rename(root / "training")
    with pytest.raises(DataError, match=r"no folders train and test.*mask_train_v2"):
        read_msmt17(root, check=False)
    (root / "list_val.txt").unlink()
    with pytest.raises(DataError, match=r"no file list_val\.txt.*list_gallery\.txt beside train"):
        read_msmt17(root, check=False)
    with pytest.raises(DataError, match=r"nowhere: there is no file list_train.txt"):
        read_msmt17(tmp_path / "nowhere")


@pytest.mark.parametrize("part", [TRAIN, QUERY, GALLERY])
@pytest.mark.parametrize("format", SMALL)
def test_a_folder_that_is_missing(tmp_path: Path, format: str, part: str) -> None:
    tree = {folder: names for folder, names in SMALL[format].items() if folder != part}
    with pytest.raises(DataError, match=f"there is no folder {part} .*{TRAIN}/, {QUERY}/, {GALLERY}/") as caught:
        read_reid(format, made(tmp_path / "set", tree), check=False)
    assert caught.value.file == str(tmp_path / "set")


@pytest.mark.parametrize("part", [TRAIN, QUERY, GALLERY])
@pytest.mark.parametrize("format", SMALL)
def test_a_name_that_is_not_right(tmp_path: Path, format: str, part: str) -> None:
    wrong = made(tmp_path / "set", SMALL[format]) / part / "person 5.jpg"
    wrong.touch()
    with pytest.raises(DataError, match="no person and camera") as caught:
        read_reid(format, tmp_path / "set", check=False)
    assert caught.value.file == str(wrong)


@pytest.mark.parametrize("part", [TRAIN, QUERY])
@pytest.mark.parametrize("person", ["-1", "0000"])
def test_junk_and_distractors_are_for_the_gallery(tmp_path: Path, part: str, person: str) -> None:
    wrong = made(tmp_path, MARKET1501) / part / f"{person}_c1s1_000451_03.jpg"
    wrong.touch()
    with pytest.raises(DataError, match=f"is of person {int(person)} .expected people from 1") as caught:
        read_market1501(tmp_path, check=False)
    assert caught.value.file == str(wrong)


@pytest.mark.parametrize("format", ["market1501", "dukemtmc"])
def test_a_part_of_a_set_is_refused_unless_it_is_meant(tmp_path: Path, format: str) -> None:
    made(tmp_path, SMALL[format])
    with pytest.raises(DataError, match=r"counted train_pictures \d, .*train_pictures 1\d,\d\d\d") as caught:
        read_reid(format, tmp_path)
    assert caught.value.file == str(tmp_path)
    assert read_reid(format, tmp_path, check=False).name == format


@pytest.mark.parametrize(
    ("settings", "key", "words"),
    [
        ({"format": "market1510"}, "format", "no format 'market1510' .expected 'market1501'"),
        ({"format": "msmt"}, "format", "expected 'msmt17'"),
        ({"format": "folder", "boxes": "labeled"}, "boxes", "'labeled' of 'folder'"),
        ({"format": "cuhk03", "boxes": "detect"}, "boxes", "expected 'detected'"),
    ],
)
def test_settings_that_are_not_right(tmp_path: Path, settings: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        read_reid(root=tmp_path, **settings)
    assert caught.value.key == key


def touch_all(files: Iterable[Path]) -> None:
    folders: set[Path] = set()
    for file in files:
        if file.parent not in folders:
            file.parent.mkdir(parents=True)
            folders.add(file.parent)
        file.touch()


@pytest.mark.parametrize(("format", "lists"), [("market1501", "market1501"), ("dukemtmc", "dukeMTMC")])
def test_all_the_names_of_the_real_sets(shared_data: Path, tmp_path: Path, format: str, lists: str) -> None:
    paths = [shared_data / "reid_protocol" / f"{lists}_{part}.csv" for part in ("train", "query", "test")]
    if not paths[0].is_file():
        pytest.skip(f"{paths[0]} is absent")
    listed = read_protocol(*paths, tmp_path)
    touch_all((*listed.train.files, *listed.query.files, *listed.gallery.files))
    assert told(read_reid(format, tmp_path)) == told(listed)
