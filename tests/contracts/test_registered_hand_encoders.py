"""What holds for every encoder of hands that is registered, as it comes without any setting."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

import numpy as np
import pytest

from gocv.core import DataError, HandEncoder

PARTS = list(entry_points(group="gocv.hand_encoders"))


def pictures(count: int, size: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


@pytest.fixture(params=PARTS, ids=lambda entry: entry.name)
def encoder(request: pytest.FixtureRequest) -> HandEncoder:
    entry: EntryPoint = request.param
    made = entry.load()()
    assert isinstance(made, HandEncoder)
    return made


def test_it_gives_probabilities_and_vectors_of_length_1(encoder: HandEncoder) -> None:
    holds, vector = encoder.encode(pictures(5, encoder.size))
    assert (holds.shape, holds.dtype, vector.dtype) == ((5,), np.float32, np.float32)
    assert ((holds >= 0) & (holds <= 1)).all()
    np.testing.assert_allclose(np.linalg.norm(vector, axis=1), 1.0, atol=1e-4)


def test_a_picture_is_judged_alike_alone_and_among_others(encoder: HandEncoder) -> None:
    crops = pictures(3, encoder.size)
    together, alone = encoder.encode(crops), encoder.encode(crops[1:2])
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(a[1:2], b, atol=1e-4)


def test_no_pictures_are_valid_and_other_arrays_are_refused(encoder: HandEncoder) -> None:
    size = encoder.size
    holds, vector = encoder.encode(pictures(0, size))
    assert (len(holds), len(vector)) == (0, 0)
    assert vector.shape[1] == encoder.encode(pictures(1, size))[1].shape[1]
    for wrong in (pictures(2, size + 1), pictures(2, size).astype(np.float32)):
        with pytest.raises(DataError):
            encoder.encode(wrong)
