"""An average is the weighted mean of its members' margins."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.learn.families.average import AverageClassifier
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.families.trees import TreesClassifier
from tests.sparse_rows import kinds, labelled_rows

X, Y = labelled_rows(0, 900)
MEMBERS = [("linear", LinearClassifier(with_properties=False)), ("trees", TreesClassifier())]


@pytest.mark.parametrize(("weights", "shares"), [((), (0.5, 0.5)), ((0.9, 0.1), (0.9, 0.1))])
def test_margins_are_weighed(weights, shares):
    fitted = AverageClassifier(MEMBERS, weights).fit(X, Y, kinds=kinds())
    alone = [
        member.__class__(**member.get_params()).fit(X, Y, kinds=kinds()) for _, member in MEMBERS
    ]
    expected = sum(share * m.margin(X) for share, m in zip(shares, alone, strict=True))
    np.testing.assert_allclose(fitted.margin(X), expected, rtol=0, atol=1e-12)


def test_it_reads_what_any_member_reads():
    fitted = AverageClassifier(MEMBERS).fit(X, Y, kinds=kinds())
    few, many = (member.columns_ for member in fitted.members_)
    assert len(few) < len(many)
    np.testing.assert_array_equal(fitted.columns_, many)


def test_fitting_leaves_its_parameters_as_they_were():
    average = AverageClassifier(MEMBERS).fit(X, Y)
    assert average.members_[0] is not MEMBERS[0][1]
    assert not hasattr(MEMBERS[0][1], "coef_")
