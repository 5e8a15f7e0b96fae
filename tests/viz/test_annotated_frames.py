"""Annotated frames, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import DataError
from gocv.viz import annotate

BLUE = "#0072B2"
BLUE_RGB = np.array([0, 114, 178])


def _picture(height: int = 240, width: int = 320) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def _changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before != after).any(axis=2)


def test_a_box_is_drawn_on_its_edges_and_nowhere_else() -> None:
    picture = _picture()
    drawn = annotate(picture, [[40, 60, 140, 200]], [""], [BLUE])
    for row, column in ((60, 90), (200, 90), (130, 40), (130, 140)):
        np.testing.assert_array_equal(drawn[row, column], BLUE_RGB)
    changed = _changed(picture, drawn)
    assert not changed[70:190, 50:130].any()
    assert not changed[:, 150:].any()


def test_a_label_is_written_above_its_box_and_inside_the_picture() -> None:
    picture = _picture()
    low = _changed(picture, annotate(picture, [[40, 60, 140, 200]], ["shopper-1"], [BLUE]))
    assert low[46:58, 40:100].mean() > 0.9
    edge = annotate(picture, [[200, 0, 319, 200]], ["a very long name indeed"], [BLUE])
    label = edge[3:20, 120:318]
    assert (np.abs(label.astype(int) - 255).sum(axis=2) < 60).any()  # white letters
    assert (label == BLUE_RGB).all(axis=2).mean() > 0.2


def test_two_labels_differ_by_their_letters() -> None:
    picture = _picture()
    first, second = (annotate(picture, [[40, 60, 140, 200]], [name], [BLUE]) for name in ("shopper-1", "shopper-2"))
    assert _changed(first, second).any()


def test_a_trail_leads_through_its_points_and_fades_with_age() -> None:
    picture = np.zeros((240, 320, 3), np.uint8)
    trail = [[10.0, 220.0], [110.0, 220.0], [np.nan, 3.0], [210.0, 220.0]]
    drawn = annotate(picture, [[300, 10, 310, 20]], [""], [BLUE], trails=[trail])
    old, new = drawn[220, 30].astype(int), drawn[220, 190].astype(int)
    assert 0 < old.sum() < new.sum()
    assert not drawn[150].any()


def test_heads_are_made_unrecognisable_and_bodies_left_alone() -> None:
    picture = _picture()
    drawn = annotate(picture, (), (), (), blur=[[40, 50, 140, 200]])
    head = np.s_[50:100, 40:140]
    assert drawn[head].astype(float).std() < 0.25 * picture[head].astype(float).std()
    changed = _changed(picture, drawn)
    changed[50:102, 40:142] = False
    assert not changed.any()


def test_a_blurred_head_does_not_tell_what_was_there() -> None:
    """Two different faces of equal mean colour come out nearly the same."""
    picture = np.full((200, 200, 3), 128, np.uint8)
    other = picture.copy()
    other[::2, ::2], other[1::2, 1::2] = 60, 196
    first, second = (annotate(p, (), (), (), blur=[[0, 0, 200, 200]])[:38].astype(int) for p in (picture, other))
    assert np.abs(first - second).max() < 20


def test_boxes_are_drawn_over_the_blur() -> None:
    drawn = annotate(_picture(), [[40, 60, 140, 200]], [""], [BLUE], blur=[[40, 60, 140, 200]])
    np.testing.assert_array_equal(drawn[60, 90], BLUE_RGB)


def test_a_banner_stands_at_the_bottom() -> None:
    picture = _picture()
    changed = _changed(picture, annotate(picture, (), (), (), banner="camera 1 · 12.4 s"))
    assert changed[-20:].mean() > 0.95
    assert not changed[:200].any()


@pytest.mark.parametrize("box", [[-50, -50, 20, 20], [300, 200, 900, 900], [400, 300, 500, 400], [140, 200, 40, 60]])
def test_boxes_beyond_the_picture_or_turned_around_do_no_harm(box) -> None:
    picture = _picture()
    drawn = annotate(picture, [box], ["x"], [BLUE], blur=[box])
    assert drawn.shape == picture.shape


def test_the_input_is_not_changed_and_the_output_is_the_same_each_time() -> None:
    picture = _picture()
    kept = picture.copy()
    picture.flags.writeable = False
    arguments = ([[40, 60, 140, 200]], ["a"], [BLUE])
    first = annotate(picture, *arguments, banner="b", blur=[[1, 2, 90, 90]])
    np.testing.assert_array_equal(picture, kept)
    np.testing.assert_array_equal(first, annotate(picture, *arguments, banner="b", blur=[[1, 2, 90, 90]]))
    assert first.flags.writeable


@pytest.mark.parametrize("empty", [(), np.empty((0, 4), np.float32)])
def test_nothing_to_draw_gives_an_equal_picture(empty) -> None:
    np.testing.assert_array_equal(annotate(_picture(), empty, (), (), trails=(), blur=empty), _picture())


@pytest.mark.parametrize(
    ("picture", "boxes", "labels", "match"),
    [
        (np.zeros((4, 4, 3), np.float32), (), (), "float32"),
        (np.zeros((4, 4), np.uint8), (), (), "shape"),
        (np.zeros((0, 4, 3), np.uint8), (), (), "shape"),
        (np.zeros((4, 4, 3), np.uint8), [[0, 0, 1]], ("a",), "xyxy"),
        (np.zeros((4, 4, 3), np.uint8), [[0, 0, 1, np.nan]], ("a",), "xyxy"),
        (np.zeros((4, 4, 3), np.uint8), [[0, 0, 1, 1]], (), "labels"),
    ],
)
def test_what_cannot_be_drawn_is_refused(picture, boxes, labels, match) -> None:
    with pytest.raises(DataError, match=match):
        annotate(picture, boxes, labels, [BLUE] * len(labels))
