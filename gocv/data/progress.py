"""Progress on a terminal, and nothing where the output is none."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def with_progress(items: Iterable[Item], description: str, total: float | None = None) -> Iterator[Item]:
    """The `items`, one by one, under a bar on standard error if that is a terminal.

    Args:
        items: What there is to do.
        description: What it is, in a word or two.
        total: How many there are; None where that is not known.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description, total, console=Console(stderr=True), transient=True)
