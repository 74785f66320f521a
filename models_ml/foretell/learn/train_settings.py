"""How one prediction is trained: sizes, seed, portfolio, limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from foretell.learn.calibrate import CalibrationRules
from foretell.learn.candidates import PORTFOLIO, Candidate


@dataclass(frozen=True)
class TrainSettings:
    """How one prediction is trained.

    Attributes:
        min_positives, min_negatives: Labelled rows needed of each.
        test_percent: Share of users held out for the honest numbers.
        n_folds: Folds by user for out-of-fold scores.
        max_choice_rows: Rows on which all candidates compete (whole users, by hash), and
            out-of-fold scores on which they are calibrated.
        min_choice_positives: Of the rarer outcome among them; a rare one takes more rows.
        max_finalist_rows: Rows on which the best compete and the winner is fitted to be measured.
            The final fit takes all rows; max_training_rows of dbt bounds them.
        useful_share: From the second stage on only those columns are read to which trees of the
            first owe this share of their gain.
        budget_seconds: What contests and fits may take by the cost model (foretell.learn.stages).
        budget_cores: On so many cores; a machine with more is faster, its model is the same.
        budget_memory_gb: What rows and models may take, 1e9 bytes (training_data.within_memory).
            This and budget_seconds may be stated per prediction (docs/definitions.md).
        parity_tolerance: Largest |ONNX - Python| allowed, a probability.
        value_tolerance: The same of expected values, a share of the value or of the mean value.
        n_parity_rows: Real rows on which parity is measured.
    """

    seed: int = 0
    min_positives: int = 10
    min_negatives: int = 10
    test_percent: int = 20
    n_folds: int = 3
    max_choice_rows: int = 15_000
    min_choice_positives: int = 150
    max_finalist_rows: int = 200_000
    useful_share: float = 0.9
    budget_seconds: float = 300.0
    budget_cores: int = 2
    budget_memory_gb: float = 4.0
    parity_tolerance: float = 1e-6
    value_tolerance: float = 1e-5
    n_parity_rows: int = 20_000
    n_resamples: int = 200
    portfolio: tuple[Candidate, ...] = PORTFOLIO
    calibration: CalibrationRules = field(default_factory=CalibrationRules)
