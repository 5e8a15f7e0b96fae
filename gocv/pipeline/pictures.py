"""Pictures of a run: the report, the shelves against time, and annotated clips."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gocv.core import CartEvent, GocvError
from gocv.data.detections import read_detections
from gocv.data.floor_tracks import read_floor_tracks
from gocv.data.progress import with_progress
from gocv.data.recording import Camera, Recording
from gocv.data.video import write_video
from gocv.pipeline.joining import PERSON
from gocv.pipeline.perception import footage
from gocv.pipeline.receipts import read_receipts, truth_beside
from gocv.pipeline.tables import cart_events_from, events_from, read_table
from gocv.shelf import episodes
from gocv.viz import annotate, draw_report, draw_timeline, shelf_panels, shopper_colours

_TRAIL_FRAMES = 20
_SAID_FOR_S = 2.5


def draw_run(recording: Recording, folder: Path) -> list[Path]:
    """Draw `report.png` (floor, shelves, receipts) and `timeline.png` (weight against time) into a run's folder.

    Raises:
        DataError: The run is not finished.
    """
    samples = (chunk for group in recording.scales for chunk in recording.scale_chunks(group))
    # Receipts speak of episodes: their steps are no events of their own.
    found = episodes(events_from(read_table(folder / "events.parquet")))
    panels = shelf_panels(samples, [episode.between(0, len(episode.events)) for episode in found])
    shoppers = read_floor_tracks(folder / "shoppers.parquet")
    moved = cart_events_from(read_table(folder / "cart_events.parquet"))
    receipts = read_receipts(folder / "receipts.json")
    report, timeline = folder / "report.png", folder / "timeline.png"
    draw_report(
        report,
        title=recording.name,
        store=recording.store,
        shoppers=shoppers,
        panels=panels,
        cart_events=moved,
        receipts=receipts,
        truth=truth_beside(receipts, recording),
    )
    draw_timeline(
        timeline, title=recording.name, store=recording.store, shoppers=shoppers, panels=panels, cart_events=moved
    )
    return [report, timeline]


def draw_clips(recording: Recording, folder: Path) -> list[Path]:
    """Draw `CAMERA.mp4` for each camera with footage and tracks: boxes, identities, trails, what was just taken.

    Heads are blurred. A clip that cannot be read is left out; the run's report says why.

    Raises:
        DataError: The run is not finished.
    """
    moved = cart_events_from(read_table(folder / "cart_events.parquet"))
    names = {product.id: product.name for product in recording.store.products.values()}
    drawn = []
    for camera in recording.cameras:
        tracks = folder / f"tracks-{camera.name}.parquet"
        if camera.video is None or not tracks.is_file():
            continue
        try:
            frames = _annotated(camera, tracks, moved, names)
            steady = with_progress(frames, f"draw {camera.name}")
            write_video(folder / f"{camera.name}.mp4", steady, footage(camera).rate_hz or 10.0)
        except GocvError:
            continue
        drawn.append(folder / f"{camera.name}.mp4")
    return drawn


def _annotated(
    camera: Camera, tracks: Path, moved: Sequence[CartEvent], names: Mapping[str, str]
) -> Iterator[NDArray[np.uint8]]:
    table = read_detections(tracks, PERSON)
    position = {frame: i for i, frame in enumerate(table.frame.tolist())}
    trails: dict[int, deque[tuple[float, float]]] = defaultdict(lambda: deque(maxlen=_TRAIL_FRAMES))
    colours = shopper_colours(str(track) for track in np.unique(table.track_id))
    for frame in footage(camera):
        row = position.get(frame.index)
        boxes = np.empty((0, 4)) if row is None else table.detections(row).xyxy
        ids = [] if row is None else table.track_ids(row).tolist()
        for track, (left, _, right, bottom) in zip(ids, boxes, strict=True):
            trails[track].append(((left + right) / 2, bottom))
        shown = [i for i, track in enumerate(ids) if track > 0]
        yield annotate(
            frame.image,
            boxes[shown],
            [f"track {ids[i]}" for i in shown],
            [colours[str(ids[i])] for i in shown],
            trails=[np.array(trails[ids[i]]) for i in shown],
            banner=_banner(frame.time_s, moved, names),
            blur=boxes,
        )


def _banner(time_s: float, moved: Sequence[CartEvent], names: Mapping[str, str]) -> str:
    recent = [
        f"{m.shopper or 'somebody'} {'takes' if m.quantity > 0 else 'puts back'} {abs(m.quantity)} × {names[m.product]}"
        for m in moved
        if 0 <= time_s - m.time_s < _SAID_FOR_S
    ]
    return "   ".join([f"{time_s:5.1f} s", *recent])
