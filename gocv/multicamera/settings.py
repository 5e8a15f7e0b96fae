"""The settings of association."""

from __future__ import annotations

from pydantic import Field

from gocv.data.config import Model


class BoxSettings(Model):
    """How the boxes of a detector err, and how tall people are.

    Attributes:
        sd_px: Standard deviation of a box's edge, at least.
        sd_share: The same as a share of the box's height, where that is more.
        height_m: Of people, on average.
        height_sd_m: Standard deviation of people's heights.
        child_height_m: Of children, on average.
        child_height_sd_m: Standard deviation of children's heights.
        child: Share of children among those who are too low for a grown-up's box.
        radius_m: Half the width of people, on average.
        radius_sd_m: Standard deviation of that, and of how it changes with what people do.
        depth_m: Half of what people are deep in the direction in which a camera looks, as far as boxes show it.
        edge_px: A box this near to the picture's edge is cut off there.
        agree_sd: A box is fitted again without one edge where the squares of what does not fit add up to more than the
            square of this, in standard deviations.
        whole_bonus: By so much less must they add up to then.
        odd_factor: On the standard deviations of places that come from such a box.
        no_person_sd: Where even then they add up to more than the square of this, the box is of nobody who stands.
        bias_m: Standard deviation of what is wrong for long: calibration, the way a detector draws.
        worst_m: A place that is less certain than this is none.
    """

    sd_px: float = Field(default=3.0, gt=0)
    sd_share: float = Field(default=0.05, ge=0)
    height_m: float = Field(default=1.7, gt=0)
    height_sd_m: float = Field(default=0.1, gt=0)
    child_height_m: float = Field(default=1.2, gt=0)
    child_height_sd_m: float = Field(default=0.15, gt=0)
    child: float = Field(default=0.1, gt=0, lt=1)
    radius_m: float = Field(default=0.25, gt=0)
    radius_sd_m: float = Field(default=0.06, gt=0)
    depth_m: float = Field(default=0.1, ge=0)
    edge_px: float = Field(default=3.0, ge=0)
    agree_sd: float = Field(default=2.5, gt=0)
    whole_bonus: float = Field(default=3.0, ge=0)
    odd_factor: float = Field(default=3.0, ge=1)
    no_person_sd: float = Field(default=8.0, gt=0)
    bias_m: float = Field(default=0.07, ge=0)
    worst_m: float = Field(default=3.0, gt=0)


class OnlineSettings(Model):
    """How people are followed as the frames come.

    Attributes:
        gate_sd: A box further from a person than this many standard deviations is not theirs.
        strangers_per_m2: Boxes to a square metre and frame that belong to nobody known: false ones and newcomers.
        found: Probability, to begin with, that a camera finds who is in its picture unhidden; each camera's is learnt.
        changes_per_s: How often a camera's own tracker goes over to another person under one number.
        alike_s: What a camera finds and misses within this time is one piece of evidence, however many frames it has.
        confirm: Log-odds of existence from which somebody is a shopper.
        forget: Log-odds of existence below which there was nobody.
        same: Log-odds from which two that are followed are taken to be one.
        coast_s: Who is not seen for this long is lost, until they are found again.
        delay_s: How long a moment waits for what later moments say of it.
    """

    gate_sd: float = Field(default=3.7, gt=0)
    strangers_per_m2: float = Field(default=0.005, gt=0)
    found: float = Field(default=0.7, gt=0, lt=1)
    changes_per_s: float = Field(default=0.15, gt=0)
    alike_s: float = Field(default=0.1, gt=0)
    confirm: float = 3.0
    forget: float = -3.0
    same: float = Field(default=6.0, gt=0)
    coast_s: float = Field(default=1.5, gt=0)
    delay_s: float = Field(default=2.0, ge=0)


class LinkSettings(Model):
    """When somebody who is lost and somebody who appears are one.

    Attributes:
        newcomers_per_m2_s: How often somebody new appears on a square metre.
        inside: Factor on that outside the entrances, where they are known.
        gap_s: Mean time for which people are lost.
        blind_gap_s: The same where the entrances are known, and people cannot have left anywhere else.
        longest_s: After this long nobody is found again.
        stands: Share of those who are lost that stand.
        relax_s: In which a velocity is forgotten to 1/e.
        step_m: Standard deviation, each coordinate, of the way that who stands makes in a second.
        turn_m_s: Of the change of velocity, each coordinate, in a second.
        same_id: Log-likelihood ratio of a camera's own track that goes from the one to the other.
        other_id: The same of one that ends while another of the camera begins: below 0.
    """

    newcomers_per_m2_s: float = Field(default=0.04, gt=0)
    inside: float = Field(default=0.02, gt=0, le=1)
    gap_s: float = Field(default=1.0, gt=0)
    blind_gap_s: float = Field(default=6.0, gt=0)
    longest_s: float = Field(default=60.0, gt=0)
    stands: float = Field(default=0.4, gt=0, lt=1)
    relax_s: float = Field(default=1.5, gt=0)
    step_m: float = Field(default=0.15, gt=0)
    turn_m_s: float = Field(default=0.7, gt=0)
    same_id: float = Field(default=3.0, gt=0)
    other_id: float = Field(default=-2.0, lt=0)


class RefineSettings(Model):
    """How the whole is gone over once everything is known.

    Attributes:
        rounds: How often.
        block_s: What each camera saw within this time counts as one look.
        switch: Probability, from one look to the next, that a camera's own track goes on with somebody else.
        strangers_per_m2: As in `OnlineSettings`.
        reach_s: How far before and after a shopper was seen they may have been overlooked.
        same: Log-odds from which two shoppers are one.
        least_looks: Fewer looks than this do not make a shopper.
        fill_s: Gaps up to this long are filled.
        stretch_s: How much is gone over at a time; memory is bounded by it.
    """

    rounds: int = Field(default=4, ge=0)
    block_s: float = Field(default=0.5, gt=0)
    switch: float = Field(default=0.03, gt=0, lt=1)
    strangers_per_m2: float = Field(default=0.02, gt=0)
    reach_s: float = Field(default=0.5, ge=0)
    same: float = Field(default=4.0, gt=0)
    least_looks: int = Field(default=4, ge=1)
    fill_s: float = Field(default=1.0, ge=0)
    stretch_s: float = Field(default=300.0, gt=0)


class LookSettings(Model):
    """How far appearance is believed.

    Attributes:
        cap: No more than this log-likelihood ratio is believed of a comparison, either way.
        once: Share of it that one box counts for while people are followed: looks of a shopper are not independent.
    """

    cap: float = Field(default=4.0, gt=0)
    once: float = Field(default=0.3, gt=0, le=1)


class AssociationSettings(Model):
    """How boxes of many cameras become shoppers.

    Attributes:
        boxes: How boxes err.
        online: How people are followed.
        link: When somebody lost and somebody found are one.
        refine: How the whole is gone over.
        look: How far appearance is believed.
    """

    boxes: BoxSettings = BoxSettings()
    online: OnlineSettings = OnlineSettings()
    link: LinkSettings = LinkSettings()
    refine: RefineSettings = RefineSettings()
    look: LookSettings = LookSettings()
