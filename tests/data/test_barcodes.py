from __future__ import annotations

import pytest

from gocv.data.recording.barcodes import restored


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["2004310000147", "204310000013", "2004310000406"], {"204310000013": "0204310000013"}),
        # Where some still begin with a zero, 12 digits are a barcode of their own.
        (["2004310000147", "204310000013", "0204310000273"], {}),
        # 11 digits are the length of no barcode.
        (["012345678905", "036000291452", "12345678905", "36000291452"], {}),
        (["012345678905", "042100005264", "36000291452"], {"36000291452": "036000291452"}),
        # A wrong check digit, a short number of the store's own, a name.
        (["2004310000147", "204310000014", "17", "tea"], {}),
        ([], {}),
    ],
)
def test_zeros_are_restored_where_they_were_lost(ids, expected):
    assert restored(ids) == expected
