"""What Foretell does in Python: matrix, models, calibration, ONNX, registry, scoring."""

from foretell.system.no_telemetry import disable_telemetry

disable_telemetry()
