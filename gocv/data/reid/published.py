"""Whether a data set was read right: its published counts, and what holds for all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, DataError, nearest
from gocv.data.reid.pictures import DISTRACTOR, ReidDataset, ReidPictures

_PARTS = ("train", "query", "gallery")


def _counts(
    people: tuple[int, int, int], pictures: tuple[int, int, int], cameras: int, distractors: int = 0, junk: int = 0
) -> dict[str, int]:
    """Counts as `ReidDataset.counts` gives them; people and pictures are those of training, query and gallery."""
    return {
        **{f"{part}_people": count for part, count in zip(_PARTS, people, strict=True)},
        **{f"{part}_pictures": count for part, count in zip(_PARTS, pictures, strict=True)},
        "gallery_distractors": distractors,
        "gallery_junk": junk,
        "cameras": cameras,
    }


PUBLISHED = {
    # The paper has 2,793 distractors; the files are 2,798, which with 13,115 matches make the 15,913 of all who score.
    "market1501": _counts((751, 750, 750), (12_936, 3_368, 19_732), 6, distractors=2_798, junk=3_819),
    "dukemtmc": _counts((702, 702, 1_110), (16_522, 2_228, 17_661), 8),
    "msmt17": _counts((1_041, 3_060, 3_060), (32_621, 11_659, 82_161), 15),
    "cuhk03_detected": _counts((767, 700, 700), (7_365, 1_400, 5_332), 2),
    "cuhk03_labeled": _counts((767, 700, 700), (7_368, 1_400, 5_328), 2),
}
"""Counts of the data sets, by name."""


def check_published(dataset: ReidDataset, *, file: str | Path | None = None) -> None:
    """Compare a data set with the published counts of its name.

    Args:
        dataset: Named "market1501", "dukemtmc", "msmt17", "cuhk03_detected" or "cuhk03_labeled".
        file: Where it was read, for the error.

    Raises:
        DataError: A count is another; it is named, with what was published.
        ConfigError: There are no counts of that name.
    """
    if dataset.name not in PUBLISHED:
        expected = nearest(dataset.name, PUBLISHED)
        raise ConfigError(f"no counts of '{dataset.name}' are published", key="name", expected=expected)
    counted, published = dataset.counts(), PUBLISHED[dataset.name]
    wrong = [key for key in counted if counted[key] != published[key]]
    if wrong:
        raise DataError(
            "counted " + ", ".join(f"{key} {counted[key]:,}" for key in wrong),
            file=file,
            expected=", ".join(f"{key} {published[key]:,}" for key in wrong)
            + " as published; check=False reads a part of the data set",
        )


def unmatched_queries(dataset: ReidDataset) -> NDArray[np.bool_]:
    """Which queries have no picture of their person in the gallery that another camera took; they cannot be scored.

    Returns:
        (queries,) bool.
    """
    gallery, query = dataset.gallery, dataset.query
    seen_by: dict[int, set[int]] = {}
    for person, camera in zip(gallery.person.tolist(), gallery.camera.tolist(), strict=True):
        seen_by.setdefault(person, set()).add(camera)
    pairs = zip(query.person.tolist(), query.camera.tolist(), strict=True)
    return np.array([not seen_by.get(person, set()) - {camera} for person, camera in pairs], np.bool_)


def refuse_nobody(pictures: ReidPictures) -> None:
    """Refuse junk and distractors, which are for the gallery alone.

    Raises:
        DataError: There is one; its file is named.
    """
    nobody = np.flatnonzero(pictures.person <= DISTRACTOR)
    if len(nobody):
        raise DataError(
            f"is of person {pictures.person[nobody[0]]}",
            file=pictures.files[nobody[0]],
            expected="people from 1: 0 and -1 are distractors and junk, for the gallery alone",
        )
