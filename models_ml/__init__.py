"""What Foretell does in Python: matrix, models, calibration, ONNX, registry, scoring."""

from models_ml.no_telemetry import disable_telemetry

disable_telemetry()
