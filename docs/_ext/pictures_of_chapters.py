"""Runs first in every chapter's kernel: vector graphics, in the look of chainrule.pictures."""

import matplotlib.pyplot as _plt
from matplotlib_inline.backend_inline import set_matplotlib_formats as _formats

from chainrule.pictures.style import LIGHT as _LIGHT
from chainrule.pictures.style import settings as _settings

_formats("svg")
_own = {"figure.constrained_layout.use": True, "text.parse_math": True}
_plt.rcParams.update({**_settings(_LIGHT), **_own})
