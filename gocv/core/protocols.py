"""What a part must offer to be used by the pipeline. Any object with these methods will do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gocv.core.perception import Detections, Embeddings, FloorTracks, Frame, HandLooks, Poses, Tracks
from gocv.core.receipts import Answer, CartEvent, Fused, Interaction, Recognition
from gocv.core.shelf import ScaleSamples, WeightEvent


@runtime_checkable
class Detector(Protocol):
    """Finds boxes in frames. `classes` names the values of `Detections.label`."""

    classes: tuple[str, ...]

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Boxes of each frame, in the order of `frames`."""
        ...


@runtime_checkable
class Tracker(Protocol):
    """Gives the detections of successive frames identities.

    `needs` lists what `update` must be given besides the detections: "embeddings" or nothing.
    """

    needs: frozenset[str]

    def update(self, detections: Detections, *, time_s: float, embeddings: Embeddings | None = None) -> Tracks:
        """Identities for the detections of the frame taken at `time_s`, every input row accounted for."""
        ...

    def reset(self) -> None:
        """Forget every track; ids start again at 1."""
        ...


@runtime_checkable
class Encoder(Protocol):
    """Turns crops of people into appearance vectors."""

    def encode(self, frame: Frame, detections: Detections) -> Embeddings:
        """A vector for every detection of the frame."""
        ...


@runtime_checkable
class PoseEstimator(Protocol):
    """Finds the keypoints of people whose boxes are known. `keypoints` names them."""

    keypoints: tuple[str, ...]

    def estimate(self, frames: Sequence[Frame], people: Sequence[Detections]) -> list[Poses]:
        """Poses in each frame, a row for each of its boxes, in their order."""
        ...


@runtime_checkable
class HandEncoder(Protocol):
    """Looks at pictures of hands, `size` pixels high and wide."""

    size: int

    def encode(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """`holds` (n,) and `vector` (n, D), as `HandLooks` has them, of (n, S, S, 3) uint8 RGB squares."""
        ...


@runtime_checkable
class InteractionModel(Protocol):
    """Says what hands did at shelves."""

    def predict(self, shoppers: FloorTracks, looks: HandLooks) -> list[Interaction]:
        """Interactions of all shoppers, in order of time; `looks` may be empty."""
        ...


@runtime_checkable
class ProductRecogniser(Protocol):
    """Says which product was in a hand, before it was at a shelf and after."""

    def recognise(self, looks: HandLooks, interactions: Sequence[Interaction]) -> list[Recognition]:
        """Up to two for each interaction and hand: what was held before it, and what after it."""
        ...

    def learn(self, looks: HandLooks, interactions: Sequence[Interaction], moves: Sequence[CartEvent]) -> int:
        """Remember what products looked like that are known to have been taken; of how many takes it did."""
        ...


@runtime_checkable
class EventDetector(Protocol):
    """Finds changes of weight in one group of plates, chunk by chunk, in bounded memory."""

    def update(self, samples: ScaleSamples) -> list[WeightEvent]:
        """Events that are complete with these samples, which follow those of the call before."""
        ...

    def flush(self) -> list[WeightEvent]:
        """Events still open when the samples end."""
        ...

    def report(self) -> list[dict[str, str]]:
        """What was broken or mended in the samples so far: each entry says `where` and what the `problem` is."""
        ...


@runtime_checkable
class Fuser(Protocol):
    """Decides who moved what."""

    def fuse(
        self,
        events: Sequence[WeightEvent],
        shoppers: FloorTracks,
        *,
        interactions: Sequence[Interaction] = (),
        recognitions: Sequence[Recognition] = (),
        answers: Sequence[Answer] = (),
    ) -> Fused:
        """A receipt for every shopper; the evidence after `shoppers` is used as far as there is any."""
        ...
