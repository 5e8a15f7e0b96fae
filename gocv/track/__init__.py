"""Identities within one camera."""

from gocv.track.sort import SortTracker

__all__ = ["SortTracker"]
