"""How sure is the prediction?

Three networks learn the 10 %, 50 % and 90 % quantiles of a quantity whose spread changes. Eight of
ten new points should fall into the band.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import chainrule as cr
from chainrule.pictures import LIGHT, in_style

warnings.simplefilter("ignore")  # all three stop at max_iter
rng = np.random.default_rng(0)


def draw_points(rows):
    x = rng.uniform(-3, 3, rows)
    return x[:, None], np.sin(1.5 * x) + (0.1 + 0.15 * np.abs(x)) * rng.normal(size=rows)


X, y = draw_points(1500)
bands = {
    share: cr.MLPRegressor(
        loss="quantile",
        quantile=share,
        hidden_layer_sizes=(32, 32),
        activation="tanh",
        learning_rate_init=0.01,
        learning_rate="cosine",
        max_iter=150,
        n_iter_no_change=150,
        random_state=0,
    )
    for share in (0.1, 0.5, 0.9)
}
grid = np.linspace(-3, 3, 300)[:, None]
low, middle, high = (model.fit(X, y).predict(grid) for model in bands.values())
with in_style(LIGHT):
    figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    ax.scatter(X[:, 0], y, s=4, color=LIGHT.quiet, alpha=0.35, linewidth=0)
    ax.fill_between(grid[:, 0], low, high, color=LIGHT.blue, alpha=0.2, label="10 % to 90 %")
    ax.plot(grid[:, 0], middle, color=LIGHT.blue, label="median")
    ax.set(title="Quantiles of what is to be expected", xlabel="x", ylabel="y")
    ax.legend(frameon=False)
    figure.savefig("quantile_bands.png", dpi=100)

X_new, y_new = draw_points(4000)
inside = (bands[0.1].predict(X_new) <= y_new) & (y_new <= bands[0.9].predict(X_new))
print(f"{inside.mean():.1%} of new points in the band")
