"""A fitted model as an ONNX graph that gives the same numbers."""
