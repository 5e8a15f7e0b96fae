"""Progress on a terminal, and nothing where the output is none."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


class Progress:
    """Shows how far long work has come, on standard error, if that is a terminal."""

    def over(self, items: Iterable[Item], description: str, total: float | None = None) -> Iterator[Item]:
        """The `items`, one by one, under a bar; `total` None where it is not known how many there are."""
        if not sys.stderr.isatty():
            yield from items
            return
        from rich.console import Console
        from rich.progress import track

        yield from track(items, description, total, console=Console(stderr=True), transient=True)
