"""The quality of a model in sentences and tables (Markdown), for the model card and the UI.

Names that come from events are escaped here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foretell.markdown_text import escape, quote
from foretell.pipeline.model_alarms import is_guessing
from foretell.pipeline.registry import CHAMPION, ModelRecord
from foretell.report.checks import check_model

HELD_OUT = {
    "out_of_time": "users and weeks that the model had not seen",
    "users_only": "users that the model had not seen (history is too short to hold weeks out too)",
}
# Groups of features that have no event or property for a name.
KINDS = {
    "event_count": "how many events of any kind",
    "hours_since_last": "how long ago the last event was",
    "hours_since_first": "how long ago the first event was",
    "active_days": "on how many days active",
    "active_weeks": "in how many weeks active",
    "event_count_ever": "how many events of any kind, ever",
    "active_days_ever": "on how many days active, ever",
    "active_weeks_ever": "in how many weeks active, ever",
    "decayed_days_28": "on how many days active, above all in the last month",
    "decayed_days_90": "on how many days active, above all in the last three months",
    "hours_since_day_2": "how long ago the last active day but one was",
    "hours_since_day_3": "how long ago the third newest active day was",
    "hours_since_day_5": "how long ago the fifth newest active day was",
    "mean_gap_days": "how many days usually pass between active ones",
    "silence_ratio": "how long it has been silent, against its own rhythm",
}
# What is counted of an event or a property.
KIND_WORDS = {
    "event_count": "The number of events in a week",
    "event_count_ever": "The number of all events",
    "event_days_ever": "The number of days with an event",
    "value_count": "The number of events with one value in a week",
    "other_count": "The number of events with another value in a week",
    "value_sum": "The sum in a week",
    "value_sum_ever": "The sum over all events",
    "value_mean_ever": "The mean over all events",
    "outcome_rate": "The share of past windows in which the same user reached the outcome",
    "outcome_count": "The number of past windows in which the same user reached the outcome",
    "hours_since_last": "The time since the last event",
    "hours_since_first": "The time since the first event",
    "user_property": "The value",
}
FEW_POSITIVES = 100


def in_words(model: ModelRecord, label: str) -> str:
    """Return the measured quality of a model in sentences; those without a number are left out."""
    metrics = model.metrics or {}
    happened, has, has_not = "the outcome happened", "with the outcome", "without it"
    if "value" in metrics:
        happened, has, has_not = "there was any value", "with any value", "with none"
    auroc, loss, lift = metrics["auroc"], metrics["log_loss"], metrics["top_decile_lift"]
    lines = [
        f"**{escape(label)}**: {happened} in {metrics['base_rate']:.1%} of "
        f"{metrics['n_rows']:,} training rows ({metrics['n_users']:,} users). Measured on "
        f"{metrics['n_test_rows']:,} {HELD_OUT[metrics['evaluation']]}:\n"
    ]
    if auroc["value"] is not None:
        lines.append(
            f"- **Ranking.** Of a user {has} and a user {has_not}, the model ranks the "
            f"first higher in **{auroc['value']:.0%}** of cases (AUROC; 95% interval "
            f"{auroc['low']:.0%} to {auroc['high']:.0%}; a coin: 50%)."
        )
    if loss["value"] is not None:
        gap = 100 * metrics["expected_calibration_error"]["value"]
        lines.append(
            f"- **Probabilities.** Predicted and observed rates differ by **{gap:.1f} percentage "
            f"points** on average. Log loss {loss['value']:.4f} ({_loss_interval(metrics)}), where "
            f"giving all users the base rate has {metrics['log_loss_base_rate']['value']:.4f} "
            "(lower is better)."
        )
    if is_guessing(metrics):
        gain = metrics["log_loss_gain"]
        lines.append(
            "- **No better than guessing.** It is no better than giving all users the base rate: "
            f"it gains {gain['value']:+.4f} in log loss (95% interval "
            f"{gain['low']:+.4f} to {gain['high']:+.4f})."
        )
    if lift["value"] is not None:
        lines.append(
            f"- **Use.** In the tenth of users with the highest probability {happened} "
            f"**{lift['value']:.1f} times** as often as in all."
        )
    if "value" in metrics:
        lines += _value_in_words(metrics["value"])
    if model.status != CHAMPION:
        lines.append(f"\nThis model does not score: {escape(model.reason)}.")
    return "\n".join(lines)


def _loss_interval(metrics: Mapping[str, Any]) -> str:
    """Return the interval of the log loss, and what it covers."""
    loss = metrics["log_loss"]
    covers = "other users"
    if "low_of_users" in loss:
        covers += ", and weeks that differ as the snapshots did"
    return f"95% interval {loss['low']:.4f} to {loss['high']:.4f}: for {covers}"


def _value_in_words(value: Mapping[str, Any]) -> list[str]:
    """Return the measured quality of expected values in sentences."""
    error, ratio, share = (
        value[name] for name in ("mean_absolute_error", "total_ratio", "top_decile_share")
    )
    if error["value"] is None or ratio["value"] is None:
        return []
    return [
        f"- **Expected values.** Their sum over all users is **{ratio['value']:.0%}** of the "
        f"observed sum (95% interval {ratio['low']:.0%} to {ratio['high']:.0%}). The mean error of "
        f"one user is {error['value']:,.4g}; with the same mean for all users it is "
        f"{value['mean_absolute_error_usual']['value']:,.4g}.",
        f"- **Concentration.** The tenth of users with the highest expected values had "
        f"**{share['value']:.0%}** of the observed sum.",
    ]


def value_table(model: ModelRecord) -> str:
    """Return expected and observed means in ten groups of held-out users, a table; or nothing."""
    groups = (model.metrics or {}).get("value", {}).get("groups", [])
    rows = [
        f"| {row['n']:,} | {row['mean_expected']:,.4g} | {row['mean_value']:,.4g} | "
        + (f"{row['low']:,.4g} to {row['high']:,.4g} |" if row["low"] is not None else " |")
        for row in groups
    ]
    words = "Held-out users in ten groups, from the lowest to the highest expected value.\n"
    head = ["| users | expected, mean | observed, mean | 95 % interval |", "|---|---|---|---|"]
    return "\n".join([words, *head, *rows]) if rows else ""


def amounts_table(model: ModelRecord) -> str:
    """Return all models of amounts that were tried, best first, as a table; or nothing."""
    value = (model.metrics or {}).get("value", {})
    rows = [
        f"| {escape(row['candidate'])}{' ✓' if row['candidate'] == value['candidate'] else ''} | "
        f"{row['deviance']:.4f} | {row['scale']} | {row['seconds']:.0f} |"
        for row in sorted(value.get("candidates", []), key=lambda row: row["deviance"])
    ]
    words = "Models of the value where there is any, measured with the probability of any.\n"
    head = ["| value model | Tweedie deviance | scaling | seconds |", "|---|---|---|---|"]
    return "\n".join([words, *head, *rows]) if rows else ""


def candidates_table(model: ModelRecord) -> str:
    """Return all models tried, best first, as a table."""
    tried = (model.metrics or {}).get("candidates", [])
    rows = [
        f"| {escape(row['candidate'])}{' ✓' if row['candidate'] == model.candidate else ''} | "
        f"{row['log_loss']:.4f} | {row['log_loss_uncalibrated']:.4f} | {row['calibration']} | "
        f"{row['seconds']:.0f} |"
        for row in sorted(tried, key=lambda row: row["log_loss"])
    ]
    head = ["| model | log loss | uncalibrated | calibration | seconds |", "|---|---|---|---|---|"]
    words = "Each was measured on users it had not seen; the lowest log loss wins (✓).\n"
    dropped = [
        f"{escape(row['candidate'])} dropped out: {escape(row['reason'])}."
        for row in (model.metrics or {}).get("dropped", [])
    ]
    return "\n".join([words, *head, *rows, *(["", *dropped] if dropped else [])])


def importance_sentences(
    model: ModelRecord, events: Sequence[str], properties: Sequence[str]
) -> str:
    """Return a sentence per event or property that the model's quality rests on, as a list.

    Args:
        model: Its importances are log loss lost (nats per row), or of a value prediction deviance,
            when a group's values are shuffled.
        events: Names that are event types.
        properties: Names that are properties of events or users.
    """
    metrics = model.metrics or {}
    value = metrics.get("value")
    guess, loss = (
        (value["deviance_usual"]["value"], value["deviance"]["value"])
        if value
        else (metrics["log_loss_base_rate"]["value"], metrics["log_loss"]["value"])
    )
    gained = guess - loss if guess is not None and loss is not None else 0
    lines = []
    for row in model.importances or []:
        if row["importance"] <= 0:
            continue
        share = f", {row['importance'] / gained:.0%} of the total gain" if gained > 0 else ""
        lines.append(
            f"- {_what(row['group'], events, properties)}. With this shuffled among users, "
            f"{'the deviance' if value else 'log loss'} is {row['importance']:.4f} worse{share}."
        )
    return "\n".join(lines) or "- Nothing: it gives nearly all users the same probability."


def _what(group: str, events: Sequence[str], properties: Sequence[str]) -> str:
    if group in events:
        return f"What users did of {quote(group)}: how often, how lately, with what values"
    if group in properties:
        return f"The property {quote(group)}"
    words = KINDS.get(group, escape(group))
    return words[0].upper() + words[1:]


def left_out_sentences(model: ModelRecord) -> list[str]:
    """Return a sentence per input that was kept from the model because it may know the future."""
    return [
        f"{KIND_WORDS.get(row['kind'], escape(row['kind']))} of {quote(row['group'])}: "
        f"{escape(row['reason'])}."
        for row in (model.metrics or {}).get("quarantined", [])
    ]


def time_in_words(model: ModelRecord) -> str:
    """Return the loss of quality in later weeks (learn.evaluate), in a sentence; or nothing."""
    metrics = model.metrics or {}
    gap = metrics.get("generalisation_gap")
    if gap is None or metrics["evaluation"] != "out_of_time":
        return ""
    return (
        f"Log loss on other users in the training weeks was "
        f"{metrics['log_loss_random_split']:.4f}, on other users in later weeks "
        f"{metrics['log_loss']['value']:.4f}: {abs(gap):.4f} {'more' if gap > 0 else 'less'}."
    )


def challenge_in_words(model: ModelRecord) -> str:
    """Return how the comparison with the champion ended."""
    if model.challenge is None:
        return "It was never compared with another model."
    words = escape(model.challenge["decision"])
    return f"{words[0].upper()}{words[1:]}."


def limits(model: ModelRecord, horizon_days: int) -> list[str]:
    """Return what the model must not be used for, and what is doubtful about this one."""
    metrics = model.metrics or {}
    sentences = [
        "The model predicts who will, not why. Its inputs are associated with the outcome; "
        "changing them need not change the outcome. Only an experiment shows what a campaign does.",
        "It is for planning and for reaching out to users. It must not decide about a person's "
        "credit, work, housing, insurance, health, education or rights.",
        f"It holds for the starting cohort above and for the next {horizon_days} days, not for "
        "other users or another horizon.",
        "It learned from past weeks. After a change of prices, product or tracking its "
        "probabilities are off until such weeks are among them.",
    ]
    if "value" in metrics:
        sentences.append(
            "An expected value is a mean over all that may happen; use it for sums over many "
            "users. Most users have nothing, a few have much more. It covers the window alone, "
            "not a lifetime. A user who returns more than they buy in the window counts as 0."
        )
    if not metrics.get("has_reasons", True):
        sentences.append(
            f"It gives no reasons: {escape(model.candidate or '')} is a model of another library, "
            "whose score is no sum of known parts."
        )
    n_positives = metrics.get("n_test_positives", 0)
    if n_positives < FEW_POSITIVES:
        sentences.append(
            f"Only {n_positives:,} held-out users had the outcome: the measured numbers are rough, "
            "see their intervals."
        )
    if metrics.get("evaluation") == "users_only":
        sentences.append(
            "History is too short to hold weeks out: how well it does in a later week was not "
            "measured."
        )
    sentences += [
        f"The check {escape(finding.name)} failed: {escape(finding.words)}."
        for finding in check_model(model)
        if not finding.passed and finding.name != "model_accepted"
    ]
    return sentences
