"""scikit-learn's own callbacks (from 1.9), where the installed version has them.

Every epoch or iteration is a task of ``fit``: progress bars and monitors of scikit-learn attach
with ``model.set_callbacks(...)`` or through a Pipeline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from chainrule.training import Callback, Progress

Method = TypeVar("Method", bound=Callable[..., Any])

if TYPE_CHECKING:

    class CallbackSupportMixin:
        """As the installed scikit-learn has it, if it has it."""

    def with_callbacks(method: Method) -> Method: ...

else:
    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks
    except ImportError:  # before scikit-learn 1.9

        class CallbackSupportMixin:
            """Nothing to support: this scikit-learn has no callbacks."""

        def with_callbacks(method):
            """The method as it is."""
            return method


def begin_fit(estimator: Any, iterations: int | None, X: Any, y: Any) -> Any:
    """The context of this fit, or None where nobody listens."""
    if not hasattr(estimator, "_init_callback_context"):
        return None
    context = estimator._init_callback_context(max_subtasks=iterations)
    context.call_on_fit_task_begin(estimator=estimator, X=X, y=y)
    return context if hasattr(estimator, "_skl_callbacks") else None


def end_fit(context: Any, estimator: Any, X: Any, y: Any) -> None:
    """Tell the listeners that the fit has ended well."""
    if context is not None:
        context.call_on_fit_task_end(estimator=estimator, X=X, y=y, reconstruction_attributes=dict)


class Bridge(Callback):
    """Passes the end of each epoch on to scikit-learn's callbacks; they may ask to stop.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
    estimator : estimator
    X, y
        What is trained on, for callbacks that ask for it.
    attributes : callable
        The fitted attributes that θ amounts to.
    """

    def __init__(
        self,
        context: Any,
        estimator: Any,
        X: Any,
        y: Any,
        attributes: Callable[[Any], dict[str, Any]],
    ) -> None:
        self.context = context
        self.estimator = estimator
        self.X = X
        self.y = y
        self.attributes = attributes

    def seen_through(self, whole: Callable[[Any], Any]) -> Bridge:
        """The same for a run on a part of θ; ``whole`` makes θ of it."""
        seen = self.attributes
        return Bridge(self.context, self.estimator, self.X, self.y, lambda part: seen(whole(part)))

    def on_epoch_end(self, progress: Progress) -> bool:
        task = self.context.subcontext(task_name="iteration")
        about = {"estimator": self.estimator, "X": self.X, "y": self.y}
        task.call_on_fit_task_begin(**about)
        return bool(
            task.call_on_fit_task_end(
                **about,
                reconstruction_attributes=lambda: self.attributes(progress.theta.copy()),
            )
        )
