"""Runs first in every chapter's kernel: vector graphics, in the look of chainrule.pictures."""

import matplotlib.pyplot as _plt
from matplotlib_inline.backend_inline import set_matplotlib_formats as _formats

from chainrule.pictures.style import STYLE as _STYLE

_formats("svg")
_plt.rcParams.update({**_STYLE, "figure.constrained_layout.use": True})
