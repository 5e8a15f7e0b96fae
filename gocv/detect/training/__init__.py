"""Training the detector that comes with gocv: network, data, losses, loop and export."""
