"""Going over everything once more when all is known: who is whom, given whole paths and not only the past."""

from gocv.multicamera.refine.blocks import Blocks, blocks_of
from gocv.multicamera.refine.rounds import refine

__all__ = ["Blocks", "blocks_of", "refine"]
