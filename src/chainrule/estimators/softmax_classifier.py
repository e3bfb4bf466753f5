"""SoftmaxClassifier: the lecture's linear scores and softmax."""

from __future__ import annotations

from dataclasses import replace

from chainrule.estimators.linear import LinearClassifier
from chainrule.estimators.network import Head


class SoftmaxClassifier(LinearClassifier):
    """Linear scores and softmax: multinomial logistic regression.

    J(W, b) = Σ_i w_i · (−log p_{y_i}) / Σ_i w_i + λ · ((1 − r)/2 · Σ‖W‖² + r · Σ|W|),
    p = softmax(X Wᵀ + b), λ = ``alpha``, r = ``l1_ratio``; intercepts are not penalised.

    The same minimum as scikit-learn's ``LogisticRegression(C=1 / (Σ w_i · alpha))``. Two classes
    have one row of weights, that of the second class against the first, as there.

    Options that are not named here are ``MLPClassifier``'s.

    Parameters
    ----------
    alpha : float, default=0.0001
        Strength λ of the penalty.
    l1_ratio : float, default=0.0
        Share r of L1 in it. With solver "lbfgs" weights become exactly 0.
    solver : str or update rule, default="lbfgs"
        Over all rows "lbfgs", "cg", "newton-cg", "bfgs", "tnc", "gd"; over mini-batches "sgd",
        "adam", "adamw", "rmsprop", "nesterov" or an update rule.
    fit_intercept : bool, default=True
        Whether there is a b.
    max_iter : int, default=1000
        Iterations or epochs at most.
    tol : float, default=1e-4
        Largest entry of the gradient at the end; over mini-batches what counts as an improvement.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    label_smoothing : float, default=0.0
        ε: targets become (1 − ε) t + ε / classes.

    Attributes
    ----------
    classes_ : ndarray
    coef_ : ndarray of shape (classes, columns), (1, columns) for two classes
    intercept_ : ndarray of shape (classes,), (1,) for two classes
    loss_, loss_curve_, history_, n_iter_, training_status_, network_, parameters_
        As ``MLPClassifier`` has them.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from chainrule import SoftmaxClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SoftmaxClassifier(alpha=1e-3, solver="cg").fit(X / 16, y)
    >>> model.coef_.shape
    (10, 64)
    """

    def _head(self) -> Head:
        head = self._softmax_head() if self._labels.kind == "multiclass" else self._sigmoid_head()
        return replace(head, start="zeros", bias=self.fit_intercept)
