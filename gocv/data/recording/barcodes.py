"""Barcodes that lost their leading zeros, as spreadsheets take them for numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_LENGTHS = (8, 12, 13, 14)
"""Of GTIN barcodes (GS1 General Specifications, section 7.9)."""

_SHORTEST = 10
"""Shorter ids are numbers of the store's own: a barcode has few leading zeros."""


def restored(ids: Iterable[str]) -> dict[str, str]:
    """The barcodes that are too short for lost zeros, and what they were.

    A table's barcodes have a length of their own: that of most of its ids with a right check digit. An id that is
    shorter and has a right check digit (zeros do not change it) has lost the zeros that it lacks, unless the whole
    barcode is another product's. Where some barcodes still begin with a zero, ids of 12 digits among those of 13, say,
    are whole as they are, and only what has the length of no barcode has lost any.

    >>> restored(["4006381333931", "4011800568412", "36000291452"])
    {'36000291452': '0036000291452'}
    """
    known = list(ids)
    lengths = Counter(len(i) for i in known if len(i) in _LENGTHS and _checks(i))
    if not lengths:
        return {}
    whole = max(lengths, key=lambda length: (lengths[length], length))
    kept = (
        (*_LENGTHS, *range(_SHORTEST)) if any(i.startswith("0") for i in known) else (*_LENGTHS[:1], *range(_SHORTEST))
    )
    short = [i for i in known if len(i) < whole and len(i) not in kept and _checks(i)]
    return {i: i.zfill(whole) for i in short if i.zfill(whole) not in known}


def _checks(digits: str) -> bool:
    """Whether the last digit is the check digit of the rest (GS1 General Specifications, section 7.9.1)."""
    if not (digits.isascii() and digits.isdigit()):
        return False
    return sum(int(d) * (3 if place % 2 else 1) for place, d in enumerate(reversed(digits))) % 10 == 0
