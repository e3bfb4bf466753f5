"""scikit-learn's interface: networks as estimators."""

from chainrule.estimators.mlp_classifier import MLPClassifier
from chainrule.estimators.mlp_regressor import MLPRegressor
from chainrule.estimators.one_vs_all import OneVsAllClassifier
from chainrule.estimators.persistence import load, save
from chainrule.estimators.softmax_classifier import SoftmaxClassifier

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
    "OneVsAllClassifier",
    "SoftmaxClassifier",
    "load",
    "save",
]
