"""gocv: recorded store cameras and shelf scales in, one receipt per shopper out."""

__version__ = "0.1.0"
