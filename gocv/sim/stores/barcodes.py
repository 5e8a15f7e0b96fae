"""Barcodes for products that never existed."""

from __future__ import annotations


def in_store_barcode(item: int) -> str:
    """A barcode of 13 digits for one of up to a million made-up products.

    It carries a right check digit and lies in the ranges that GS1 reserves for use inside a shop (02 and 20 in turn),
    so that it is that of no product anywhere. Those of range 02 begin with a zero: text, never a number.

    >>> in_store_barcode(0), in_store_barcode(1)
    ('0204310000013', '2004310000147')
    """
    prefix = "02" if item % 2 == 0 else "20"
    return _with_check_digit(f"{prefix}0431{(item * 13 + 1) % 1_000_000:06d}")


def _with_check_digit(digits: str) -> str:
    """GS1 General Specifications, section 7.9: weights 3 and 1 from the right, sum to a multiple of ten."""
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)
