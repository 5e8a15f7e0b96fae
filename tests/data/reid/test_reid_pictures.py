"""The tables of pictures, and what a data set counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gocv.core import ConfigError, DataError
from gocv.data.reid import ReidDataset, ReidPictures, check_published, unmatched_queries
from gocv.data.reid.published import PUBLISHED


def pictures(*rows: tuple[int, int]) -> ReidPictures:
    """A picture for each person and camera."""
    table = np.array(rows, np.int64).reshape(-1, 2)
    return ReidPictures(tuple(Path(f"{row}.jpg") for row in range(len(rows))), table[:, 0], table[:, 1])


FOUR = pictures((7, 1), (7, 2), (-1, 1), (0, 3))


@pytest.mark.parametrize(
    ("rows", "files", "people", "cameras"),
    [
        (FOUR.person > 0, ["0.jpg", "1.jpg"], [7, 7], [1, 2]),
        (np.array([3, 0, 3]), ["3.jpg", "0.jpg", "3.jpg"], [0, 7, 0], [3, 1, 3]),
        (np.array([-1]), ["3.jpg"], [0], [3]),
        (slice(1, 3), ["1.jpg", "2.jpg"], [7, -1], [2, 1]),
        ([2], ["2.jpg"], [-1], [1]),
        ([], [], [], []),
        (np.zeros(4, bool), [], [], []),
    ],
)
def test_rows_are_chosen_together(rows: Any, files: list[str], people: list[int], cameras: list[int]) -> None:
    chosen = FOUR[rows]
    assert [str(file) for file in chosen.files] == files
    assert (chosen.person.tolist(), chosen.camera.tolist(), len(chosen)) == (people, cameras, len(files))
    assert chosen.person.dtype == chosen.camera.dtype == np.int64


def test_one_row_is_asked_for_as_a_slice() -> None:
    with pytest.raises(TypeError, match=r"x\[i:i \+ 1\]"):
        FOUR[np.int64(1)]  # type: ignore[index]


@pytest.mark.parametrize(
    ("person", "camera", "words"),
    [
        ([1], [1, 1], r"person has shape \(1,\) \(expected \(2,\)"),
        ([1, 2], [1, 1, 1], r"camera has shape \(3,\)"),
        ([[1, 2]], [1, 1], r"person has shape \(1, 2\)"),
        ([1.0, 2.5], [1, 1], "person is of float64 .expected whole numbers"),
        ([1, 2], ["a", "b"], "camera is of <U1"),
    ],
)
def test_columns_that_do_not_fit(person: Any, camera: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        ReidPictures((Path("a.jpg"), Path("b.jpg")), person, camera)


def test_columns_are_not_to_be_changed_nor_shared() -> None:
    people = np.array([1, 2])
    held = ReidPictures((Path("a.jpg"), Path("b.jpg")), people, np.array([1, 1], np.int32))  # type: ignore[arg-type]
    people[0] = 9
    assert held.person.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        held.person[0] = 9


def test_counts() -> None:
    gallery = pictures((5, 2), (6, 3), (0, 4), (0, 4), (0, 4), (-1, 5))
    dataset = ReidDataset("a", pictures((1, 1), (1, 2), (2, 9)), pictures((5, 1)), gallery)
    assert dataset.counts() == {
        "train_pictures": 3,
        "train_people": 2,
        "query_pictures": 1,
        "query_people": 1,
        "gallery_pictures": 6,
        "gallery_people": 2,
        "gallery_distractors": 3,
        "gallery_junk": 1,
        "cameras": 6,
    }
    assert set(ReidDataset("a", pictures(), pictures(), pictures()).counts().values()) == {0}


def test_a_query_is_matched_by_another_camera_alone() -> None:
    gallery = pictures((5, 2), (6, 3), (6, 4), (-1, 1), (0, 1))
    queries = pictures((5, 1), (5, 2), (6, 3), (7, 1))
    assert unmatched_queries(ReidDataset("a", pictures(), queries, gallery)).tolist() == [False, True, False, True]
    assert unmatched_queries(ReidDataset("a", pictures(), pictures(), gallery)).shape == (0,)


@pytest.mark.parametrize(
    ("name", "people", "boxes"),
    [
        ("market1501", 1_501, 32_668),
        ("dukemtmc", 1_812, 36_411),
        ("msmt17", 4_101, 126_441),
        ("cuhk03_detected", 1_467, 14_097),
        ("cuhk03_labeled", 1_467, 14_096),
    ],
)
def test_the_published_counts_add_up_to_the_published_totals(name: str, people: int, boxes: int) -> None:
    published = PUBLISHED[name]
    assert published["train_people"] + published["gallery_people"] == people
    drawn_by_hand = published["query_pictures"] if name == "market1501" else 0
    pictures_of_all = sum(published[f"{part}_pictures"] for part in ("train", "query", "gallery"))
    assert pictures_of_all - drawn_by_hand == boxes


def test_what_was_counted_and_what_is_published_are_told() -> None:
    dataset = ReidDataset("market1501", pictures((1, 1)), pictures((5, 1)), pictures((5, 2)))
    with pytest.raises(DataError) as caught:
        check_published(dataset, file="there")
    text = str(caught.value)
    assert text.startswith("there: counted train_pictures 1, train_people 1,")
    assert "gallery_pictures 19,732" in text
    assert "check=False" in text
    with pytest.raises(ConfigError, match=r"'market1502' are published .expected 'market1501'"):
        check_published(ReidDataset("market1502", pictures(), pictures(), pictures()))
