"""Which cameras hang together: those that see the same people where both see people.

Cameras that share nobody stand anywhere to each other, however well each explains its own boxes.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from gocv.multicamera.calibration.align import pairs_between
from gocv.multicamera.calibration.body import BodyShape, boxes_of
from gocv.multicamera.calibration.observations import Observations

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]

_ENOUGH = 25


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Links:
    """How often cameras see the same people, and how often others than they should.

    Attributes:
        shared: (C, C) int64, boxes of one camera whose person the other sees at the same moment; 0 with itself.
        odd: (C, C) int64, how often each of two cameras, at one moment, sees somebody whom the other does not see
            although its picture should hold them. One camera may miss somebody; that both do at once is rare, unless
            it is one person whom they put into two places.
    """

    shared: Int64
    odd: Int64

    def at_odds(self) -> NDArray[np.bool_]:
        """(C, C) which see other people more often than the same."""
        return (self.odd > self.shared) & (self.odd + self.shared >= _ENOUGH)

    def groups(self) -> Int64:
        """(C,) which cameras hang together, if only by way of others: 0 for the largest group, then the next."""
        linked = (self.shared >= _ENOUGH) & ~self.at_odds()
        _, label = connected_components(csr_matrix(linked), directed=False)
        size = np.bincount(label)
        return np.asarray(np.argsort(np.argsort(-size, kind="stable"), kind="stable")[label])

    def suspects(self, names: tuple[str, ...], whole: bool) -> list[str]:
        """(C,) what is wrong with each camera in words, "" for nothing.

        Args:
            names: Of the cameras.
            whole: Whether all of them should hang together. Otherwise cameras that do not see one place may share
                nobody, and only those that put one person into two places are named.
        """
        group, at_odds = self.groups(), self.at_odds()
        main = group == 0
        words = []
        for camera in range(len(names)):
            against = [names[other] for other in np.flatnonzero(at_odds[camera] & main)]
            if main[camera]:
                words.append("")
            elif against:
                words.append(f"sees other people than {', '.join(against)} where they should see the same")
            elif whole:
                rest = ", ".join(names[other] for other in np.flatnonzero(main))
                words.append(f"shares hardly anybody with {rest}: where it is to them is not known")
            else:
                words.append("")
        return words


def shared_moments(seen: Observations, person: Int64, cameras: int) -> Int64:
    """(C, C) how many boxes of one camera are of a person whom the other sees at the same moment; 0 with itself."""
    count = np.zeros((cameras, cameras), np.int64)
    for i in range(cameras):
        for j in range(i + 1, cameras):
            both = pairs_between(seen, i, j)
            count[i, j] = count[j, i] = int((person[both.one] == person[both.other]).sum())
    return count


def links(
    seen: Observations,
    person: Int64,
    xy_m: Array,
    height_m: Array,
    cameras: Array,
    constants: Array,
    size_px: Int64,
    shape: BodyShape,
    log_scale: Array,
    edge_share: float,
) -> Links:
    """Find which cameras see the same people, and which should and do not.

    A box's person should be seen by another camera if the box that this one would draw is whole in its picture.

    Args:
        seen: Boxes of all cameras.
        person: (n,) int64, whose each is.
        xy_m: (n, 2) float64, where each box alone puts the person, in the common frame.
        height_m: (n,) float64, of each box's person.
        cameras: (C, 8) float64.
        constants: (C, 8) float64, of their lenses.
        size_px: (C, 2) int64, width and height of their pictures.
        shape: Of bodies.
        log_scale: (shape.scales,) float64, of the body's radii.
        edge_share: A box within this share of its height of the picture's edge is cut off.
    """
    count = len(cameras)
    last = int(seen.moment.max()) + 1 if len(seen) else 1
    alone = np.zeros((count, count, last), np.int64)
    for i in range(count):
        own = np.flatnonzero(seen.camera == i)
        for j in range(count):
            if i == j:
                continue
            repeated = [np.repeat(values[j : j + 1], len(own), axis=0) for values in (cameras, constants)]
            box = boxes_of(shape, repeated[0], repeated[1], xy_m[own], height_m[own], log_scale)
            margin = np.maximum(2.0, edge_share * (box[:, 3] - box[:, 1]))[:, None]
            inside = ((box[:, :2] > margin) & (box[:, 2:] < size_px[j] - 1 - margin)).all(axis=1)
            both = pairs_between(seen, i, j)
            met = both.one[person[both.one] == person[both.other]]
            missed = own[inside & ~np.isin(own, met)]
            alone[i, j] = np.bincount(seen.moment[missed], minlength=last)
    odd = np.minimum(alone, alone.transpose(1, 0, 2)).sum(axis=2)
    return Links(shared_moments(seen, person, count), odd)
