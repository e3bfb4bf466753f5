"""Training: the objective, and what minimises it."""

from chainrule.training.objective import Objective, Sums

__all__ = ["Objective", "Sums"]
