"""Frames in which nothing happens are not looked at: an empty camera costs next to nothing."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from gocv.core import Detections, Detector, Frame
from gocv.data.config import Model

Float32 = NDArray[np.float32]


class SkipSettings(Model):
    """When a frame need not be looked at.

    Nobody was found lately, nothing differs from the background, and it is not yet time to look in any case.

    Attributes:
        calm_s: Nobody is there once nobody was found for so long, as detectors miss people now and then.
        recheck_s: Longest time without a look.
        learn_s: Time in which the background follows what has changed for good. It learns while nobody is there.
        block_px: Side of the blocks whose means are compared, pixels of the frame.
        least_change: Grey levels, of 256, by which a block must differ.
        flickers: Times what a block changes by from frame to frame, by which it must differ: a screen wakes nobody.
        least_blocks: Blocks that must differ.
    """

    calm_s: Annotated[float, Field(ge=0)] = 2.0
    recheck_s: Annotated[float, Field(gt=0)] = 3.0
    learn_s: Annotated[float, Field(gt=0)] = 10.0
    block_px: Annotated[int, Field(gt=0)] = 10
    least_change: Annotated[float, Field(gt=0)] = 10.0
    flickers: Annotated[float, Field(gt=0)] = 4.0
    least_blocks: Annotated[int, Field(gt=0)] = 6


@dataclasses.dataclass(slots=True)
class _Camera:
    """What is known of a camera; arrays are replaced, never changed, so that a shallow copy is a copy."""

    background: Float32 | None = None
    flicker: Float32 | None = None
    before: Float32 | None = None
    time_s: float = -np.inf
    looked_s: float = -np.inf
    found_s: float = -np.inf


class SkippingDetector:
    """Another detector, which is shown only those frames that may show somebody; in the others nobody is found.

    Someone who stands still stays found: as long as the other detector finds them every frame is looked at, and for
    `calm_s` longer; and the background, which does not learn while somebody is there, keeps differing where they stand.

    Args:
        detector: Looks at the frames that are left.
        settings: When a frame need not be looked at.

    Attributes:
        classes: Those of the other detector.
        frames: Frames so far.
        looks: Those of them that the other detector looked at.
    """

    def __init__(self, detector: Detector, settings: SkipSettings | None = None) -> None:
        self._detector = detector
        self._settings = settings or SkipSettings()
        self._cameras: dict[str, _Camera] = {}
        self.classes = detector.classes
        self.frames = 0
        self.looks = 0

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Boxes of each frame in its own pixels; none where it is not looked at.

        The frames of a camera come in order of time; how many come in one call makes no difference to the result.
        """
        small = [shrink(frame.image, self._settings.block_px) for frame in frames]
        left: dict[str, list[int]] = {}
        for row, frame in enumerate(frames):
            left.setdefault(frame.camera, []).append(row)
        looked: dict[int, Detections] = {}
        results = [Detections.empty()] * len(frames)
        while wanted := [row for rows in left.values() for row in self._go_on(rows, frames, small, looked, results)]:
            looked.update(zip(wanted, self._detector.detect([frames[row] for row in wanted]), strict=True))
        self.frames += len(frames)
        self.looks += len(looked)
        return results

    def _go_on(
        self,
        left: list[int],
        frames: Sequence[Frame],
        small: list[Float32],
        looked: dict[int, Detections],
        results: list[Detections],
    ) -> list[int]:
        """Go through a camera's frames until one wants a look that it has not had; return all that want one.

        Those after the first are a guess, which holds if nobody is found: a batch is then looked at in one go.
        """
        if not left:
            return []
        camera = self._cameras.setdefault(frames[left[0]].camera, _Camera())
        while left:
            row = left[0]
            look = self._wants(camera, frames[row].time_s, small[row])
            if look and row not in looked:
                break
            if look:
                results[row] = looked[row]
            self._learn(camera, frames[row].time_s, small[row], look, bool(len(results[row])))
            left.pop(0)
        guess, asked = copy.copy(camera), []
        for row in left:
            look = self._wants(guess, frames[row].time_s, small[row])
            if look and row not in looked:
                asked.append(row)
            self._learn(guess, frames[row].time_s, small[row], look, look and bool(len(looked.get(row, ()))))
        return asked

    def _wants(self, camera: _Camera, time_s: float, small: Float32) -> bool:
        chosen = self._settings
        if camera.background is None or camera.background.shape != small.shape:
            return True
        if self._occupied(camera, time_s) or time_s - camera.looked_s >= chosen.recheck_s:
            return True
        assert camera.flicker is not None
        limit = np.maximum(chosen.least_change, chosen.flickers * camera.flicker)
        return int((_apart(small, camera.background) > limit).sum()) >= chosen.least_blocks

    def _learn(self, camera: _Camera, time_s: float, small: Float32, look: bool, found: bool) -> None:
        if look:
            camera.looked_s = time_s
        if found:
            camera.found_s = time_s
        if self._occupied(camera, time_s):
            pass  # or somebody who stands there would become the background
        elif camera.background is None or camera.background.shape != small.shape:
            camera.background, camera.flicker = small, np.zeros_like(small)
        else:
            assert camera.flicker is not None
            assert camera.before is not None
            share = np.float32(1 - np.exp(-max(0.0, time_s - camera.time_s) / self._settings.learn_s))
            camera.background = camera.background + share * (small - camera.background)
            camera.flicker = camera.flicker + share * (_apart(small, camera.before) - camera.flicker)
        camera.time_s, camera.before = time_s, small

    def _occupied(self, camera: _Camera, time_s: float) -> bool:
        return time_s - camera.found_s <= self._settings.calm_s


def shrink(image: NDArray[np.uint8], block_px: int) -> Float32:
    """Means of the green of square blocks: of every second pixel, which is enough and four times as quick.

    Args:
        image: (H, W, 3) uint8.
        block_px: Side of a block, pixels.

    Returns:
        (ceil(H / block), ceil(W / block)) float32, for even blocks.
    """
    step = 2 if block_px >= 2 else 1
    green = np.ascontiguousarray(image[::step, ::step, 1])
    return np.asarray(Image.fromarray(green).reduce(max(1, block_px // step)), np.float32)


def _apart(small: Float32, other: Float32) -> Float32:
    """How far blocks of two pictures are apart, but for what all of them share: cameras change their exposure."""
    difference = small - other
    apart: Float32 = np.abs(difference - np.median(difference))
    return apart
