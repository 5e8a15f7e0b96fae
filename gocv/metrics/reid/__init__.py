"""Scores of person re-identification: CMC, mAP and mINP by the rule of Market-1501."""

from gocv.metrics.reid.distance import distances
from gocv.metrics.reid.evaluate import evaluate_reid
from gocv.metrics.reid.expand import expand
from gocv.metrics.reid.rank import ReidCounts, ReidScores, rank_queries
from gocv.metrics.reid.rerank import rerank

__all__ = [
    "ReidCounts",
    "ReidScores",
    "distances",
    "evaluate_reid",
    "expand",
    "rank_queries",
    "rerank",
]
