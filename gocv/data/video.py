"""Video in and out: frames with the times at which the camera took them, and annotated clips."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from gocv.core import DataError, Frame
from gocv.data.files import written_whole
from gocv.data.video_report import Header, Order, Tally, VideoReport

__all__ = ["VideoReader", "VideoReport", "write_video"]

_MAX_READ_FAILURES = 32
"""Failed reads in a row after which the rest of a container is given up."""


class VideoReader:
    """An iterable of the frames of a video, decoded as they are asked for; each pass over it reads the file anew.

    `time_s` of the frames strictly ascends.

    Args:
        path: The video.
        camera: Name given to the frames.
        time_offset_s: Added to every time: the recording's time at the start of the video.
        timestamps: (n,) float64, seconds, the time of each frame of the file by position, to be used in place of
            the container's (a capture log, for instance); `time_offset_s` is added to these too.
        start_s: Leave out frames before this time on the recording's clock. The file is sought, not decoded from
            its beginning.
        end_s: Leave out frames at or after this time on the recording's clock.

    Attributes:
        path: The video.
        width: Pixels.
        height: Pixels.
        rate_hz: The nominal rate in the header; None where there is none. Never the time of a frame.

    Raises:
        DataError: The file is missing or is not a video, or `timestamps` do not fit it.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        camera: str,
        time_offset_s: float = 0.0,
        timestamps: NDArray[np.float64] | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
    ) -> None:
        self.path = Path(path)
        self._camera = camera
        self._offset_s = time_offset_s
        self._start_s = -np.inf if start_s is None else start_s
        self._end_s = np.inf if end_s is None else end_s
        with _open(self.path) as container:
            self._header = _read_header(container, self.path)
        self.width, self.height, self.rate_hz = self._header.width, self._header.height, self._header.rate_hz
        self._given = None if timestamps is None else self._checked(timestamps)
        self._tally = Tally(self._header, given=self._given is not None)

    @property
    def report(self) -> VideoReport:
        """What the latest pass has found so far."""
        return self._tally.report()

    def __iter__(self) -> Iterator[Frame]:
        positions = self._scan() if np.isfinite(self._start_s) else None
        if positions is not None:
            try:
                yield from self._pass(positions)
                return
            except _SoughtTooFar:
                pass  # the format seeks badly: read it from its beginning instead
        yield from self._pass(None)

    def _pass(self, positions: NDArray[np.int64] | None) -> Iterator[Frame]:
        """Frames from the key frame before the start where the packets' `positions` are known, else from the top."""
        self._tally = tally = Tally(self._header, given=self._given is not None)
        with _open(self.path) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            if positions is not None:
                container.seek(self._wanted_pts(positions), stream=stream)
            order = Order(positions)
            for image in _decode(container, stream, order):
                index, lost = order.place(image)
                if tally.untouched and positions is not None and self._misses_start(image, positions):
                    raise _SoughtTooFar
                time_s = self._time(image, index)
                if not tally.accept(time_s, lost, damaged=image.is_corrupt, wanted=time_s >= self._start_s):
                    continue
                if time_s >= self._end_s:
                    tally.finish(None)
                    return
                if time_s >= self._start_s:
                    tally.frames += 1
                    rgb = np.asarray(image.to_ndarray(format="rgb24"), np.uint8)
                    yield Frame(rgb, self._camera, time_s, index)
            tally.finish(order)

    def _time(self, image: av.VideoFrame, index: int) -> float:
        pts = None if image.pts is None else image.pts - self._header.start_pts
        if self._given is not None:
            if pts is not None:
                self._tally.video_time(index, pts)  # so that the end of the file can be held against its header
            if index >= len(self._given):
                raise DataError(
                    f"there are {len(self._given)} timestamps and more frames than that",
                    file=self.path,
                    key="timestamps",
                    expected="one for every frame",
                )
            return float(self._given[index]) + self._offset_s
        return self._tally.video_time(index, pts) + self._offset_s

    def _scan(self) -> NDArray[np.int64] | None:
        """Presentation times of all packets, sorted; None where the container has none. Reads without decoding."""
        with _open(self.path) as container:
            order = Order(None)
            for _ in _packets(container, container.streams.video[0], order):
                pass
        return np.sort(np.array(order.seen, np.int64)) if order.seen and None not in order.seen else None

    def _wanted_pts(self, positions: NDArray[np.int64]) -> int:
        if self._given is not None:
            first = int(np.searchsorted(self._given + self._offset_s, self._start_s))
            return int(positions[min(first, len(positions) - 1)])
        return self._header.start_pts + int((self._start_s - self._offset_s) / self._header.time_base_s)

    def _misses_start(self, first: av.VideoFrame, positions: NDArray[np.int64]) -> bool:
        if first.pts is None or first.pts not in positions:  # after a seek some formats guess where they are
            return True
        skipped = positions[positions < first.pts]
        return bool(len(skipped)) and bool(skipped[-1] >= self._wanted_pts(positions))

    def _checked(self, timestamps: NDArray[np.float64]) -> NDArray[np.float64]:
        given = np.asarray(timestamps, np.float64)
        if given.ndim != 1 or not np.isfinite(given).all():
            raise DataError(
                f"timestamps have shape {given.shape} and {np.count_nonzero(~np.isfinite(given))} that are not finite",
                file=self.path,
                key="timestamps",
                expected="(n,) finite seconds",
            )
        if len(given) < self._header.frames:
            raise DataError(
                f"there are {len(given)} timestamps",
                file=self.path,
                key="timestamps",
                expected=f"one for each of the {self._header.frames} frames",
            )
        return given


class _SoughtTooFar(Exception):
    """A seek landed after the first frame that was wanted."""


def _open(path: Path) -> Any:
    """The container, open for reading."""
    try:
        container = av.open(str(path))
    except FileNotFoundError as error:
        raise DataError("there is no such video", file=path) from error
    except (FFmpegError, OSError) as error:
        problem = f"is not a video that can be read: {error.strerror}"
        if path.is_file() and _starts_as_mp4(path):
            problem = "is an MP4 without its index (moov): cut off while it was written, or damaged"
        raise DataError(problem, file=path) from error
    # FFmpeg takes any text file for a film of a terminal.
    if not container.streams.video or container.format.name == "tty":
        container.close()
        raise DataError("holds no video", file=path)
    return container


def _starts_as_mp4(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8)[4:] == b"ftyp"


def _read_header(container: Any, path: Path) -> Header:
    stream = container.streams.video[0]
    if not stream.width or not stream.height:
        raise DataError("holds no picture", file=path)
    rate = stream.guessed_rate or stream.average_rate
    rate_hz = float(rate) if rate else None
    alone = len(container.streams) == 1
    duration = stream.duration * stream.time_base if stream.duration else None
    if duration is None and container.duration:
        duration = container.duration / av.time_base
    start_s = float((stream.start_time or 0) * stream.time_base)
    return Header(
        width=stream.width,
        height=stream.height,
        rate_hz=rate_hz,
        frames=stream.frames,
        duration_s=None if duration is None else float(duration),
        # The last frame starts one period before the end, some formats count the duration from 0 and not from the
        # first frame, and sound beside the picture may outlast it.
        slack_s=max(2.5 / rate_hz if rate_hz else 1.0, 0.0 if alone else 1.0) + max(0.0, start_s),
        time_base_s=float(stream.time_base),
        start_pts=stream.start_time or 0,
    )


def _packets(container: Any, stream: Any, order: Order) -> Iterator[Any]:
    """Packets to the end of the file, then the empty one that flushes the decoder; reads on after a failure."""
    packets = container.demux(stream)
    failures = 0
    while failures < _MAX_READ_FAILURES:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except FFmpegError:
            failures += 1
            order.failed_reads += 1
            packets = container.demux(stream)
            continue
        failures = 0
        if packet.size:
            order.read(packet)
        yield packet


def _decode(container: Any, stream: Any, order: Order) -> Iterator[av.VideoFrame]:
    """Pictures that decode, in order of display."""
    for packet in _packets(container, stream, order):
        try:
            images = packet.decode()
        except FFmpegError:
            order.failed_decodes += 1
            continue
        yield from images


def write_video(path: str | Path, frames: Iterable[NDArray[np.uint8]], rate: float) -> int:
    """Write pictures as a video of constant rate: H.264 where this build of FFmpeg has it, else MPEG-4.

    The file is written beside its place and moved there when it is whole: it appears complete or not at all.

    Args:
        path: Where to; the ending says which container (".mp4", ".mkv", …).
        frames: (H, W, 3) uint8 RGB pictures of one size. An odd width or height gains one pixel, a copy of its edge,
            because the codecs store colour for 2 × 2 pixels.
        rate: Frames a second.

    Returns:
        How many frames were written.

    Raises:
        DataError: There are no frames, their sizes differ, or the ending names no container.
    """
    path = Path(path)
    with written_whole(path) as partial:
        return _write(partial, path, frames, rate)


def _write(partial: Path, path: Path, frames: Iterable[NDArray[np.uint8]], rate: float) -> int:
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    count, size = 0, (0, 0)
    try:
        container = av.open(str(partial), "w")
    except (FFmpegError, ValueError) as error:
        raise DataError(
            f"a video cannot be written there: {error}", file=path, expected="a path ending in .mp4"
        ) from error
    with container:
        stream: Any = container.add_stream(codec, rate=Fraction(rate).limit_denominator(1_000_000))
        stream.pix_fmt = "yuv420p"
        for count, image in enumerate(frames, 1):
            if count == 1:
                size = image.shape[:2]
                stream.height, stream.width = size[0] + size[0] % 2, size[1] + size[1] % 2
            if image.shape[:2] != size or image.ndim != 3:
                raise DataError(f"frame {count} has shape {image.shape}", file=path, expected=f"{(*size, 3)}")
            padded = np.pad(image, ((0, size[0] % 2), (0, size[1] % 2), (0, 0)), mode="edge")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(padded, format="rgb24")))
        if not count:
            raise DataError("there are no frames to write", file=path)
        container.mux(stream.encode(None))
    return count
