"""What a column is taken for, from what the first look at it has found.

From the plain to the doubtful: constant, binary, number, date, category, identifier, text.
"""

from __future__ import annotations

from typing import Literal

from chainrule.errors import DataError, describe
from chainrule.tables.columns import shortened
from chainrule.tables.survey import DISTINCT, FEW_ROWS, Survey, may_identify

__all__ = ["DECLARABLE", "KINDS", "Kind", "TextColumnError", "decide"]

Kind = Literal["numeric", "binary", "categorical", "datetime", "constant", "identifier", "ignored"]
KINDS = ("numeric", "binary", "categorical", "datetime", "constant", "identifier", "ignored")
DECLARABLE = ("numeric", "binary", "categorical", "datetime", "identifier", "ignored")
"""What ``types=`` may say a column is."""

MOSTLY = 0.9
"""From this share of numbers on, a cell that is no number is taken for a slip."""


class TextColumnError(DataError):
    """A column of free text, which has no encoding here.

    Attributes
    ----------
    columns : tuple of str
        All columns of the table that are free text.
    """

    def __init__(self, message: str, columns: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.columns = columns


def decide(survey: Survey) -> tuple[Kind, str]:
    """(kind, a remark or "") of a column after the first pass.

    Raises
    ------
    TextColumnError
        Free text.
    DataError
        Mostly numbers or dates, with cells that are neither.
    """
    if not survey.present:
        return "constant", "no values"
    if survey.storage == "number":
        return _decide_numbers(survey)
    if survey.storage == "time" or survey.times == survey.present:
        few = survey.low == survey.high if survey.storage == "time" else len(survey.levels) == 1
        one = few and not survey.missing
        return ("constant", "") if one else ("datetime", "")
    if survey.storage == "cells":
        if survey.numbers == survey.present and not survey.zeros_in_front:
            return _decide_numbers(survey)
        _refuse_slips(survey)
    return _decide_levels(survey)


def _decide_numbers(survey: Survey) -> tuple[Kind, str]:
    if survey.low == survey.high and not survey.missing:
        return "constant", ""
    if survey.whole and (survey.low, survey.high) == (0, 1):
        return "binary", ""
    if survey.whole and may_identify(survey) and survey.is_name_of_rows():
        return "identifier", "no value comes twice"
    large = survey.whole and max(abs(survey.low), abs(survey.high)) > 2**53
    return "numeric", "whole numbers beyond 2⁵³ are rounded" if large else ""


def _decide_levels(survey: Survey) -> tuple[Kind, str]:
    count = len(survey.levels)
    if count == 1:
        return ("categorical", "") if survey.missing else ("constant", "")
    if count == 2:
        return "binary", ""
    many = survey.present >= FEW_ROWS and count >= min(DISTINCT, survey.present / 2)
    if many and survey.many_words():
        raise _text(survey)
    if survey.is_name_of_rows():
        return "identifier", "no value comes twice"
    if survey.storage == "mixed":
        return "categorical", "values of several kinds"
    return "categorical", "zeros in front" if survey.zeros_in_front else ""


def _refuse_slips(survey: Survey) -> None:
    if len(survey.levels) < FEW_ROWS or not survey.stranger or survey.zeros_in_front:
        return
    for count, word in ((survey.numbers, "numbers"), (survey.times, "dates")):
        if count >= MOSTLY * survey.present:
            raise DataError(
                describe(
                    f"column {survey.name!r}",
                    f"{word}, as in {count} of {survey.present} cells",
                    survey.stranger,
                    "Correct it, name it in missing=, or declare types="
                    f"{{{survey.name!r}: 'categorical'}}.",
                )
            )


def _text(survey: Survey) -> TextColumnError:
    distinct = f"{len(survey.levels)} different texts in {survey.present} rows"
    return TextColumnError(
        describe(
            f"column {survey.name!r}",
            "numbers, dates or categories",
            f"free text ({distinct}, such as {shortened(min(survey.levels))})",
            "Leave it out or turn it into numbers first (scikit-learn's TfidfVectorizer); "
            f"types={{{survey.name!r}: 'ignored'}} leaves it out here, 'categorical' takes each "
            "text as a category.",
        ),
        (survey.name,),
    )
