"""A small network that looks at pictures of hands: whether they hold something, and what that looks like."""

from gocv.interact.hands.encoder import SHIPPED, OnnxHandEncoder
from gocv.interact.hands.look import look_at_hands

__all__ = ["SHIPPED", "OnnxHandEncoder", "look_at_hands"]
