"""Whole RealMLP trainings against the recipe written with PyTorch's automatic gradients."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from chainrule.estimators import RealMLPClassifier, RealMLPRegressor
from chainrule.training import Callback

torch = pytest.importorskip("torch", reason="PyTorch is the other side of these tests")

EPOCHS = 8
HIDDEN = (12, 10, 8)


def frame(rows=60):
    rng = np.random.default_rng(0)
    size, town = rng.normal(50, 10, rows), rng.integers(12, size=rows)
    colour = rng.choice(["red", "green", "blue"], rows)
    X = pd.DataFrame({"size": size, "rate": rng.lognormal(0, 1, rows), "colour": colour})
    X["town"] = [f"town {place}" for place in town]
    return X, size / 10 + town / 4 - (colour == "red") + 0.1 * rng.normal(size=rows)


class Start(Callback):
    """Keeps the parameters from before the first step."""

    def on_train_begin(self, progress):
        self.theta = progress.theta.copy()


def scores_of(p, inputs, td, activation):
    x = inputs["x"]
    if td:
        waves = torch.cos(2 * math.pi * x[:, :, None] * p["wave_w1"] + p["wave_b1"])
        mixed = torch.einsum("rdf,dfm->rdm", waves, p["wave_V1"]) + p["wave_c1"]
        x = torch.cat([x[:, :, None], mixed], dim=2).flatten(1)
    parts = [x, inputs["z"]] if "z" in inputs else [x]
    if "codes" in inputs:
        parts.append(p["E"][inputs["codes"]].flatten(1))
    y = torch.cat(parts, dim=1) * p["front1"]
    for layer in (1, 2, 3):
        z = y @ p[f"W{layer}"] / y.shape[1] ** 0.5 + p[f"b{layer}"]
        y = z + p[f"a{layer}"] * (activation(z) - z) if td else activation(z)
    return y @ p["W4"] / y.shape[1] ** 0.5 + p["b4"]


def factors(name, td):
    """(of the rate, of the decay): the decay is times the rate, and has its factor once more."""
    if name.startswith("front"):
        return 6.0, 6.0 * 6.0 * td
    if name[0] == "b":
        return 0.1, 0.0
    return (0.1, 0.1 * 0.1 * td) if name[0] == "a" or "wave" in name else (1.0, 1.0 * td)


def trained_by_torch(start, inputs, y, td):
    """EPOCHS steps over all rows: Adam, coslog4, decay along flat_cos."""
    classes = y.dtype == torch.int64
    activation = torch.nn.functional.selu if classes else torch.nn.functional.mish
    highest = 0.04 if classes else (0.2 if td else 0.07)
    p = {name: torch.tensor(value, dtype=torch.float64) for name, value in start.items()}
    memory = {name: (torch.zeros_like(value), torch.zeros_like(value)) for name, value in p.items()}
    for step in range(EPOCHS):
        for value in p.values():
            value.requires_grad_(True).grad = None
        scores = scores_of(p, inputs, td, activation)
        if classes:
            loss = torch.nn.functional.cross_entropy(scores, y, label_smoothing=0.1)
        else:
            loss = (scores[:, 0] - y).square().mean()
        loss.backward()
        t = step / EPOCHS
        rate = highest * 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * t)))
        decay = 0.02 * (1 if t < 0.5 else 0.5 * (1 + math.cos(2 * math.pi * (t - 0.5))))
        for name, value in p.items():
            mean, square = memory[name]
            g = value.grad
            mean.mul_(0.9).add_(0.1 * g)
            square.mul_(0.95).add_(0.05 * g * g)
            m, s = mean / (1 - 0.9 ** (step + 1)), square / (1 - 0.95 ** (step + 1))
            faster, back = factors(name, td)
            with torch.no_grad():
                p[name] = value * (1 - rate * decay * back) - rate * faster * m / (s.sqrt() + 1e-8)
    return {name: value.detach().numpy() for name, value in p.items()}


@pytest.mark.parametrize("kind", [RealMLPClassifier, RealMLPRegressor])
@pytest.mark.parametrize("preset", ["td", "td-s"])
def test_a_training_is_the_recipe(kind, preset):
    X, y = frame()
    begun = Start()
    options = {"calibrate": False} if kind is RealMLPClassifier else {}
    if kind is RealMLPClassifier:
        y = np.digitize(y, np.quantile(y, [0.3, 0.6]))
    model = kind(
        preset, hidden_layer_sizes=HIDDEN, n_epochs=EPOCHS, dropout=0.0, validation_fraction=0.0,
        callbacks=[begun], random_state=0, **options,
    ).fit(X, y)  # fmt: skip
    start = model._network.objective.unpack(begun.theta)
    dtype = {"codes": torch.int64}
    inputs = {
        name: torch.tensor(values, dtype=dtype.get(name, torch.float64))
        for name, values in model._inputs(model._encode(X)).items()
    }
    target = torch.tensor(model._for_loss(y), dtype=torch.int64 if options else torch.float64)
    expected = trained_by_torch(start, inputs, target, preset == "td")
    assert set(expected) == set(model.parameters_)
    for name, value in model.parameters_.items():
        # Adam makes whole steps of gradients that are nothing but rounding: norms, not each entry
        moved = np.linalg.norm(expected[name] - start[name])
        assert moved > 1e-3, name
        assert np.linalg.norm(value - expected[name]) < 5e-3 * moved, name
