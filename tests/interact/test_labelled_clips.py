"""Labelled clips in files."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gocv.core import DataError
from gocv.interact.labelled import LabelledClips, one_hot, read_clips, write_clips


@pytest.fixture
def clips() -> LabelledClips:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(5, 2)).astype(np.float32)
    features[0, 1] = np.nan
    return LabelledClips(
        ("take", "none"),
        ("x", "y", "z"),
        ("a", "b"),
        frames=rng.normal(size=(5, 4, 3)).astype(np.float32),
        inside=rng.random((5, 4)) > 0.5,
        features=features,
        target=one_hot([0, 1, -1, 0, 1], 2),
        label=np.tile([-1, 0, 1, 1], (5, 1)),
        visit=np.arange(5),
    )


def test_what_is_written_is_read_again_rows_rounded_to_half_precision(clips, tmp_path) -> None:
    write_clips(clips, tmp_path / "deep" / "clips.safetensors")
    again = read_clips(tmp_path / "deep" / "clips.safetensors")
    assert (again.classes, again.channels, again.numbers) == (clips.classes, clips.channels, clips.numbers)
    np.testing.assert_allclose(again.frames, clips.frames, rtol=1e-3, atol=1e-3)
    for name in ("inside", "features", "target", "label", "visit"):
        np.testing.assert_array_equal(getattr(again, name), getattr(clips, name))


def test_no_clips_are_a_file_too(clips, tmp_path) -> None:
    write_clips(clips[:0], tmp_path / "none.safetensors")
    assert len(read_clips(tmp_path / "none.safetensors")) == 0


def test_names_and_columns_are_as_many(clips) -> None:
    for change in ({"channels": ("x",)}, {"numbers": ("a",)}, {"classes": ("a", "b", "c")}):
        with pytest.raises(DataError, match="columns"):
            dataclasses.replace(clips, **change)


def test_a_file_of_something_else_is_refused(tmp_path) -> None:
    (tmp_path / "other.safetensors").write_text("no clips")
    for name in ("other", "absent"):
        with pytest.raises(DataError, match=name):
            read_clips(tmp_path / f"{name}.safetensors")
