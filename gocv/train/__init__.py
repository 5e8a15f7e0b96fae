"""What trainings share: which pictures come together, how pictures are varied, how fast is learnt, the loop."""

from gocv.train.augment import Augmentation, AugmentSettings, HidePart
from gocv.train.loop import LoopSettings, fit
from gocv.train.sampler import PeopleSampler
from gocv.train.schedule import ScheduleSettings, factor

__all__ = [
    "AugmentSettings",
    "Augmentation",
    "HidePart",
    "LoopSettings",
    "PeopleSampler",
    "ScheduleSettings",
    "factor",
    "fit",
]
