"""The arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.options import ModelName
from chainrule.networks import ACTIVATIONS

TABLES = "FILE.csv"
FILES = "Files that need not fit into memory"

Source = Annotated[
    str,
    typer.Argument(
        metavar="digits|mnist|FILE.csv|FILES",
        help="What to learn from: the digits that come with scikit-learn, MNIST (its four files "
        "are looked for in $CHAINRULE_DATA, else downloaded once; a folder that holds them works "
        "too), a table, or a folder or pattern of Parquet or CSV files.",
    ),
]
Target = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="The column to predict, for FILE.csv.")
]
Model = Annotated[ModelName | None, typer.Option(metavar="NAME", help=f"{', '.join(ModelName)}.")]
Hidden = Annotated[
    str | None,
    typer.Option(metavar="20,10", help="Neurons of each hidden layer of the mlp."),
]
ActivationName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"Of the hidden layers: {', '.join(ACTIVATIONS)}.",
        autocompletion=lambda: list(ACTIVATIONS),
    ),
]
Alpha = Annotated[
    float, typer.Option(metavar="λ", min=0, help="λ of the penalty λ/2·Σ‖W‖² beside the mean loss.")
]
Seed = Annotated[
    int, typer.Option(metavar="N", min=0, max=2**32 - 1, help="Of the split and of the start.")
]
SavedModel = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A file that train --save wrote.")
]
