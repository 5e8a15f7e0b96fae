"""Who took what: nearness, carts, receipts, calibration, review."""

from gocv.core import UNKNOWN
from gocv.fusion.answers import with_answer
from gocv.fusion.calibrate import Calibrator
from gocv.fusion.clocks import ClockOffset, estimate_clock
from gocv.fusion.fuser import CartFuser
from gocv.fusion.nearness import Nearness, NearnessSettings, nearness
from gocv.fusion.questions import Question, questions
from gocv.fusion.review import ReviewPolicy, choose_threshold
from gocv.fusion.settings import FusionSettings, Priors

__all__ = [
    "UNKNOWN",
    "Calibrator",
    "CartFuser",
    "ClockOffset",
    "FusionSettings",
    "Nearness",
    "NearnessSettings",
    "Priors",
    "Question",
    "ReviewPolicy",
    "choose_threshold",
    "estimate_clock",
    "nearness",
    "questions",
    "with_answer",
]
