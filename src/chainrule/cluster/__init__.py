"""Past one machine's memory: files streamed piece by piece, and Dask's workers.

One objective for all of it: sums over partitions, added in one order, divided once.
"""

from chainrule.errors import MissingPackageError

try:
    import distributed  # noqa: F401
    import pyarrow  # noqa: F401
except ModuleNotFoundError as error:
    raise MissingPackageError("chainrule.cluster", "dask", error) from error

from chainrule.cluster.fitting import fit
from chainrule.cluster.prediction import predict, predict_proba, score

__all__ = ["fit", "predict", "predict_proba", "score"]
