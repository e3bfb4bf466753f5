"""Two spirals, unwound step by step.

The same network after 20, 50 and 400 iterations: first a straight cut, then bends, then the
spirals. `warm_start` goes on where the last fit ended.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import chainrule as cr
from chainrule.pictures import LIGHT, in_style, plot_decision_boundary

warnings.simplefilter("ignore")  # each leg stops at max_iter
rng = np.random.default_rng(0)
angle = np.sqrt(rng.uniform(0.02, 1, 400)) * 3 * np.pi
side = np.repeat([1, -1], 200)
points = side[:, None] * np.c_[np.cos(angle), np.sin(angle)] * angle[:, None] / 9
points += rng.normal(0, 0.02, points.shape)

model = cr.MLPClassifier((16, 16), activation="tanh", solver="lbfgs", alpha=1e-4, tol=1e-7)
model.set_params(warm_start=True, random_state=1)
with in_style(LIGHT):
    figure, axes = plt.subplots(1, 3, figsize=(9.6, 3.4), layout="constrained")
    for ax, (leg, total) in zip(axes, [(20, 20), (30, 50), (350, 400)], strict=True):
        model.set_params(max_iter=leg).fit(points, side)
        right = model.score(points, side)
        plot_decision_boundary(model, points, side, ax, title=f"{total} iterations: {right:.0%}")
        ax.set(xlabel="", ylabel="", xticks=[], yticks=[])
        if ax is not axes[-1] and ax.get_legend():
            ax.get_legend().remove()
    figure.savefig("spirals.png", dpi=100)
print(f"{model.score(points, side):.1%} of the points on their own side")
