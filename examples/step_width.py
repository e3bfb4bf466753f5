"""How small should h be?

A numerical gradient is wrong twice: a large step h sees the curve bend, a small one drowns in
rounding. One-sided differences are best near 1e-7; central ones, near 3e-5, are hundreds of times
better.
"""

import matplotlib.pyplot as plt
import numpy as np

import chainrule as cr
from chainrule.pictures import LIGHT, in_style

data = cr.load_digits()
model = cr.MLPClassifier((10,), activation="tanh", random_state=0)
J, theta, X, y = model.as_objective(data.X_train[:100] / 16, data.y_train[:100])
chosen = np.random.default_rng(0).choice(theta.size, 40, replace=False)
exact = J(theta, X, y)[1][chosen]


def loss(part):
    moved = theta.copy()
    moved[chosen] = part
    return J(moved, X, y)[0]


steps = np.logspace(-13, -1, 25)
errors = {}
for scheme in ("forward", "central"):
    found = [cr.numerical_gradient(loss, theta[chosen], h=h, scheme=scheme) for h in steps]
    errors[scheme] = [np.abs(one - exact).max() for one in found]

with in_style(LIGHT):
    figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for scheme, error in errors.items():
        ax.loglog(steps, error, marker="o", markersize=3, label=scheme)
    ax.axvline(1e-4, linestyle=":", color="gray")
    ax.annotate(" the lecture's h", (1e-4, min(errors["central"])), va="bottom")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:.0e}")
    ax.set(title="Largest error of a numerical gradient", xlabel="h", ylabel="error")
    ax.legend(frameon=False)
    figure.savefig("step_width.png", dpi=100)
for scheme, error in errors.items():
    print(f"{scheme}: best at h = {steps[np.argmin(error)]:.0e}, error {min(error):.0e}")
