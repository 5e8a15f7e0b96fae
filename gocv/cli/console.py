"""What the commands print: tables for people, JSON for programs, errors in one line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gocv.core import GocvError, Receipt

if TYPE_CHECKING:
    from gocv.bench.result import BenchmarkResult

REFUSED = 1
"""Exit status when something could not be used: the message says what and where."""


def console() -> Console:
    """Standard output; where it is no terminal, wide enough that no table is cut."""
    out = Console()
    return out if out.is_terminal else Console(width=240)


@contextmanager
def refusing(file: Path | None = None) -> Iterator[None]:
    """Turn gocv's own errors into one line on standard error and exit status 1; `file` where they name none."""
    try:
        yield
    except GocvError as error:
        typer.echo(f"error: {error.within(file=file)}", err=True)
        raise typer.Exit(REFUSED) from error


def print_json(value: Any) -> None:
    """Write JSON to standard output."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def show_result(result: BenchmarkResult, json_file: Path | None) -> None:
    """Print the rows of a benchmark, and write all of it to a file where there is one."""
    if json_file is not None:
        result.write(json_file)
    print_rows(result.benchmark, result.rows)


def print_receipts(receipts: Sequence[Receipt], truth: Mapping[str, Mapping[str, int]] | None = None) -> None:
    """Print a line for each line of each receipt; with `truth` (units by product by shopper), what it should be."""
    table = Table()
    for header in ("shopper", "product", "name"):
        table.add_column(header, overflow="fold")
    for header in ("units", *(["truth"] if truth is not None else []), "probability"):
        table.add_column(header, justify="right")
    for receipt in receipts:
        really = {} if truth is None else truth.get(receipt.shopper or "", {})
        found = {line.product: line for line in receipt.items}
        shopper = receipt.shopper or "(nobody could be named)"
        for product in sorted({*found, *really}):
            line = found.get(product)
            right = [str(really.get(product, 0))] if truth is not None else []
            cells = (
                [line.name, str(line.quantity), *right, f"{line.probability:.3f}"] if line else ["", "0", *right, ""]
            )
            table.add_row(escape(shopper), product, *map(escape, cells))
        review = ": look at it" if receipt.needs_review else ""
        whole = f"whole receipt{', empty' if not found else ''}{review}"
        blank = ["", *([""] if truth is not None else [])]
        table.add_row(
            escape(shopper), "", f"[dim]{whole}[/dim]", *blank, f"{receipt.probability:.3f}", end_section=True
        )
    console().print(table)


def print_rows(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print mappings with common keys as a table."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(title=escape(title), title_justify="left")
    for column in columns:
        numeric = all(isinstance(row.get(column), (int, float)) for row in rows)
        table.add_column(escape(column), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(_cell(row.get(column))) for column in columns))
    console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
