"""Four solvers, one network.

Full-batch solvers look at all rows in each iteration, mini-batches make many steps of it. The loss
after each look at all rows: the lecture's conjugate gradients against gradient descent and Adam.
"""

import warnings

import chainrule as cr
from chainrule import pictures

warnings.simplefilter("ignore")  # all of them stop at max_iter
data = cr.load_digits()
X, y = data.X_train / 16, data.y_train
solvers = {
    "gradient descent": {"solver": "gd", "learning_rate_init": 0.5},
    "conjugate gradients": {"solver": "cg"},
    "L-BFGS": {"solver": "lbfgs"},
    "Adam, batches of 64": {"solver": "adam", "learning_rate_init": 0.01, "batch_size": 64},
}
models = {
    name: cr.MLPClassifier((20,), max_iter=60, tol=0, random_state=0, **options).fit(X, y)
    for name, options in solvers.items()
}
ax = pictures.plot_loss(models, title="Four solvers, one network")
ax.set(yscale="log", ylim=(1e-3, 4))
ax.figure.savefig("solvers_race.png", dpi=100)
for name, model in models.items():
    print(f"{name}: loss {model.loss_:.1g}")
