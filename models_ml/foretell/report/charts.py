"""Pictures and tables of a model, as Markdown (a PNG inside it), so that they stay with the run.

The UI shows Markdown of less than 1,000 characters at once, longer on a click: hence tables too.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from foretell.markdown_text import UNSEEN, escape
from foretell.report.words import KINDS

PALE, ACCENT = "#9aa0a6", "#4f43dd"


def reliability_chart(groups: Sequence[Mapping[str, Any]], label: str) -> str:
    """Draw predicted against observed rates of held-out users.

    Args:
        groups: mean_p, observed, low and high per group of users (foretell.learn.metrics).
        label: The prediction's label.
    """
    predicted = [group["mean_p"] for group in groups]
    observed = [group["observed"] for group in groups]
    ends = [(group["low"], group["high"]) for group in groups]
    top = 1.05 * max([*predicted, *(high for _, high in ends)])
    figure, axes = _predicted_against_observed(predicted, observed, ends, top)
    axes.set(
        xlim=(0, top), ylim=(0, top),
        title=f"{UNSEEN.sub(' ', label)}\nOn the dashed line predicted and observed are equal",
        xlabel="predicted: mean probability of the group",
        ylabel="observed: share of the group that did",
    )  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    return _as_markdown(figure, "Predicted against observed rates")


def value_chart(groups: Sequence[Mapping[str, Any]], label: str) -> str:
    """Draw expected against observed mean values of held-out users, both on a root scale.

    Args:
        groups: mean_expected, mean_value, low and high per group of users (value_groups of
            foretell.learn.evaluate).
        label: The prediction's label.
    """
    expected = [group["mean_expected"] for group in groups]
    observed = [group["mean_value"] for group in groups]
    ends = [(g["low"], g["high"]) for g in groups if g["low"] is not None]
    top = 1.05 * max([*expected, *observed, *(high for _, high in ends)]) or 1.0
    # Of one user there is no interval.
    figure, axes = _predicted_against_observed(
        expected, observed, ends if len(ends) == len(groups) else [], top
    )
    for scale in (axes.set_xscale, axes.set_yscale):
        scale("function", functions=(np.sqrt, np.square))
    axes.set(
        xlim=(0, top), ylim=(0, top),
        title=f"{UNSEEN.sub(' ', label)}\nOn the dashed line expected and observed are equal",
        xlabel="expected: mean value of the group (root scale)",
        ylabel="observed: mean value of the group (root scale)",
    )  # fmt: skip
    return _as_markdown(figure, "Expected against observed values")


def importance_table(importances: Sequence[Mapping[str, Any]], measure: str = "log loss") -> str:
    """Return the events and properties that the model's quality depends on, as Markdown.

    Args:
        importances: group, importance and std (foretell.learn.explain), largest first.
        measure: Of the importances.
    """
    used = [row for row in importances[:10] if row["importance"] > 0]
    rows = [
        f"| {KINDS.get(row['group'], escape(row['group']))} | {_bar(row['importance'], used)} "
        f"| {row['importance']:.4f} |"
        for row in used
    ]
    words = f"How much worse ({measure}) with this shuffled among users. It shows use, not cause.\n"
    return "\n".join([words, "| event or property | | worse by |", "|---|---|---|", *rows])


def reliability_table(groups: Sequence[Mapping[str, Any]]) -> str:
    """Return predicted and observed rates of each tenth of the users, as Markdown."""
    rows = [
        f"| {group['mean_p']:.1%} | {group['observed']:.1%} | {group['low']:.1%} to "
        f"{group['high']:.1%} |"
        for group in groups
    ]
    words = "Held-out users in ten groups, from the least to the most likely.\n"
    head = ["| predicted | observed | 95 % interval |", "|---|---|---|"]
    return "\n".join([words, *head, *rows])


def _predicted_against_observed(
    predicted: Sequence[float],
    observed: Sequence[float],
    ends: Sequence[tuple[float, float]],
    top: float,
) -> tuple[Figure, Axes]:
    """Draw a point per group, its interval where there are any, and the line of no error."""
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    axes = figure.add_subplot()
    axes.title.set_parse_math(False)  # a label may hold dollar signs
    axes.plot([0, top], [0, top], color=PALE, linestyle="--", label="exactly right")
    if ends:
        axes.vlines(
            predicted, [low for low, _ in ends], [high for _, high in ends],
            color=ACCENT, alpha=0.4, linewidth=3, label="95 % interval",
        )  # fmt: skip
    axes.plot(predicted, observed, "o", color=ACCENT, label="a tenth of the users")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure, axes


def _bar(value: float, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return up to eight blocks; the first row is the largest."""
    return str("█" * round(8 * value / rows[0]["importance"]))


def _as_markdown(figure: Figure, words: str) -> str:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.title.set_fontsize(11)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return f"![{words}](data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()})"
