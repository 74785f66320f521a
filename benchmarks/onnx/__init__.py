"""ONNX graphs: how exact, how fast."""
