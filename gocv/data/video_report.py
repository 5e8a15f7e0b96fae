"""The bookkeeping of one pass over a video: which frame is which, what its time is, what was lost."""

from __future__ import annotations

import dataclasses
import heapq
from typing import Any, Literal

import av
import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError


@dataclasses.dataclass(frozen=True, slots=True)
class VideoReport:
    """What one pass over a video found. `dataclasses.asdict` makes it a table row.

    Attributes:
        frames: Frames delivered.
        skipped: Frames left out because they could not be decoded or came out damaged.
        duplicate_timestamps: Frames left out because they repeat the time of the frame before.
        backward_timestamps: Frames left out because their time lies before that of a frame already seen.
        truncated: The file holds less than its header promises, or breaks off within a frame.
        timestamps: Where times come from: the container, an array given by the caller, or, only where the
            container has none, the frame's position divided by the nominal rate.
        derived_timestamps: Frames whose time was derived from the rate.
        complete: The pass reached the end of the file or of the span asked for.
        notes: The same in sentences, for a person; empty when there is nothing to say.
    """

    frames: int = 0
    skipped: int = 0
    duplicate_timestamps: int = 0
    backward_timestamps: int = 0
    truncated: bool = False
    timestamps: Literal["container", "given", "rate"] = "container"
    derived_timestamps: int = 0
    complete: bool = False
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """What a container says about its video stream before anything is decoded."""

    width: int
    height: int
    rate_hz: float | None
    frames: int
    duration_s: float | None
    slack_s: float
    time_base_s: float
    start_pts: int


class Order:
    """Says which frame of the file a decoded picture is, from the packets read so far: exact through lost frames."""

    def __init__(self, positions: NDArray[np.int64] | None) -> None:
        self.seen: list[int | None] = []
        self.cut_off = False
        self.failed_reads = 0
        self._positions = positions
        self._waiting: list[int] = []
        self._passed = 0
        self._index: int | None = None if positions is not None else -1
        self._last_pts: int | None = None
        self._failed_before = 0
        self.failed_decodes = 0
        self.discarded = 0

    def read(self, packet: Any) -> None:
        """Take note of a packet that goes to the decoder."""
        self.cut_off = packet.is_corrupt
        if packet.is_discard:  # cut away by an edit list: decoded for its followers' sake, never shown
            self.discarded += 1
            return
        pts = packet.dts if packet.pts is None else packet.pts
        self.seen.append(pts)
        if pts is not None:
            heapq.heappush(self._waiting, pts)

    def place(self, image: av.VideoFrame) -> tuple[int, int]:
        """The picture's position in the file, and how many frames between it and the last one never came out.

        A picture that comes out late or repeats a time takes no new position; it gives back, as -1, the place that
        was counted as lost when its followers came before it.
        """
        if image.pts is not None and self._last_pts is not None and image.pts <= self._last_pts:
            return self._index or 0, -1
        index = self._position(image.pts)
        self._last_pts = image.pts
        self._failed_before = self.failed_decodes
        lost = 0 if self._index is None else index - self._index - 1
        self._index = index
        return index, lost

    def _position(self, pts: int | None) -> int:
        if pts is None:
            return (-1 if self._index is None else self._index) + 1 + self.failed_decodes - self._failed_before
        if self._positions is not None:
            return int(np.searchsorted(self._positions, pts))
        while self._waiting and self._waiting[0] < pts:
            heapq.heappop(self._waiting)
            self._passed += 1
        return self._passed

    @property
    def packets(self) -> int:
        """Packets in the file, as far as it could be read."""
        return self.discarded + (len(self.seen) if self._positions is None else len(self._positions))

    @property
    def undelivered(self) -> int:
        """Frames at the end of the file that were read and never came out."""
        total = len(self.seen) if self._positions is None else len(self._positions)
        return max(0, total - 1 - (self._index if self._index is not None else -1))


class Tally:
    """Counts of one pass, and the rules for times that repeat, run backward or are missing."""

    def __init__(self, header: Header, *, given: bool) -> None:
        self._header = header
        self._given = given
        self._last_s = -np.inf
        self._anchor = (0, 0.0)
        self.untouched = True
        self.frames = self.skipped = self.duplicates = self.backward = self.derived = 0
        self._read_to_s = 0.0
        self._notes: list[str] = []
        self._truncated = self._complete = False

    def video_time(self, index: int, pts: int | None) -> float:
        """Seconds since the start of the video."""
        if pts is not None:
            self._anchor = (index, pts * self._header.time_base_s)
            seconds = self._anchor[1]
        elif self._header.rate_hz:
            self.derived += 1
            seconds = self._anchor[1] + (index - self._anchor[0]) / self._header.rate_hz
        else:
            raise DataError("the video has neither timestamps nor a rate", expected="timestamps to be given")
        self._read_to_s = max(self._read_to_s, seconds)
        return seconds

    def accept(self, time_s: float, lost: int, *, damaged: bool, wanted: bool) -> bool:
        """Whether the frame is whole and later than all before it; `lost` frames before it never came out."""
        self.untouched = False
        self.skipped += (lost + damaged) * wanted
        if damaged:
            return False
        self.duplicates += time_s == self._last_s
        self.backward += time_s < self._last_s
        accepted = time_s > self._last_s
        self._last_s = max(time_s, self._last_s)
        return accepted

    def finish(self, order: Order | None) -> None:
        """The pass is over; `order` is given when it reached the end of the file."""
        self._complete = True
        if order is None:
            return
        self.skipped += order.undelivered
        header = self._header
        if header.frames:
            self._truncated = order.packets < header.frames
            if self._truncated:
                self._notes.append(f"the header promises {header.frames} frames, the file holds {order.packets}")
        elif header.duration_s is not None and self._read_to_s + header.slack_s < header.duration_s:
            self._truncated = True
            self._notes.append(
                f"the header promises {header.duration_s:.3f} s, the last frame is at {self._read_to_s:.3f} s"
            )
        if order.cut_off and not self._truncated:
            self._truncated = True
            self._notes.append("the file breaks off within a frame")
        if order.failed_reads:
            self._notes.append(f"{order.failed_reads} reads of the container failed")

    def report(self) -> VideoReport:
        """The counts so far."""
        notes = list(self._notes)
        if self.skipped > 0:
            notes.append(f"{self.skipped} frames could not be decoded or were damaged")
        if self.duplicates or self.backward:
            notes.append(f"{self.duplicates} frames repeat a timestamp and {self.backward} run backward: left out")
        if self.derived:
            notes.append(
                f"{self.derived} frames have no timestamp: derived from {self._header.rate_hz:g} frames a second"
            )
        source: Literal["container", "given", "rate"] = "container"
        if self._given:
            source = "given"
        elif self.derived and self._anchor == (0, 0.0):
            source = "rate"
        return VideoReport(
            frames=self.frames,
            skipped=max(0, self.skipped),
            duplicate_timestamps=self.duplicates,
            backward_timestamps=self.backward,
            truncated=self._truncated,
            timestamps=source,
            derived_timestamps=self.derived,
            complete=self._complete,
            notes=tuple(notes),
        )
