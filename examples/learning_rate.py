"""Which learning rate?

`find_learning_rate` trains a few batches at ever larger rates. Where the loss falls fastest is a
good rate; a little beyond, it explodes.
"""

import chainrule as cr
from chainrule import pictures

data = cr.load_digits()
X, y = data.X_train / 16, data.y_train
model = cr.MLPClassifier((20,), solver="adam", max_iter=100, random_state=0)
found = model.find_learning_rate(X, y)

ax = pictures.plot_learning_rates(found)
ax.figure.savefig("learning_rate.png", dpi=100)
model.set_params(learning_rate_init=found.suggestion).fit(X, y)
score = model.score(data.X_test / 16, data.y_test)
print(f"suggested {found.suggestion:.1g}; {score:.1%} of the test digits right")
