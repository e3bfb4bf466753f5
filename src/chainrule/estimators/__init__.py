"""scikit-learn's interface: networks as estimators."""

from chainrule.estimators.mlp_classifier import MLPClassifier
from chainrule.estimators.mlp_regressor import MLPRegressor
from chainrule.estimators.one_vs_all import OneVsAllClassifier
from chainrule.estimators.persistence import load, save
from chainrule.estimators.realmlp_classifier import RealMLPClassifier
from chainrule.estimators.realmlp_regressor import RealMLPRegressor
from chainrule.estimators.softmax_classifier import SoftmaxClassifier

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
    "OneVsAllClassifier",
    "RealMLPClassifier",
    "RealMLPRegressor",
    "SoftmaxClassifier",
    "load",
    "save",
]
