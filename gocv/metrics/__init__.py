"""Scores: arrays or plain values in, additive counts, a result."""

from gocv.metrics.receipts import ReceiptScore, match_shoppers, score_receipts

__all__ = ["ReceiptScore", "match_shoppers", "score_receipts"]
