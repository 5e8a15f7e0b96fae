"""What trainings share: which pictures come together, how pictures are varied, how fast is learnt, the loop, files.

What needs albumentations stands in the module `augment`, what needs Lightning in `loop`; `weights` reads those to
start with, `export` writes ONNX.
"""

from gocv.train.sampler import PeopleSampler
from gocv.train.schedule import ScheduleSettings, factor

__all__ = ["PeopleSampler", "ScheduleSettings", "factor"]
