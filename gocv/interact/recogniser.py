"""Which product was in a hand, before it was at a shelf and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from gocv.core import CartEvent, ConfigError, HandEncoder, HandLooks, Interaction, Recognition
from gocv.interact.catalogue import read_catalogue
from gocv.interact.evidence import LookEvidence, Pooled, pooled
from gocv.interact.gallery import Gallery

_SAYS = 0.02
"""Likelihoods that are all nearer to 1 than this are no recognition."""
_LEAST = 1e-3
"""No likelihood is smaller: a picture may always mislead."""
_CERTAIN, _TAKEN, _HELD = 0.97, 0.5, 0.6
"""What is learnt from was taken with this probability, by this hand, and was in it to be seen."""
_TOGETHER_S, _APART_S = 0.5, 2.0
"""A take belongs to an interaction that is no further from it than the one, where no other is nearer than the other."""


class ShelfRecogniser:
    """Recognises products by a gallery; it has the method of the protocol `gocv.core.ProductRecogniser`.

    What a hand held before an interaction it may have put there ("return"), and what it held after it may have been
    taken there ("take"). A hand's looks are those since its last interaction, or up to its next one, and no further off
    than `window_s`.

    Args:
        gallery: Of the store's products; `learn` changes it.
        evidence: How much looks say; None for that of the network that comes with gocv.
        window_s: How long before and after an interaction looks count.
        inside_s: How long after its start, and before its end, they still do.

    Attributes:
        gallery: What products look like.
        evidence: How much looks say.

    Raises:
        ConfigError: A duration is below 0.
    """

    def __init__(
        self,
        gallery: Gallery,
        evidence: LookEvidence | None = None,
        *,
        window_s: float = 1.8,
        inside_s: float = 0.2,
    ) -> None:
        if min(window_s, inside_s) < 0:
            raise ConfigError("is below 0", key="window_s, inside_s", expected="seconds")
        self.gallery, self.evidence = gallery, LookEvidence.shipped() if evidence is None else evidence
        self._window_s, self._inside_s = window_s, inside_s

    @classmethod
    def from_catalogue(cls, folder: str | Path, products: Sequence[str], encoder: HandEncoder) -> ShelfRecogniser:
        """One that knows the products of a store by its catalogue pictures; the evidence is the shipped one.

        Args:
            folder: With `PRODUCT_ID.png`, `PRODUCT_ID-2.png` and so on.
            products: Ids.
            encoder: Of hands, which takes the pictures.

        Raises:
            DataError: The folder is missing, or a picture cannot be decoded.
        """
        names, crops = read_catalogue(folder, products, encoder.size)
        return cls(Gallery(names, encoder.encode(crops)[1]))

    def recognise(self, looks: HandLooks, interactions: Sequence[Interaction]) -> list[Recognition]:
        """Up to two for each interaction and hand, in order of time; hands that say nothing are left out.

        Args:
            looks: Of all hands, in any order of time.
            interactions: In any order. Where the hand is not known both are looked at.
        """
        prototypes, products, found = self.gallery.prototypes(), self.gallery.products, []
        for one, moved, look in self.pool(looks, interactions):
            values = np.maximum(self.evidence.likelihoods(look, prototypes), _LEAST)
            if len(values) and np.abs(values - 1).max() > _SAYS:
                likelihoods = dict(zip(products, values.tolist(), strict=True))
                found.append(Recognition(one.shopper, one.start_s, one.end_s, likelihoods, moved, one.hand))
        return sorted(found, key=lambda recognition: recognition.start_s)

    def pool(
        self, looks: HandLooks, interactions: Sequence[Interaction]
    ) -> Iterator[tuple[Interaction, Literal["take", "return"], Pooled]]:
        """Each interaction with what its hand looked like before ("return") and after ("take"), where it was seen."""
        order = np.argsort(looks.time_s, kind="stable")
        index = {name: i for i, name in enumerate(looks.shoppers)}
        for one in interactions:
            for hand in (0, 1) if one.hand == -1 else (one.hand,):
                rows = order[(looks.shopper[order] == index.get(one.shopper, -1)) & (looks.hand[order] == hand)]
                for moved, (start_s, end_s) in self.spans(one, hand, interactions).items():
                    first, last = np.searchsorted(looks.time_s[rows], [start_s, end_s], "left")
                    if last > first:
                        yield one, moved, pooled(looks[rows[first:last]])

    def learn(self, looks: HandLooks, interactions: Sequence[Interaction], moves: Sequence[CartEvent]) -> int:
        """Remember what products looked like in the hands that took them; see `Gallery.learn`.

        A take counts if it was of one unit, is nearly certain, nothing else that the shopper moved is near it in time,
        and something was in the hand afterwards.

        Args:
            looks: Of all hands, in any order of time.
            interactions: In any order.
            moves: What was moved, with its probability, times on the same clock.

        Returns:
            How many takes something was remembered of.
        """
        learnt = set()
        for one, moved, look in self.pool(looks, interactions):
            near = [m for m in moves if m.shopper == one.shopper and _apart_s(one, m.time_s) < _APART_S]
            if moved == "take" and len(near) == 1 and near[0].quantity == 1 and near[0].probability > _CERTAIN:
                at_shelf = _apart_s(one, near[0].time_s) < _TOGETHER_S
                if at_shelf and one.probabilities.get("take", 1.0) > _TAKEN and self.evidence.holds(look) > _HELD:
                    self.gallery.learn(near[0].product, look.vector[None])
                    learnt.add(near[0].event)
        return len(learnt)

    def save(self, folder: str | Path) -> None:
        """Write `gallery.safetensors` and `evidence.json`."""
        into = Path(folder)
        into.mkdir(parents=True, exist_ok=True)
        self.gallery.save(into / "gallery.safetensors")
        self.evidence.save(into / "evidence.json")

    @classmethod
    def load(cls, folder: str | Path) -> ShelfRecogniser:
        """Read what `save` wrote; the durations are the usual ones.

        Raises:
            DataError: A file is missing or something else.
        """
        root = Path(folder)
        return cls(Gallery.load(root / "gallery.safetensors"), LookEvidence.load(root / "evidence.json"))

    def spans(
        self, one: Interaction, hand: int, interactions: Sequence[Interaction]
    ) -> dict[Literal["take", "return"], tuple[float, float]]:
        """From when until when looks count: before and after."""
        own = [i for i in interactions if i is not one and i.shopper == one.shopper and i.hand in (hand, -1)]
        earliest = max((i.end_s for i in own if i.start_s < one.start_s), default=-np.inf)
        latest = min((i.start_s for i in own if i.start_s > one.start_s), default=np.inf)
        middle = (one.start_s + one.end_s) / 2
        before = min(one.start_s + self._inside_s, middle)
        after = max(one.end_s - self._inside_s, middle)
        return {
            "return": (max(one.start_s - self._window_s, min(earliest, before)), before),
            "take": (after, min(one.end_s + self._window_s, max(latest, after))),
        }


def _apart_s(one: Interaction, time_s: float) -> float:
    """How long before an interaction or after it a time is, seconds; 0 within it."""
    return max(one.start_s - time_s, time_s - one.end_s, 0.0)
