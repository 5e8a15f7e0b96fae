"""How things move between two looks at them."""

from gocv.motion.constant_velocity import BoxFilter

__all__ = ["BoxFilter"]
