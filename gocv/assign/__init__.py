"""Who goes with whom: assignment under a gate. numpy and scipy only."""

from gocv.assign.assignment import Assignment, gated_assignment
from gocv.assign.pairs import best_pairs

__all__ = ["Assignment", "best_pairs", "gated_assignment"]
