"""What is known of shelves before anything is weighed: how units stand, what happens, how good catalogues are."""

from __future__ import annotations

from pydantic import Field

from gocv.data.config import Model


class ExplainSettings(Model):
    """The model of `gocv.shelf.explain`.

    `experiments/fit_explain.py` fits how things stand and lean to simulated gondolas; the defaults are rounded from
    its result, which is flat about the best. Errors on file and cross-talk are
    what real stores showed: files that were off by 0.2, 4.5 and 5 %, plates that showed 0.9 and 1.6 % of a change next
    to them. The rest are judgements.

    Those of the first group say how things stand and what scales do, and shape the likelihood. The others say how
    often such things happen at any shelf; only `Explanation.probability` depends on them.

    Attributes:
        unit_spread: Standard deviation between units as a share of their weight, where none is on file.
        file_errors: Relative errors of the weight on file: each a standard deviation and how often it is that large.
        unknown_weight_g: Median of the weight of what has none on file.
        unknown_weight_ratio: Standard deviation of its natural logarithm.
        narrow: How often a unit is as wide as packs usually are, and not as its whole place.
        astride: How often a column stands off its place, by up to half of its width.
        lean: How often a thing leans on what stands beside it.
        beside: How often something stands still further off, by up to `beside_plates` more.
        beside_plates: How far that is, in plates.
        in_line: How often several units at once come from columns side by side, and not from one column.
        frame_lean: How often a unit leans on the frame, which then carries up to `frame_share` of it.
        frame_share: The most that the frame carries.
        crosstalk: Share of a change that each of the two plates on either side shows too.
        crosstalk_sd: Standard deviation of that share.
        still_g: What plates may stay off by after a hand was there, one standard deviation in grams.
        odd: How often a plate stays off by more than that, for no reason that anybody sees.
        odd_g: By how much then, one standard deviation in grams.
        unlisted_g: By how much plates that an event does not list may have changed, one standard deviation in grams.
        pushed: How often a touch moves weight from a plate to the next one.
        pushed_g: By how much then, one standard deviation in grams.
        max_units: Most units of one product in one event.
        max_parts: Most products in one event.
        repeat: Prior factor for each unit after the first.
        another: Prior factor for each product after the first.
        put: Prior factor for a put-down against a take.
        away: Prior factor for being taken from a wrong place.
        put_away: Prior factor for being put in a wrong place.
        nothing: Prior that nothing moved.
        unknown: Prior that something moved which no candidate explains.
    """

    unit_spread: float = Field(default=0.01, ge=0, le=1)
    file_errors: tuple[tuple[float, float], ...] = ((0.004, 0.62), (0.03, 0.36), (0.2, 0.02))
    unknown_weight_g: float = Field(default=250.0, gt=0)
    unknown_weight_ratio: float = Field(default=1.2, gt=0)
    narrow: float = Field(default=0.67, gt=0, lt=1)
    astride: float = Field(default=0.25, gt=0, lt=1)
    lean: float = Field(default=0.04, gt=0, lt=1)
    beside: float = Field(default=0.01, gt=0, lt=1)
    beside_plates: float = Field(default=0.75, gt=0)
    in_line: float = Field(default=0.4, gt=0, lt=1)
    frame_lean: float = Field(default=0.07, gt=0, lt=1)
    frame_share: float = Field(default=0.5, gt=0, lt=1)
    crosstalk: float = Field(default=0.006, ge=0, lt=0.25)
    crosstalk_sd: float = Field(default=0.006, ge=0, lt=0.25)
    still_g: float = Field(default=0.5, ge=0)
    odd: float = Field(default=0.03, gt=0, lt=1)
    odd_g: float = Field(default=6.0, gt=0)
    unlisted_g: float = Field(default=5.0, gt=0)
    pushed: float = Field(default=0.02, gt=0, lt=1)
    pushed_g: float = Field(default=20.0, gt=0)
    max_units: int = Field(default=12, ge=1, le=100)
    max_parts: int = Field(default=3, ge=1, le=3)
    repeat: float = Field(default=0.15, gt=0, le=1)
    another: float = Field(default=0.03, gt=0, le=1)
    put: float = Field(default=0.3, gt=0, le=1)
    away: float = Field(default=0.007, gt=0, le=1)
    put_away: float = Field(default=0.1, gt=0, le=1)
    nothing: float = Field(default=0.05, gt=0, le=1)
    unknown: float = Field(default=0.01, gt=0, le=1)
