"""What each digit looks for.

A linear classifier has a weight for every pixel and class. Drawn as images, blue pixels speak for
the digit and orange ones against it.
"""

import chainrule as cr
from chainrule import pictures

data = cr.load_digits()
model = cr.SoftmaxClassifier(alpha=1e-2, solver="lbfgs").fit(data.X_train / 16, data.y_train)

names = [str(digit) for digit in model.classes_]
ax = pictures.plot_weights(model.coef_.T, labels=names, title="What each digit looks for")
ax.figure.savefig("what_classes_look_for.png", dpi=100)
print(f"{model.score(data.X_test / 16, data.y_test):.1%} of the test digits right")
