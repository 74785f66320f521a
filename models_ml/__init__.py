"""What Foretell does in Python: matrix, models, calibration, ONNX, registry, scoring."""
