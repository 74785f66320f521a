"""From a fitted pipeline to the graph that is stored: skl2onnx's, with our converters.

Needed for training only: scoring reads graphs (foretell.learn.onnx.model).
"""

from __future__ import annotations

import json

import numpy as np
import onnx
import skl2onnx
from onnx import helper
from sklearn.pipeline import Pipeline

from foretell.learn.onnx.converters import register, rows_type

OPSETS = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 9

register()


def export(pipeline: Pipeline, feature_ids: np.ndarray, candidate: str = "") -> bytes:
    """Turn a fitted pipeline into one ONNX graph.

    Args:
        pipeline: Of CalibratedClassifier.pipeline.
        feature_ids: Catalogue ids of its columns, in order; kept as metadata.
        candidate: Name of its model; kept as metadata.

    Returns:
        The serialised model.

    Raises:
        RuntimeError: If skl2onnx knows no converter for a part of it.
    """
    n_columns = pipeline[0].n_features_in_
    rows = [("X", rows_type(n_columns))]
    model = skl2onnx.to_onnx(pipeline, initial_types=rows, target_opset=OPSETS, name="foretell")
    # skl2onnx lists them in the order of a set: the same model would have other bytes next time.
    opsets = sorted(model.opset_import, key=lambda each: each.domain)
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = n_columns
    model.ir_version, model.producer_name = IR_VERSION, "foretell"
    helper.set_model_props(
        model,
        {
            "feature_ids": json.dumps([int(feature_id) for feature_id in feature_ids]),
            "candidate": candidate,
            "calibration": pipeline[-1].calibrator.name,
        },
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())
