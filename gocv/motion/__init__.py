"""How things move between two looks at them."""

from gocv.motion.box_models import AreaAspect, AspectHeight, BoxModel, WidthHeight
from gocv.motion.constant_velocity import BoxFilter
from gocv.motion.stacked import correct, predict, squared_distance

__all__ = [
    "AreaAspect",
    "AspectHeight",
    "BoxFilter",
    "BoxModel",
    "WidthHeight",
    "correct",
    "predict",
    "squared_distance",
]
