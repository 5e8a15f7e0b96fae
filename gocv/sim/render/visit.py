"""A visit filmed by all cameras, written to a folder: videos, and the truth of each frame.

`truth/frames/NAME.parquet` has a row for each person in each frame: `frame` (int64, position in the video), `time_s`
(float64, the visit's clock), `name` (text), `staff` (bool), `left_px`, `top_px`, `right_px`, `bottom_px` (the whole
body, also where it is hidden or outside the image), `visible_left_px` … `visible_bottom_px` (what is seen; null where
nothing is), `visible_fraction` (float32), `keypoints_px` (34 float32: x, y of each of `gocv.data.poses.COCO17`; NaN
behind the camera), `keypoints_m` (51 float32: x, y, z), `keypoint_visible` (17 bool), `hands_px` (4 float32: left x,
y, right x, y), `hands_m` (6 float32), `hand_visible` (2 bool), `l_held` and `r_held` (text: product in the hand,
several joined by "+"; null where it is empty) and `l_held_units`, `r_held_units` (int64). A frame without people is
one row whose columns after `time_s` are null.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gocv.core import DataError, nearest
from gocv.data.files import written_whole
from gocv.data.parquet import BatchWriter
from gocv.data.poses import COCO17
from gocv.data.progress import with_progress
from gocv.data.video import write_video
from gocv.sim.render.frames import RenderedFrame, render_camera
from gocv.sim.render.people import People
from gocv.sim.scene import Scene

_BOX = ("left_px", "top_px", "right_px", "bottom_px")
_ROWS_A_GROUP = 5_000


def _numbers(kind: pa.DataType, count: int) -> pa.DataType:
    return pa.list_(kind, count)


_SCHEMA = pa.schema(
    [
        pa.field("frame", pa.int64(), nullable=False),
        pa.field("time_s", pa.float64(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("staff", pa.bool_()),
        *(pa.field(name, pa.float32()) for name in _BOX),
        *(pa.field(f"visible_{name}", pa.float32()) for name in _BOX),
        pa.field("visible_fraction", pa.float32()),
        pa.field("keypoints_px", _numbers(pa.float32(), 2 * len(COCO17))),
        pa.field("keypoints_m", _numbers(pa.float32(), 3 * len(COCO17))),
        pa.field("keypoint_visible", _numbers(pa.bool_(), len(COCO17))),
        pa.field("hands_px", _numbers(pa.float32(), 4)),
        pa.field("hands_m", _numbers(pa.float32(), 6)),
        pa.field("hand_visible", _numbers(pa.bool_(), 2)),
        pa.field("l_held", pa.string()),
        pa.field("r_held", pa.string()),
        pa.field("l_held_units", pa.int64()),
        pa.field("r_held_units", pa.int64()),
    ]
)


def render_visit(
    scene: Scene,
    folder: str | Path,
    *,
    rate_hz: float = 10.0,
    cameras: Sequence[str] | None = None,
    seed: int,
    workers: int = 2,
    until_s: float | None = None,
    dark: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> dict[str, int]:
    """Film a visit: `video/NAME.mp4` and `truth/frames/NAME.parquet` for each camera, each file whole or not at all.

    The cameras are filmed in processes of their own, so a script that calls this does so under
    `if __name__ == "__main__":`.

    Args:
        scene: The visit.
        folder: Where to.
        rate_hz: Frames a second.
        cameras: Names; all of the store where None.
        seed: As for `render_camera`.
        workers: How many cameras are filmed at a time; 1 films here, one after the other.
        until_s: Where to stop; the end of the visit where None, and never after it.
        dark: By camera, from when until when it is dead and gives black pictures; the truth goes on.

    Returns:
        How many frames each camera has.

    Raises:
        DataError: There is no camera, none of that name, no worker, or as for `render_camera`.
        MissingDependencyError: The graphics library is not installed, or cannot draw here.
    """
    names = list(scene.layout.cameras if cameras is None else cameras)
    for name in names:
        if name not in scene.layout.cameras:
            raise DataError(f"there is no camera {name}", key="cameras", expected=nearest(name, scene.layout.cameras))
    if not names or workers < 1:
        raise DataError(f"{len(names)} cameras and {workers} workers", expected="at least 1 of each")
    end_s = scene.duration_s if until_s is None else min(until_s, scene.duration_s)
    jobs = [(scene, name, Path(folder), rate_hz, seed, end_s, (dark or {}).get(name, ())) for name in names]
    if workers == 1 or len(names) == 1:
        return {job[1]: _film(*job, None) for job in jobs}
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        ticks = manager.Queue()
        pool = ProcessPoolExecutor(min(workers, len(names)), mp_context=context, initializer=_one_core)
        with pool:
            futures = [pool.submit(_film, *job, ticks) for job in jobs]
            total = len(names) * int(np.ceil(end_s * rate_hz - 1e-9))
            for _ in with_progress(_until_done(ticks, futures), "film", total):
                pass
            return {name: future.result() for name, future in zip(names, futures, strict=True)}


def _one_core() -> None:
    """Each worker has one core: Mesa and the linear algebra would start a thread for each core of the machine."""
    os.environ.setdefault("LP_NUM_THREADS", "1")
    threadpool_limits(1)


def _until_done(ticks: Any, futures: Sequence[Future[int]]) -> Iterator[None]:
    """A tick for each frame, until all cameras are filmed or one of them failed."""
    while True:
        try:
            ticks.get(timeout=0.2)
            yield
        except queue.Empty:
            done = wait(futures, timeout=0).done
            if len(done) == len(futures) or any(future.exception() for future in done):
                for future in futures:
                    future.cancel()
                return


def _film(
    scene: Scene,
    name: str,
    folder: Path,
    rate_hz: float,
    seed: int,
    end_s: float,
    dark: Sequence[tuple[float, float]],
    ticks: Any | None,
) -> int:
    """One camera's two files; the number of frames."""
    frames = render_camera(scene, name, rate_hz=rate_hz, seed=seed, until_s=end_s)
    total = int(np.ceil(end_s * rate_hz - 1e-9))
    metadata = {"gocv.camera": name, "gocv.seed": str(seed), "gocv.keypoints": json.dumps(COCO17)}
    with written_whole(folder / "truth" / "frames" / f"{name}.parquet") as partial:
        table = BatchWriter(partial, _SCHEMA, _ROWS_A_GROUP)

        def images() -> Iterator[NDArray[np.uint8]]:
            for frame in frames if ticks is not None else with_progress(frames, f"film {name}", total):
                table.write(_batch(frame))
                if ticks is not None:
                    ticks.put(None)
                is_dark = any(start <= frame.time_s < end for start, end in dark)
                yield np.zeros_like(frame.image) if is_dark else frame.image

        try:
            return write_video(folder / "video" / f"{name}.mp4", images(), rate_hz)
        finally:
            table.close(metadata)


def _batch(frame: RenderedFrame) -> pa.RecordBatch:
    assert frame.people is not None
    people = frame.people
    if not len(people):
        nothing = {field.name: [None] for field in _SCHEMA}
        return pa.RecordBatch.from_pydict({**nothing, "frame": [frame.index], "time_s": [frame.time_s]}, _SCHEMA)
    n = len(people)
    columns: dict[str, Any] = {
        "frame": np.full(n, frame.index),
        "time_s": np.full(n, frame.time_s),
        "name": people.name.tolist(),
        "staff": people.staff,
        "visible_fraction": people.visible_fraction.astype(np.float32),
    }
    for k, name in enumerate(_BOX):
        columns[name] = people.xyxy[:, k].astype(np.float32)
        seen = people.visible_xyxy[:, k].astype(np.float32)
        columns[f"visible_{name}"] = pa.array(seen, mask=np.isnan(seen))
    for name in ("keypoints_px", "keypoints_m", "keypoint_visible", "hands_px", "hands_m", "hand_visible"):
        columns[name] = _lists(getattr(people, name), _SCHEMA.field(name).type)
    columns |= _held(people)
    arrays = [pa.array(columns[field.name], field.type) for field in _SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)


def _held(people: People) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for side, letter in enumerate("lr"):
        columns[f"{letter}_held"] = [product or None for product in people.held[:, side].tolist()]
        columns[f"{letter}_held_units"] = people.held_units[:, side]
    return columns


def _lists(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    flat = pa.array(values.reshape(-1), values.dtype.name).cast(kind.value_type)
    return pa.FixedSizeListArray.from_arrays(flat, kind.list_size)
