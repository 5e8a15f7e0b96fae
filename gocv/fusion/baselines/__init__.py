"""Whole published systems as they were, to measure against: FAIM, and two of the AutoCheckout competition."""

from gocv.fusion.baselines.faim import faim_carts, faim_outcome, faim_receipts
from gocv.fusion.baselines.mps import mps_carts, mps_outcome, mps_receipts
from gocv.fusion.baselines.outcome import Decision, Outcome
from gocv.fusion.baselines.team6 import team6_carts, team6_outcome, team6_receipts

__all__ = [
    "Decision",
    "Outcome",
    "faim_carts",
    "faim_outcome",
    "faim_receipts",
    "mps_carts",
    "mps_outcome",
    "mps_receipts",
    "team6_carts",
    "team6_outcome",
    "team6_receipts",
]
