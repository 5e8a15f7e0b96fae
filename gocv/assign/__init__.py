"""Who goes with whom: assignment under a gate. numpy and scipy only."""

from gocv.assign.assignment import Assignment, gated_assignment

__all__ = ["Assignment", "gated_assignment"]
