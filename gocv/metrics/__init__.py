"""Scores: arrays or plain values in, additive counts, a result."""

from gocv.metrics.calibration import CalibrationError, RiskCoverage, calibration_error, risk_coverage
from gocv.metrics.events import EventCounts, TimedEvent, count_events, sum_events
from gocv.metrics.receipts import ReceiptScore, match_shoppers, score_receipts

__all__ = [
    "CalibrationError",
    "EventCounts",
    "ReceiptScore",
    "RiskCoverage",
    "TimedEvent",
    "calibration_error",
    "count_events",
    "match_shoppers",
    "risk_coverage",
    "score_receipts",
    "sum_events",
]
