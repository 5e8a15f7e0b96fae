"""Poses of people whose boxes are known: the estimator that comes with gocv, and how it learns."""

from gocv.detect.pose.estimator import DefaultPose

__all__ = ["DefaultPose"]
