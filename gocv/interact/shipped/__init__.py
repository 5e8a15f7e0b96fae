"""What comes with gocv: networks and trees that look at hands."""
