"""Digits squeezed through two neurons.

A network learns to draw its own input through a layer of two neurons. What these two say of each
digit is a map on which like lies by like, though nobody said which digit is which.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import chainrule as cr
from chainrule.pictures import LIGHT, in_style

warnings.simplefilter("ignore")  # it stops at max_iter
data = cr.load_digits()
X, y = data.X_train / 16, data.y_train
model = cr.MLPRegressor(
    hidden_layer_sizes=(64, 2, 64),
    activation=["tanh", "identity", "tanh"],
    solver="lbfgs",
    max_iter=400,
    random_state=0,
).fit(X, X)

h = X
for W, b in zip(model.coefs_[:2], model.intercepts_[:2], strict=True):
    h = h @ W + b
    h = np.tanh(h) if h.shape[1] > 2 else h

with in_style(LIGHT):
    figure, ax = plt.subplots(figsize=(6.4, 4.6), layout="constrained")
    colours = plt.get_cmap("tab10")
    for digit in range(10):
        ax.scatter(*h[y == digit].T, s=16, color=colours(digit), alpha=0.35, linewidth=0)
    for digit in range(10):
        middle = sorted(h[y == digit], key=lambda p: abs(p - h[y == digit].mean(axis=0)).sum())[0]
        ax.annotate(
            str(digit), middle, fontsize=15, weight="bold", color=colours(digit), ha="center"
        )
    ax.set(title="Digits, as two neurons tell them", xlabel="first", ylabel="second")
    figure.savefig("squeezed_digits.png", dpi=100)
left = np.sum((model.predict(X) - X) ** 2) / np.sum((X - X.mean(axis=0)) ** 2)
print(f"two numbers keep {1 - left:.0%} of the pixels' variance")
