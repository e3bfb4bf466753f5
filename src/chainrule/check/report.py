"""The result of a gradient check: per parameter the worst entry, and what it likely means."""

from __future__ import annotations

from dataclasses import dataclass

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from chainrule.errors import GradientError
from chainrule.graph.markup import Markup, table, tag


@dataclass(frozen=True)
class Comparison:
    """One entry of a gradient (or one random direction), from the chain rule and by differences.

    Attributes
    ----------
    parameter : str
    index : tuple of int or None
        Where in the parameter; None for a random direction through all of it.
    analytic, numerical : float
    relative_error : float
        |analytic − numerical| / max(|analytic|, |numerical|, noise / tol): the last keeps the
        loss's rounding errors, which the step magnifies to ``noise``, from counting as errors.
    """

    parameter: str
    index: tuple[int, ...] | None
    analytic: float
    numerical: float
    relative_error: float

    @property
    def place(self) -> str:
        """``W1[3, 0]``, or ``W1, a random direction``."""
        if self.index is None:
            return f"{self.parameter}, a random direction"
        return f"{self.parameter}[{', '.join(map(str, self.index))}]"


@dataclass(frozen=True)
class ParameterReport:
    """What was found for one parameter.

    Attributes
    ----------
    name : str
    shape : tuple of int
    checked : int
        How many entries were compared.
    directions : int
        How many random directions were compared besides.
    worst : Comparison or None
        The largest relative error; kinks do not count, so there may be none.
    kinks : tuple of Comparison
        Entries at which an activation crosses its corner between the two evaluations, at every
        step that was tried: there differences say nothing.
    wrong : int
        How many comparisons disagree.
    diagnosis : str
        What that likely means; empty when all is well.
    """

    name: str
    shape: tuple[int, ...]
    checked: int
    directions: int
    worst: Comparison | None
    kinks: tuple[Comparison, ...]
    wrong: int
    diagnosis: str

    @property
    def ok(self) -> bool:
        """Whether no comparison disagrees."""
        return self.wrong == 0

    @property
    def cells(self) -> list[str]:
        """What a table says of it: name, extent, worst entry, both numbers, error, verdict."""
        shape = " × ".join(map(str, self.shape)) or "1"
        compared = f"{self.checked:,}" + (f" + {self.directions}" if self.directions else "")
        verdict = "ok" if self.ok else f"{self.wrong} wrong"
        cells = [f"{self.name} ({shape})", compared]
        if self.worst is None:
            return [*cells, "—", "", "", "", verdict]
        worst = self.worst
        place = "direction" if worst.index is None else str(list(worst.index))
        numbers = [f"{worst.analytic:.6g}", f"{worst.numerical:.6g}", f"{worst.relative_error:.1e}"]
        return [*cells, place, *numbers, verdict]


@dataclass(frozen=True)
class GradientReport:
    """The chain rule's gradient compared with central differences; print it to read it.

    Attributes
    ----------
    parameters : tuple of ParameterReport
    tol : float
        The relative error from which on an entry counts as wrong.
    extent : str
        Which entries were compared, in words.
    loss : float
        The loss at the parameters that were checked.
    """

    parameters: tuple[ParameterReport, ...]
    tol: float
    extent: str
    loss: float

    @property
    def ok(self) -> bool:
        """Whether every entry agrees; kinks are no errors."""
        return all(one.ok for one in self.parameters)

    @property
    def worst(self) -> Comparison | None:
        """The comparison with the largest relative error; None if all are kinks."""
        found = [one.worst for one in self.parameters if one.worst is not None]
        return max(found, key=lambda one: one.relative_error, default=None)

    @property
    def kinks(self) -> tuple[Comparison, ...]:
        """All entries at which differences say nothing."""
        return tuple(kink for one in self.parameters for kink in one.kinks)

    @property
    def summary(self) -> str:
        """The verdict in one sentence."""
        worst = self.worst
        if worst is None:
            return "Nothing could be compared: an activation crosses its corner at every entry."
        if self.ok:
            return (
                f"The gradient is right: largest relative error {worst.relative_error:.1e} "
                f"at {worst.place}, below {self.tol:.0e}."
            )
        which = ", ".join(one.name for one in self.parameters if not one.ok)
        return (
            f"The gradient is wrong in {which}: worst at {worst.place}, analytic "
            f"{worst.analytic:.6g}, numerical {worst.numerical:.6g}."
        )

    def raise_if_wrong(self) -> GradientReport:
        """This report, or a ``GradientError`` that names the worst entry and the likely causes."""
        if not self.ok:
            causes = [f"{one.name}: {one.diagnosis}." for one in self.parameters if not one.ok]
            raise GradientError(" ".join([self.summary, *causes]))
        return self

    @property
    def notes(self) -> list[str]:
        """What there is to say besides the numbers: the extent, kinks, what is likely wrong."""
        lines = [f"Compared: {self.extent}."]
        if self.kinks:
            lines.append(
                f"Kinks: at {_number(len(self.kinks), 'entry', 'entries')}, first "
                f"{self.kinks[0].place}, an activation crosses its corner within the step; "
                "differences say nothing there, and they count neither way."
            )
        return lines + [f"{one.name}: {one.diagnosis}." for one in self.parameters if not one.ok]

    def __rich__(self) -> RenderableType:
        lines = [Text(note) for note in self.notes]
        verdict = Text(self.summary, style="green" if self.ok else "bold red")
        return Group(_rich_table(self), *lines, verdict)

    def _repr_html_(self) -> str:
        return report_html(self)

    def __str__(self) -> str:
        console = Console(width=100, no_color=True, force_terminal=False, highlight=False)
        with console.capture() as capture:
            console.print(self)
        return "\n".join(line.rstrip() for line in capture.get().splitlines())

    __repr__ = __str__


HEADS = ("parameter", "compared", "worst entry", "analytic", "numerical", "error", "")
NUMBERS = {3, 4, 5}


def _rich_table(report: GradientReport) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), pad_edge=False)
    for i, name in enumerate(HEADS):
        grid.add_column(name, justify="right" if i in NUMBERS else "left", no_wrap=True)
    for one in report.parameters:
        *cells, verdict = one.cells
        grid.add_row(*map(Text, cells), Text(verdict, "green" if one.ok else "bold red"))
    return grid


def report_html(report: GradientReport) -> Markup:
    """For notebooks and reports: the table, the notes, the verdict."""
    verdict = tag("p", tag("strong", report.summary), class_="right" if report.ok else "wrong")
    return tag(
        "div",
        table([*HEADS[:-1], "verdict"], [one.cells for one in report.parameters], NUMBERS),
        *(tag("p", note) for note in report.notes),
        verdict,
        class_="chainrule-gradients",
    )


def _number(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
