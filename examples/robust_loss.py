"""A loss of your own, against wild measurements.

Every twentieth value is far off. The squared error follows it; log cosh, written as a function of
two nodes, hardly notices. Its gradient needs no derivation: the graph has it, and it is checked.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import chainrule as cr
from chainrule.pictures import LIGHT, in_style

warnings.simplefilter("ignore")  # the squared error stops at max_iter
rng = np.random.default_rng(1)
x = np.sort(rng.uniform(-3, 3, 200))
truth = np.tanh(2 * x) + 0.3 * x
y = truth + rng.normal(0, 0.1, x.size)
y[::20] += rng.choice([-1, 1], x[::20].size) * rng.uniform(4, 8, x[::20].size)


def log_cosh(scores, target):
    error = (scores - target) * 5
    return cr.softplus(-2 * error) + error


options = {"hidden_layer_sizes": (10,), "activation": "tanh", "solver": "lbfgs", "alpha": 1e-3}
models = {
    "squared error": cr.MLPRegressor(**options, max_iter=500, random_state=0),
    "log cosh": cr.MLPRegressor(loss=log_cosh, **options, max_iter=500, random_state=0),
}
print(cr.check_gradient(models["log cosh"], x[:, None], y, progress=False).summary)
with in_style(LIGHT):
    figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    ax.scatter(x, y, s=9, color=LIGHT.quiet, linewidth=0)
    ax.plot(x, truth, color=LIGHT.ink, linestyle=":", label="the truth")
    for name, model in models.items():
        said = model.fit(x[:, None], y).predict(x[:, None])
        ax.plot(x, said, label=name)
        print(f"{name}: {np.sqrt(np.mean((said - truth) ** 2)):.2f} from the truth")
    ax.set(title="A loss of one's own", xlabel="x", ylabel="y")
    ax.legend(frameon=False)
    figure.savefig("robust_loss.png", dpi=100)
