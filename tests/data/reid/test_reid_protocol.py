"""Protocol lists: those of Market-1501 and DukeMTMC-reID, and made-up ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocv.core import DataError
from gocv.data.reid import ReidDataset, check_published, read_protocol, unmatched_queries

PARTS = ("train", "query", "gallery")
ROWS = {
    "train": "0002,bounding_box_train/0002_c1s1_000451_03.jpg\n",
    "query": "0001,query/0001_c1s1_001051_00.jpg\n5,query/0005_c2_f0046985.jpg\n",
    "gallery": "-1,test/-1_c1s1_000401_03.jpg\n0000,test/0000_c2s1_000401_03.jpg\n0001,test/0001_c3.jpg.jpg\n",
}


def read(folder: Path, **changed: str | bytes) -> ReidDataset:
    for part, rows in {**ROWS, **changed}.items():
        (folder / f"{part}.csv").write_bytes(rows if isinstance(rows, bytes) else rows.encode())
    train, query, gallery = (folder / f"{part}.csv" for part in PARTS)
    return read_protocol(train, query, gallery, "pictures")


def real(shared_data: Path, lists: str, name: str) -> ReidDataset:
    train, query, gallery = (
        shared_data / "reid_protocol" / f"{lists}_{part}.csv" for part in ("train", "query", "test")
    )
    if not train.is_file():
        pytest.skip(f"{train} is absent")
    return read_protocol(train, query, gallery, shared_data / name, name=name)


def test_lists(tmp_path: Path) -> None:
    dataset = read(tmp_path)
    assert dataset.name == "protocol"
    assert dataset.train.files == (Path("pictures/bounding_box_train/0002_c1s1_000451_03.jpg"),)
    assert (dataset.query.person.tolist(), dataset.query.camera.tolist()) == ([1, 5], [1, 2])
    assert (dataset.gallery.person.tolist(), dataset.gallery.camera.tolist()) == ([-1, 0, 1], [1, 2, 3])


def test_lists_as_spreadsheets_write_them_and_empty_ones(tmp_path: Path) -> None:
    dataset = read(tmp_path, train=b"\xef\xbb\xbf" + ROWS["train"].replace("\n", "\r\n").encode(), query="")
    assert dataset.train.person.tolist() == [2]
    assert len(dataset.query) == 0


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("0004,query/0005_c2_f0046985.jpg", "person '0004' .expected 5, as 0005_c2_f0046985.jpg says"),
        (",query/0005_c2_f0046985.jpg", "person ''"),
        ("x,query/0005_c2_f0046985.jpg", "person 'x'"),
        ("0005,query/0005_f0046985.jpg", "expected a person and a picture"),
        ("0005", "is '0005'"),
        ("0005,query/0005_c2_f0046985.jpg,2", "is '0005,query/0005_c2_f0046985.jpg,2'"),
        ("", "is ''"),
        ("0005,../../0005_c2_f0046985.jpg", "below the root"),
        ("0005,/0005_c2_f0046985.jpg", "below the root"),
        ('0005,"query/0005', "cannot be read"),
    ],
)
def test_a_row_that_is_not_right(tmp_path: Path, part: str, row: str, words: str) -> None:
    good = "0009,query/0009_c2_f0046985.jpg"
    with pytest.raises(DataError, match=words) as caught:
        read(tmp_path, **{part: f"{good}\n{row}\n"})
    assert caught.value.file == str(tmp_path / f"{part}.csv")
    assert caught.value.row == (None if words == "cannot be read" else 2)


def test_a_picture_that_is_listed_again(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"row 3: names query/0001_c1s1_001051_00.jpg again"):
        read(tmp_path, query=ROWS["query"] + "0001,query/0001_c1s1_001051_00.jpg\n")


@pytest.mark.parametrize("part", ["train", "query"])
def test_junk_to_learn_from_or_to_search_with(tmp_path: Path, part: str) -> None:
    with pytest.raises(DataError, match="is of person -1"):
        read(tmp_path, **{part: ROWS["gallery"]})


@pytest.mark.parametrize("rows", [b"\xff\n", None])
def test_a_list_that_cannot_be_read(tmp_path: Path, rows: bytes | None) -> None:
    read(tmp_path)
    path = tmp_path / "gallery.csv"
    path.unlink() if rows is None else path.write_bytes(rows)
    with pytest.raises(DataError, match=r"gallery\.csv: cannot be read"):
        read_protocol(tmp_path / "train.csv", tmp_path / "query.csv", path, "pictures")


def test_market1501s_lists(shared_data: Path) -> None:
    dataset = real(shared_data, "market1501", "market1501")
    assert dataset.counts() == {
        "train_pictures": 12_936,
        "train_people": 751,
        "query_pictures": 3_368,
        "query_people": 750,
        "gallery_pictures": 19_732,
        "gallery_people": 750,
        "gallery_distractors": 2_798,
        "gallery_junk": 3_819,
        "cameras": 6,
    }
    check_published(dataset)
    assert (dataset.gallery.person >= 0).sum() == 15_913
    assert not unmatched_queries(dataset).any()


def test_dukemtmcs_lists(shared_data: Path) -> None:
    dataset = real(shared_data, "dukeMTMC", "dukemtmc")
    assert dataset.counts() == {
        "train_pictures": 16_522,
        "train_people": 702,
        "query_pictures": 2_228,
        "query_people": 702,
        "gallery_pictures": 17_661,
        "gallery_people": 1_110,
        "gallery_distractors": 0,
        "gallery_junk": 0,
        "cameras": 8,
    }
    check_published(dataset)
    assert len(set(dataset.gallery.person.tolist()) - set(dataset.query.person.tolist())) == 408
    assert not unmatched_queries(dataset).any()


@pytest.mark.parametrize(("lists", "name"), [("market1501", "market1501"), ("dukeMTMC", "dukemtmc")])
def test_people_to_learn_from_are_not_searched_for(shared_data: Path, lists: str, name: str) -> None:
    dataset = real(shared_data, lists, name)
    learnt = set(dataset.train.person.tolist())
    assert not learnt & set(dataset.gallery.person.tolist())
    assert set(dataset.query.person.tolist()) <= set(dataset.gallery.person.tolist())
