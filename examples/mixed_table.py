"""A table as it is, and whether its probabilities mean what they say.

Numbers with gaps and categories go into RealMLP without preparation. On rows held back, of the
cases given 70 % about 70 % should come true.
"""

import numpy as np

import chainrule as cr
from chainrule import pictures

rng = np.random.default_rng(0)
rows = 2000
age, income = rng.uniform(18, 80, rows), rng.lognormal(3, 0.5, rows)
town = rng.choice(["Shiraz", "Tabriz", "Yazd"], rows)
wants = (age - 45) / 15 + np.log(income) - 3 + 1.5 * (town == "Yazd")
buys = np.where(rng.uniform(size=rows) < 1 / (1 + np.exp(-wants)), "yes", "no")
table = {
    "age": np.where(rng.uniform(size=rows) < 0.1, np.nan, age),
    "income": np.where(rng.uniform(size=rows) < 0.1, np.nan, income),
    "town": np.where(rng.uniform(size=rows) < 0.05, None, town),
}
first = {name: values[:1200] for name, values in table.items()}
rest = {name: values[1200:] for name, values in table.items()}

model = cr.RealMLPClassifier(n_epochs=64, random_state=0).fit(first, buys[:1200])
p = model.predict_proba(rest)
ax = pictures.plot_calibration(buys[1200:], p, classes=model.classes_)
ax.figure.savefig("mixed_table.png", dpi=100)
print(f"{np.mean(model.predict(rest) == buys[1200:]):.1%} of 800 new rows right")
