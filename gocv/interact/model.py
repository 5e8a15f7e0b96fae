"""What hands did at shelves: episodes, clips, probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, FloorTracks, HandLooks, Interaction
from gocv.interact.calibrate import with_prior
from gocv.interact.clips import CHANNELS, Clips, clips_of
from gocv.interact.episodes import Episodes, EpisodeSettings, episodes_of
from gocv.interact.features import FEATURES
from gocv.interact.hand_network import HandNetwork
from gocv.interact.labelled import LabelledClips
from gocv.interact.paths import shopper_paths
from gocv.interact.trees import Forest, read_forest
from gocv.interact.zones import hand_zones

_SHIPPED = Path(__file__).parent / "shipped"
SHIPPED_NETWORK = _SHIPPED / "interactions.onnx"
"""The network that comes with gocv."""
SHIPPED_TREES = _SHIPPED / "interactions.safetensors"
"""The trees that come with gocv."""


class ClipClassifier(Protocol):
    """Gives the clips of episodes probabilities: `HandNetwork`, `Forest`."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names."""
        ...

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the numbers of a clip that it takes."""
        ...

    @property
    def prior(self) -> NDArray[Any]:
        """(C,) share of each class in what was learnt from."""
        ...

    def probabilities(self, clips: Clips | LabelledClips) -> NDArray[np.float64]:
        """(n, C) of each class, if classes are as frequent as in what was learnt from."""
        ...


class NetworkInteractions:
    """Interactions by the temporal network: the default.

    Args:
        store: `gocv.core.Store`, whose plates say where the shelves are.
        weights: What `gocv train interaction` wrote; the network that comes with gocv where None.
        even: Probabilities are stated as if all classes were equally frequent, so that one over that of an even guess
            is a likelihood ratio, as fusion takes it; else as frequent as in what was learnt from.
        areas: Names of the store's floor zones that count as shelves.
        threads: That the runtime may use.

    Raises:
        ConfigError: The store has no such zone.
        DataError: The weights cannot be read, or are of another kind of clips.
    """

    def __init__(
        self,
        store: Any,
        *,
        weights: str | Path | None = None,
        even: bool = True,
        areas: tuple[str, ...] = (),
        threads: int | None = 1,
    ) -> None:
        file = SHIPPED_NETWORK if weights is None else Path(weights)
        network = HandNetwork(file, threads=threads)
        if network.channels != CHANNELS:
            raise DataError("is a network for other clips", file=file, expected=f"channels {', '.join(CHANNELS[:3])} …")
        self._read = _Reader(store, network, even, areas, file)

    def predict(self, shoppers: FloorTracks, looks: HandLooks) -> list[Interaction]:
        """Interactions of all shoppers, in order of time; `looks` may be empty."""
        return self._read.interactions(shoppers, looks)


class TreeInteractions:
    """Interactions by boosted trees over the numbers of an episode: the baseline.

    Args:
        store: `gocv.core.Store`, whose plates say where the shelves are.
        weights: What `gocv.interact.trees.write_forest` wrote; the trees that come with gocv where None.
        even: As of `NetworkInteractions`.
        areas: Names of the store's floor zones that count as shelves.

    Raises:
        ConfigError: The store has no such zone.
        DataError: The weights cannot be read, or are of another kind of clips.
    """

    def __init__(
        self, store: Any, *, weights: str | Path | None = None, even: bool = True, areas: tuple[str, ...] = ()
    ) -> None:
        file = SHIPPED_TREES if weights is None else Path(weights)
        forest: Forest = read_forest(file)
        self._read = _Reader(store, forest, even, areas, file)

    def predict(self, shoppers: FloorTracks, looks: HandLooks) -> list[Interaction]:
        """Interactions of all shoppers, in order of time; `looks` may be empty."""
        return self._read.interactions(shoppers, looks)


class _Reader:
    def __init__(self, store: Any, classifier: ClipClassifier, even: bool, areas: tuple[str, ...], file: Path) -> None:
        if classifier.numbers != FEATURES:
            raise DataError("was taught other numbers of a clip", file=file, expected=f"{', '.join(FEATURES[:3])} …")
        self._settings = EpisodeSettings(areas=areas)
        self._zones = hand_zones(store, areas)
        self._classifier, self._even = classifier, even

    def interactions(self, shoppers: FloorTracks, looks: HandLooks) -> list[Interaction]:
        settings = self._settings
        paths = shopper_paths(shoppers, gap_s=settings.lost_s, least_score=settings.least_score)
        episodes = episodes_of(paths, shoppers.shoppers, self._zones, settings)
        found = self._classifier.probabilities(clips_of(episodes, paths, self._zones, looks))
        if self._even:
            found = with_prior(found, self._classifier.prior, np.full(found.shape[1], 1 / found.shape[1]))
        return interactions_of(episodes, found, self._classifier.classes)


def interactions_of(
    episodes: Episodes, probabilities: NDArray[np.float64], classes: tuple[str, ...]
) -> list[Interaction]:
    """An interaction for each episode, in order of their beginning.

    Args:
        episodes: n of them.
        probabilities: (n, C) of each class.
        classes: Their names.
    """
    columns = (episodes.shopper, episodes.zone, episodes.start_s, episodes.end_s, episodes.hand, probabilities)
    return [
        Interaction(
            episodes.shoppers[shopper],
            episodes.zones[zone],
            start,
            end,
            dict(zip(classes, each, strict=True)),
            hand,
        )
        for shopper, zone, start, end, hand, each in zip(*(c.tolist() for c in columns), strict=True)
    ]
