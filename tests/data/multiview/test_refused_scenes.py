"""What is wrong in the labels of WILDTRACK's form is named; a scene of nothing but frames is valid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gocv.core import DataError
from gocv.data.multiview import MULTIVIEW_KINDS, read_multiview

MATRIX = "<camera_matrix><data>900 0 960 0 900 540 0 0 1</data></camera_matrix>"
LENS = "<distortion_coefficients><data>0 0 0 0 0</data></distortion_coefficients>"
BOX = {"viewNum": 0, "xmin": 5, "ymin": 5, "xmax": 50, "ymax": 99}
PERSON = {"personID": 1, "positionID": 481, "views": [BOX]}
AWAY = {"viewNum": 0, "xmin": -1, "ymin": -1, "xmax": -1, "ymax": -1}


def scene(folder: Path, people: Any, name: str = "00000005.json") -> Path:
    """A set of one camera and one labelled frame."""
    files = {
        "calibrations/extrinsic/extr_A.xml": "<rvec>2 0 0</rvec><tvec>0 0 300</tvec>",
        "calibrations/intrinsic_zero/intr_A.xml": MATRIX + LENS,
    }
    for place, text in files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(f"<opencv_storage>{text}</opencv_storage>")
    (folder / "annotations_positions").mkdir()
    (folder / "annotations_positions" / name).write_text(people if isinstance(people, str) else json.dumps(people))
    return folder


def test_a_label_is_read(tmp_path: Path) -> None:
    found = read_multiview(scene(tmp_path, [{**PERSON, "personID": 4, "views": [AWAY]}, PERSON]), "wildtrack")
    assert found.truth.person.tolist() == [1, 4]
    assert found.truth.time_s.tolist() == [0.5, 0.5]
    np.testing.assert_allclose(found.truth.xy_m, [[-2.975, -8.975]] * 2)
    assert found.labels["A"].boxes.xyxy.tolist() == [[5, 5, 50, 99]]
    assert found.labels["A"].track_id.tolist() == [1]
    assert found.labels["A"].frame.tolist() == [5]


def test_a_frame_of_nobody_is_there(tmp_path: Path) -> None:
    found = read_multiview(scene(tmp_path, []), "wildtrack")
    assert len(found.truth) == 0
    assert len(found.labels["A"]) == 1
    assert len(found.labels["A"].boxes) == 0


@pytest.mark.parametrize(
    ("people", "place", "expected"),
    [
        ("[", "00000005.json", "is no JSON"),
        ({}, "00000005.json", "not a list of people"),
        ([1], "row 1, key 'personID'", "a whole number"),
        ([{**PERSON, "personID": True}], "personID", "a whole number"),
        ([PERSON, {**PERSON, "personID": 2, "positionID": 480 * 1440}], "row 2, key 'positionID'", "below 691200"),
        ([{**PERSON, "views": 3}], "views", "a box a view"),
        ([{**PERSON, "views": [{**BOX, "viewNum": 1}]}], "viewNum", "below 1"),
        ([{**PERSON, "views": [{**BOX, "xmax": 5}]}], "views", "no area"),
        ([{**PERSON, "views": [{**BOX, "ymax": None}]}], "views", "4 finite numbers"),
        ([PERSON, PERSON], "personID", "stands there twice"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, people: Any, place: str, expected: str) -> None:
    with pytest.raises(DataError) as error:
        read_multiview(scene(tmp_path, people), "wildtrack")
    assert place in str(error.value)
    assert expected in str(error.value)


def test_a_frame_has_a_number(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"first\.json.*00000005\.json"):
        read_multiview(scene(tmp_path, [], "first.json"), "wildtrack")


def test_there_must_be_a_frame(tmp_path: Path) -> None:
    (scene(tmp_path, []) / "annotations_positions/00000005.json").unlink()
    with pytest.raises(DataError, match="no labelled frame"):
        read_multiview(tmp_path, "wildtrack")


def test_the_nanostore_is_refused_with_its_reason(tmp_path: Path) -> None:
    assert "nanostore" in MULTIVIEW_KINDS
    with pytest.raises(DataError, match="another date"):
        read_multiview(tmp_path, "nanostore")


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'campus'"):
        read_multiview(tmp_path, "campsu")
