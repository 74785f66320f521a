"""A margin that is the weighted sum of its members' margins."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from foretell.learn.families.base import Family


class Sum(Family):
    """A model of members, each of which reads its own columns of the same rows."""

    def _margin(self, X: csr_matrix) -> np.ndarray:
        margins = [member.margin(X) for member in self.members_]
        return np.asarray(np.dot(self.member_weights_, margins) + self.shift_)
