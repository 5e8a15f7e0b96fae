"""Networks that come with gocv."""
