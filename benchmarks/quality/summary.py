"""What the goals of the quality benchmark ask for, computed from the lines of its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from scipy.stats import sem

from benchmarks.quality.methods import FORETELL, METHODS, WITHOUT
from benchmarks.quality.table import ATTAINABLE, ORACLE, Result

REFERENCES = {method.title for method in METHODS.values()} - {FORETELL, WITHOUT}
RARE = 0.005  # outcomes below this rate: what counts is their total
Lines = dict[str, Result]


def summary(results: Sequence[Result]) -> list[str]:
    """Return one sentence per goal; none where Foretell or all references are missing.

    Args:
        results: Lines of the table; those of one prediction at one cut stand together.
    """
    sets = [{line.method: line for line in lines} for _, lines in groupby(results, _key)]
    sets = [lines for lines in sets if FORETELL in lines]
    compared = [lines for lines in sets if REFERENCES & lines.keys()]
    sentences = [*_against_references(compared)] if compared else []
    for title in sorted(REFERENCES):
        both = [lines for lines in sets if title in lines]
        if both:
            sentences.append(_against(title, both))
            if title.startswith("AutoGluon"):
                sentences.append(_time_against(title, both))
    return [*sentences, *_properties(sets), *_oracle(sets), *_rare(sets)]


def best_reference(lines: Lines) -> Result:
    """Return the reference with the lowest log loss."""
    return min((lines[name] for name in REFERENCES & lines.keys()), key=lambda line: line.log_loss)


def _key(line: Result) -> tuple[str, str]:
    return line.prediction, line.cut


def _named(line: Result) -> str:
    return f"{line.prediction} at {line.cut}"


def _against_references(sets: list[Lines]) -> Iterator[str]:
    ours = np.array([lines[FORETELL].log_loss for lines in sets])
    best = [best_reference(lines) for lines in sets]
    theirs = np.array([line.log_loss for line in best])
    gaps = ours - theirs
    worst = int(np.argmax(gaps / theirs))
    yield (
        f"log loss, Foretell minus best reference: mean {gaps.mean():+.4f} "
        f"({100 * (gaps / theirs).mean():+.2f} %), not above it on {(gaps <= 0).sum()} of "
        f"{len(sets)} sets, worst {gaps[worst]:+.4f} ({_named(best[worst])}, {best[worst].method})"
    )
    yield _beyond_chance([lines[FORETELL] for lines in sets], best)
    ranks = [
        lines[FORETELL].auroc - max(lines[name].auroc for name in REFERENCES & lines.keys())
        for lines in sets
    ]
    low = int(np.argmin(ranks))
    yield (
        f"AUROC, Foretell minus best reference: mean {np.mean(ranks):+.4f}, "
        f"worst {ranks[low]:+.4f} ({_named(sets[low][FORETELL])})"
    )
    lowest = [
        lines[FORETELL].ece <= min(lines[name].ece for name in REFERENCES & lines.keys())
        for lines in sets
    ]
    yield f"ECE: Foretell's is the lowest on {sum(lowest)} of {len(sets)} sets"


def _beyond_chance(ours: list[Result], theirs: list[Result]) -> str:
    """Compare log losses paired by user: within two standard errors it may be chance."""
    gaps = [own.losses() - other.losses() for own, other in zip(ours, theirs, strict=True)]
    lower = sum(gap.mean() < -2 * sem(gap) for gap in gaps)
    higher = sum(gap.mean() > 2 * sem(gap) for gap in gaps)
    return f"by more than two standard errors lower on {lower}, higher on {higher} of {len(gaps)}"


def _against(title: str, sets: list[Lines]) -> str:
    ours, theirs = ([lines[name] for lines in sets] for name in (FORETELL, title))
    pairs = list(zip(ours, theirs, strict=True))
    loss = np.array([own.log_loss / other.log_loss - 1 for own, other in pairs])
    rank = np.array([own.auroc - other.auroc for own, other in pairs])
    return (
        f"against {title} on {len(sets)} sets: log loss {100 * loss.mean():+.2f} %, lower on "
        f"{(loss < 0).sum()}; AUROC {rank.mean():+.4f}, higher on {(rank > 0).sum()}; "
        f"ECE lower on {sum(own.ece < other.ece for own, other in pairs)}"
    )


def _time_against(title: str, sets: list[Lines]) -> str:
    ours, theirs, our_cpu, their_cpu = (
        sum(getattr(lines[name], unit) or 0 for lines in sets)
        for unit in ("seconds", "cpu")
        for name in (FORETELL, title)
    )
    return (
        f"time on {len(sets)} of the sets: Foretell {ours:.0f} s, {title} {theirs:.0f} s: "
        f"{ours / theirs:.2f} times as long; {our_cpu / their_cpu:.2f} times the CPU seconds"
    )


def _properties(sets: list[Lines]) -> Iterator[str]:
    pairs = [(lines[FORETELL], lines[WITHOUT]) for lines in sets if WITHOUT in lines]
    if pairs:
        loss = np.array([ours.log_loss - without.log_loss for ours, without in pairs])
        rank = np.array([ours.auroc - without.auroc for ours, without in pairs])
        yield (
            f"what properties add: log loss {loss.mean():+.4f} (from {loss.min():+.4f} to "
            f"{loss.max():+.4f}), AUROC {rank.mean():+.4f}, better on {(loss < 0).sum()} of "
            f"{len(pairs)} sets"
        )


def _oracle(sets: list[Lines]) -> Iterator[str]:
    """Compare with what is true, and with what events can tell, where the simulator knows.

    The outcomes' chance is taken out by the true probability.
    """
    for lines in sets:
        ours, best = lines[FORETELL], lines.get(ATTAINABLE)
        if best is None:
            continue
        some = np.isin(ours.position, best.position)
        methods = [*sorted(REFERENCES & lines.keys()), FORETELL]
        yield (
            f"{ours.prediction}, under the true probability of {len(ours.y):,} users: "
            f"AUROC {_each({name: lines[name].expected_auroc() for name in methods})}; "
            f"ECE {_each({name: lines[name].expected_ece() for name in methods})}"
        )
        expected = {n: lines[n].expected_log_loss(some) for n in ["base rate", *methods]}
        expected[ATTAINABLE] = best.expected_log_loss()
        expected[ORACLE] = lines[ORACLE].expected_log_loss(some)
        gained = expected["base rate"] - expected[FORETELL]
        tellable = expected["base rate"] - expected[ATTAINABLE]
        yield (
            f"{ours.prediction}, expected log loss of {some.sum():,} users: {_each(expected)}; "
            f"Foretell gains {100 * gained / tellable:.0f} % of what events allow; "
            f"gap to the true probability {ours.gap(some):.4f}, "
            f"of the best from events {best.gap():.4f}"
        )


def _each(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {figure:.4f}" for name, figure in figures.items())


def _rare(sets: list[Lines]) -> Iterator[str]:
    rare = [lines[FORETELL] for lines in sets if lines[FORETELL].y.mean() < RARE]
    for line in rare:
        yield f"rare, {_named(line)}: {line.p.sum():.1f} predicted, {line.y.sum():.0f} observed"
    if rare:
        predicted, observed = (sum(values.sum() for values in part) for part in zip(
            *((line.p, line.y) for line in rare), strict=True))  # fmt: skip
        ratio = predicted / observed - 1 if observed else np.nan
        yield (
            f"rare, in total: {predicted:.1f} predicted, {observed:.0f} observed: "
            f"{100 * ratio:+.1f} % (by chance alone: {100 / max(observed, 1) ** 0.5:.0f} %)"
        )
