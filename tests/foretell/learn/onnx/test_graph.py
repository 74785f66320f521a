"""Thresholds of trees are rounded down to float32."""

from __future__ import annotations

import numpy as np

from foretell.learn.onnx.graph import floor32


def test_a_float32_is_at_or_below_a_threshold_exactly_where_it_was_in_double():
    thresholds = np.random.default_rng(0).normal(size=500)
    for near in (floor32(thresholds), np.nextafter(floor32(thresholds), np.float32(np.inf))):
        np.testing.assert_array_equal(near <= floor32(thresholds), near.astype(float) <= thresholds)
