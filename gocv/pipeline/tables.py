"""The run folder's tables: Parquet files of rows, and core types as rows and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gocv.core import CartEvent, DataError, Interaction, PlateId, Recognition, ShelfId, WeightEvent
from gocv.data.files import written_whole

_NUMBERS = pa.list_(pa.float64())

EVENTS = pa.schema(
    [
        *(("event", pa.string()), ("gondola", pa.int64()), ("shelf", pa.int64())),
        *((name, pa.float64()) for name in ("time_s", "start_s", "end_s", "total_g", "probability")),
        *(("plates", pa.list_(pa.string())), ("delta_g", _NUMBERS), ("covariance_g2", _NUMBERS)),
        *(("episode", pa.string()), ("settled_g2", _NUMBERS)),
    ]
)
CART_EVENTS = pa.schema(
    [
        *(("event", pa.string()), ("time_s", pa.float64()), ("shopper", pa.string()), ("product", pa.string())),
        *(("quantity", pa.int64()), ("probability", pa.float64())),
    ]
)

INTERACTIONS = pa.schema(
    [
        *(("shopper", pa.string()), ("hand", pa.int64()), ("zone", pa.string())),
        *(("start_s", pa.float64()), ("end_s", pa.float64())),
        *(("classes", pa.list_(pa.string())), ("probabilities", _NUMBERS)),
    ]
)
RECOGNITIONS = pa.schema(
    [
        *(("shopper", pa.string()), ("hand", pa.int64()), ("moved", pa.string())),
        *(("start_s", pa.float64()), ("end_s", pa.float64())),
        *(("products", pa.list_(pa.string())), ("likelihoods", _NUMBERS)),
    ]
)


def write_table(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    """Write rows as a Parquet table, whole or not at all."""
    with written_whole(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary)


def read_table(path: Path) -> list[dict[str, Any]]:
    """Rows of a table of a run.

    Raises:
        DataError: It is missing or broken.
    """
    try:
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as problem:
        expected = "the table that a stage of the run wrote: run the recording again"
        raise DataError(f"cannot be read: {problem}", file=path, expected=expected) from problem
    return rows


def event_rows(events: Iterable[WeightEvent]) -> list[dict[str, Any]]:
    """Rows of `EVENTS`."""
    return [
        {
            "event": e.id,
            "gondola": e.shelf.gondola,
            "shelf": e.shelf.shelf,
            "time_s": e.time_s,
            "start_s": e.start_s,
            "end_s": e.end_s,
            "total_g": e.total_g,
            "probability": e.probability,
            "plates": [str(p) for p in e.plates],
            "delta_g": e.delta_g.tolist(),
            "covariance_g2": e.covariance_g2.ravel().tolist(),
            "episode": e.episode,
            "settled_g2": e.settled_g2.ravel().tolist(),
        }
        for e in events
    ]


def events_from(rows: Iterable[Mapping[str, Any]]) -> list[WeightEvent]:
    """Weight events from rows of `EVENTS`."""
    return [
        WeightEvent(
            id=row["event"],
            shelf=ShelfId(row["gondola"], row["shelf"]),
            start_s=row["start_s"],
            end_s=row["end_s"],
            time_s=row["time_s"],
            plates=tuple(PlateId.parse(p) for p in row["plates"]),
            delta_g=np.array(row["delta_g"]),
            covariance_g2=_square(row["covariance_g2"]),
            probability=row["probability"],
            episode=row["episode"],
            settled_g2=_square(row["settled_g2"]),
        )
        for row in rows
    ]


def cart_event_rows(cart_events: Iterable[CartEvent]) -> list[dict[str, Any]]:
    """Rows of `CART_EVENTS`."""
    return [dataclasses.asdict(moved) for moved in cart_events]


def cart_events_from(rows: Iterable[Mapping[str, Any]]) -> list[CartEvent]:
    """Movements of carts from rows of `CART_EVENTS`."""
    return [CartEvent(**row) for row in rows]


def _square(values: Iterable[float]) -> NDArray[np.float64]:
    flat = np.array(list(values), dtype=np.float64)
    side = round(len(flat) ** 0.5)
    return flat.reshape(side, side)


def interaction_rows(interactions: Iterable[Interaction]) -> list[dict[str, Any]]:
    """Rows of `INTERACTIONS`."""
    return [
        {
            **{key: getattr(i, key) for key in ("shopper", "hand", "zone", "start_s", "end_s")},
            "classes": list(i.probabilities),
            "probabilities": list(i.probabilities.values()),
        }
        for i in interactions
    ]


def interactions_from(rows: Iterable[Mapping[str, Any]]) -> list[Interaction]:
    """Interactions from rows of `INTERACTIONS`."""
    return [
        Interaction(
            **{key: r[key] for key in ("shopper", "hand", "zone", "start_s", "end_s")},
            probabilities=dict(zip(r["classes"], r["probabilities"], strict=True)),
        )
        for r in rows
    ]


def recognition_rows(recognitions: Iterable[Recognition]) -> list[dict[str, Any]]:
    """Rows of `RECOGNITIONS`."""
    return [
        {
            **{key: getattr(r, key) for key in ("shopper", "hand", "moved", "start_s", "end_s")},
            "products": list(r.likelihoods),
            "likelihoods": list(r.likelihoods.values()),
        }
        for r in recognitions
    ]


def recognitions_from(rows: Iterable[Mapping[str, Any]]) -> list[Recognition]:
    """Recognitions from rows of `RECOGNITIONS`."""
    return [
        Recognition(
            **{key: r[key] for key in ("shopper", "hand", "moved", "start_s", "end_s")},
            likelihoods=dict(zip(r["products"], r["likelihoods"], strict=True)),
        )
        for r in rows
    ]
