"""Scores of multi-object tracking: HOTA, CLEAR MOT and Identity, from plain arrays."""

from gocv.metrics.mot.clear import count_clear, match_clear
from gocv.metrics.mot.counts import ALPHAS, ClearCounts, HotaCounts, IdentityCounts, MotCounts
from gocv.metrics.mot.hota import count_hota
from gocv.metrics.mot.identity import count_identity
from gocv.metrics.mot.preprocess import leave_out
from gocv.metrics.mot.scores import MotResult, MotScores, count_mot
from gocv.metrics.mot.sequence import MotSequence

__all__ = [
    "ALPHAS",
    "ClearCounts",
    "HotaCounts",
    "IdentityCounts",
    "MotCounts",
    "MotResult",
    "MotScores",
    "MotSequence",
    "count_clear",
    "count_hota",
    "count_identity",
    "count_mot",
    "leave_out",
    "match_clear",
]
