"""Arrays in, model out: matrix, split, candidates, calibration, metrics, explanations."""
