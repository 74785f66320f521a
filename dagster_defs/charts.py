"""Pictures of a model, as Markdown with the PNG inside, so that they stay with the run."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

INK, PALE, ACCENT = "#222222", "#9aa0a6", "#4f43dd"
# Groups of features that have no event or property for a name.
WORDS = {
    "event_count": "how many events of any kind",
    "hours_since_last": "how long ago the last event was",
    "hours_since_first": "how long ago the first event was",
    "active_days": "on how many days active",
    "active_weeks": "in how many weeks active",
}


def reliability_chart(groups: Sequence[Mapping[str, Any]], label: str) -> str:
    """Draw predicted against observed rates of held-out users.

    Args:
        groups: mean_p, observed, low and high per group of users (models_ml.evaluate).
        label: The question in words.
    """
    predicted = [group["mean_p"] for group in groups]
    observed = [group["observed"] for group in groups]
    top = 1.05 * max([*predicted, *(group["high"] for group in groups)])
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, top], [0, top], color=PALE, linestyle="--", label="exactly right")
    axes.vlines(
        predicted, [group["low"] for group in groups], [group["high"] for group in groups],
        color=ACCENT, alpha=0.5, linewidth=3, label="where chance may have put it (95 %)",
    )  # fmt: skip
    axes.plot(predicted, observed, "o", color=ACCENT, label="a tenth of the users")
    axes.set(
        xlim=(0, top), ylim=(0, top), title=label,
        xlabel="predicted: mean probability of the group",
        ylabel="observed: share of the group that did",
    )  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.legend(loc="upper left", frameon=False)
    return _as_markdown(figure, "Predicted against observed rates")


def importance_chart(importances: Sequence[Mapping[str, Any]], label: str) -> str:
    """Draw which events and properties the model's quality rests on, most important on top.

    Args:
        importances: group, importance and std (models_ml.explain), largest first.
        label: The question in words.
    """
    shown = list(reversed(importances[:10]))
    figure = Figure(figsize=(6.4, 1.2 + 0.32 * len(shown)), layout="constrained")
    axes = figure.add_subplot()
    axes.barh(
        [WORDS.get(row["group"], row["group"]) for row in shown],
        [row["importance"] for row in shown],
        xerr=[row["std"] for row in shown],
        color=ACCENT,
        ecolor=INK,
        capsize=2,
    )
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set(title=label, xlabel="how much worse the model is without it (growth of log loss)")
    return _as_markdown(figure, "What the model looks at")


def _as_markdown(figure: Figure, words: str) -> str:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.title.set_fontsize(11)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return f"![{words}](data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()})"
