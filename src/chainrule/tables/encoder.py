"""The column encoder: a table of any columns to numbers, learned from the training rows only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import DataError, OptionError, describe
from chainrule.tables.alignment import align
from chainrule.tables.columns import Table
from chainrule.tables.encoded import Encoded
from chainrule.tables.encodings import LevelEncoding
from chainrule.tables.inference import DECLARABLE, Kind, TextColumnError, decide
from chainrule.tables.quantiles import EXACT_ROWS
from chainrule.tables.reading import TableReader
from chainrule.tables.sources import as_table
from chainrule.tables.specs import ColumnSpec, check_column
from chainrule.tables.state import columns_from_dict, columns_to_dict
from chainrule.tables.statistics import Statistics, statistics_for
from chainrule.tables.summary import Summary
from chainrule.tables.survey import Survey

__all__ = ["ColumnEncoder"]


class ColumnEncoder(TransformerMixin, BaseEstimator):
    """Columns of any type → scaled numbers (float32) and codes for embeddings (int32).

    Numbers: the median for missing values and an indicator, robust scaling with a smooth clip.
    Two values: ±1, 0 for missing. Few categories: one-hot. Many: codes, 0 for missing and unknown.
    Dates: time elapsed, and where in the year, the week and the day. Constant and identifier-like
    columns are left out, free text is refused.

    Parameters
    ----------
    types : mapping of str to str, optional
        What columns are, where that should not be inferred: "numeric", "binary", "categorical",
        "datetime", "ignored". Columns of a table without names are called x0, x1, …
    max_one_hot : int or None
        The largest cardinality, missing counted as a level, that becomes one-hot; beyond it
        columns become codes. None: one-hot for all.
    least_missing : int
        In how many training rows a number or date must be missing for an indicator beside it:
        of a few rows a network learns by heart what happened to be true of them.

    Attributes
    ----------
    columns_ : tuple of ColumnSpec
        What was learned of each column of the training table, in its order.
    dense_kinds_ : tuple of str
        Of each dense feature: "numeric", "indicator", "binary", "one-hot", "cyclic".
    cardinalities_ : tuple of int
        Of each embedded column: how many codes it has, 0 included.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the training table had names.

    References
    ----------
    Holzmüller, Grinsztajn, Steinwart, "Better by default", NeurIPS 2024: the recipe.
    """

    columns_: tuple[ColumnSpec, ...]

    def __init__(
        self,
        *,
        types: Mapping[str, str] | None = None,
        max_one_hot: int | None = 9,
        least_missing: int = 1,
    ) -> None:
        self.types = types
        self.max_one_hot = max_one_hot
        self.least_missing = least_missing

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn types and statistics from the rows of ``X``.

        Parameters
        ----------
        X : DataFrame, array, mapping of columns, Table, or path of a CSV file
            A ``TableReader`` is read twice, chunk by chunk, and never held whole; its quartiles are
            then exact up to 2¹⁸ rows and off by a share of rows below 10⁻⁴ beyond.
        y : ignored

        Raises
        ------
        DataError, WrongTypeError
            What cannot be encoded, by column: free text, infinity, mixed objects, …
        OptionError
            ``types``, ``max_one_hot`` or ``least_missing`` is not as described.
        """
        self._check_options()
        source: Iterable[Table]
        if isinstance(X, TableReader):
            source, limit = X, EXACT_ROWS
        else:
            source, limit = (as_table(X),), None
        surveys, named = self._survey(source)
        kinds = self._decide(surveys)
        specs = self._count(source, surveys, kinds, limit)
        self._install(specs, named)
        return self

    def fit_parts(self, each: Callable[[Callable[[Table], Any]], list[Any]]) -> Self:
        """``fit`` over the rows of several tables that lie elsewhere, as if they were one.

        Parameters
        ----------
        each : callable
            ``each(look)`` is the list of ``look(table)`` of every part, in order; the parts have
            rows. It is called twice, with functions that can be pickled. Quartiles are those of a
            streamed ``fit``.
        """
        self._check_options()
        found = each(self._survey_of)
        surveys, named = found[0]
        for others, _ in found[1:]:
            _check_same_columns(surveys, others)
            for survey, other in zip(surveys, others, strict=True):
                survey.join(other)
        kinds = self._decide(surveys)
        counted, *more = each(partial(self._counted, surveys=surveys, kinds=kinds))
        for others in more:
            for statistics, other in zip(counted, others, strict=True):
                statistics.join(other)
        self._install(self._specs(counted, kinds), named)
        return self

    def _survey_of(self, table: Table) -> tuple[list[Survey], bool]:
        return self._survey((table,))

    def _counted(
        self, table: Table, surveys: list[Survey], kinds: list[tuple[Kind, str]]
    ) -> list[Statistics]:
        return self._statistics((table,), surveys, kinds, EXACT_ROWS)

    def transform(self, X: Any) -> np.ndarray:
        """One float32 array (rows, features): the dense features, then the codes as numbers."""
        return self.encode(X).joined()

    def encode(self, X: Any, *, owner: str | None = None) -> Encoded:
        """The dense features and the codes of the rows of ``X``.

        ``owner`` is who messages say expects the columns: by default this class.

        Raises
        ------
        DataError
            An unknown or lost column, a changed type, a cell that cannot be read: named.
        """
        check_is_fitted(self)
        return self._encode(as_table(X), owner)

    def encode_chunks(self, X: TableReader | str | os.PathLike[str]) -> Iterator[Encoded]:
        """``encode`` of one chunk after the other, for files larger than memory."""
        check_is_fitted(self)
        reader = X if isinstance(X, TableReader) else TableReader(X)
        return (self._encode(table) for table in reader)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the features that ``transform`` returns, no name twice.

        Parameters
        ----------
        input_features : array of str, optional
            Must be the names of the training's columns, if given.
        """
        check_is_fitted(self)
        own = [spec.name for spec in self.columns_]
        if input_features is not None and list(input_features) != own:
            if len(input_features) != len(own):
                raise DataError(
                    f"input_features should have length equal to number of features ({len(own)}), "
                    f"got {len(input_features)}"
                )
            raise DataError("input_features is not equal to feature_names_in_")
        embedded = [spec.name for spec in self.columns_ if spec.encoding.cardinality]
        return np.array(_unique([*self._dense_names, *embedded]), dtype=object)

    @property
    def named(self) -> bool:
        """Whether the names of the columns were the training table's own."""
        return self._named

    def summary(self) -> Summary:
        """A table of the columns: type, missing, levels or range, how encoded."""
        check_is_fitted(self)
        return Summary(self.columns_)

    def to_dict(self) -> dict[str, Any]:
        """What was learned, as plain data that JSON holds; see ``from_dict``."""
        check_is_fitted(self)
        options = {
            "types": dict(self.types or {}),
            "max_one_hot": self.max_one_hot,
            "least_missing": self.least_missing,
        }
        return columns_to_dict(self.columns_, self._named) | {"options": options}

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """The encoder that ``to_dict`` wrote down, ready to transform.

        Raises
        ------
        FileFormatError
            The data are not such a dict; what is wrong is named.
        """
        specs, named, options = columns_from_dict(data)
        encoder = cls(
            types=options["types"] or None,
            max_one_hot=options["max_one_hot"],
            least_missing=options.get("least_missing", 1),
        )
        encoder._install(specs, named)
        return encoder

    def _check_options(self) -> None:
        if self.max_one_hot is not None and not _is_count(self.max_one_hot):
            came = repr(self.max_one_hot)
            raise OptionError(describe("max_one_hot", "an integer ≥ 1 or None", came))
        if not _is_count(self.least_missing):
            raise OptionError(describe("least_missing", "an integer ≥ 1", repr(self.least_missing)))
        if self.types is None:
            return
        if not isinstance(self.types, Mapping):
            remedy = "For example {'zip': 'categorical'}."
            came = type(self.types).__name__
            raise OptionError(describe("types", "a mapping of columns to types", came, remedy))
        for name, kind in self.types.items():
            if kind not in DECLARABLE:
                expected = f"one of {', '.join(DECLARABLE)}"
                raise OptionError(describe(f"types[{name!r}]", expected, repr(kind)))

    def _survey(self, source: Iterable[Table]) -> tuple[list[Survey], bool]:
        surveys: dict[str, Survey] = {}
        named, rows = True, 0
        for table in source:
            surveys = surveys or {name: Survey(name) for name in table}
            self._check_table(table)
            named, rows = table.named, rows + table.rows
            for name in table:
                surveys[name].add(table[name])
        if not rows:
            shape = (0, len(surveys))
            raise DataError(f"Found array with 0 sample(s) (shape={shape}) while 1 is required.")
        return list(surveys.values()), named

    def _check_table(self, table: Table) -> None:
        if not table.names:
            raise DataError(
                f"Found array with 0 feature(s) (shape={table.shape}) while a minimum of 1 is "
                f"required by {type(self).__name__}."
            )
        for name in self.types or {}:
            if name not in table:
                came = f"only {', '.join(map(repr, table.names))}"
                raise OptionError(describe("types", f"columns of X, not {name!r}", came))

    def _decide(self, surveys: list[Survey]) -> list[tuple[Kind, str]]:
        declared: Mapping[str, Any] = self.types or {}
        decided: list[tuple[Kind, str]] = []
        texts: list[TextColumnError] = []
        for survey in surveys:
            try:
                known = declared.get(survey.name)
                decided.append((known, "declared") if known else decide(survey))
            except TextColumnError as error:
                texts.append(error)
        if texts:
            names = tuple(name for error in texts for name in error.columns)
            more = ", ".join(map(repr, names[1:]))
            also = f" The same holds for {more}." if more else ""
            raise TextColumnError(f"{texts[0]}{also}", names)
        return decided

    def _count(
        self,
        source: Iterable[Table],
        surveys: list[Survey],
        kinds: list[tuple[Kind, str]],
        limit: int | None,
    ) -> tuple[ColumnSpec, ...]:
        return self._specs(self._statistics(source, surveys, kinds, limit), kinds)

    def _statistics(
        self,
        source: Iterable[Table],
        surveys: list[Survey],
        kinds: list[tuple[Kind, str]],
        limit: int | None,
    ) -> list[Statistics]:
        counted = [
            statistics_for(kind, survey, limit, self.max_one_hot)
            for (kind, _), survey in zip(kinds, surveys, strict=True)
        ]
        for statistics in counted:
            statistics.least_missing = self.least_missing
        for table in source:
            for statistics in counted:
                statistics.add(table[statistics.survey.name].untyped_if_empty())
        return counted

    def _specs(
        self, counted: list[Statistics], kinds: list[tuple[Kind, str]]
    ) -> tuple[ColumnSpec, ...]:
        declared = self.types or {}
        return tuple(
            statistics.spec(kind, note, statistics.survey.name in declared)
            for statistics, (kind, note) in zip(counted, kinds, strict=True)
        )

    def _install(self, specs: tuple[ColumnSpec, ...], named: bool) -> None:
        self.columns_ = specs
        self._named = named
        self.n_features_in_ = len(specs)
        if named:
            self.feature_names_in_ = np.array([spec.name for spec in specs], dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        features = [feature for spec in specs for feature in spec.encoding.features(spec.name)]
        self._dense_names = tuple(name for name, _ in features)
        self.dense_kinds_ = tuple(kind for _, kind in features)
        cardinalities = (spec.encoding.cardinality for spec in specs)
        self.cardinalities_ = tuple(count for count in cardinalities if count)

    def _encode(self, table: Table, owner: str | None = None) -> Encoded:
        if not table.rows:
            raise DataError(
                f"Found array with 0 sample(s) (shape={table.shape}) while 1 is required."
            )
        table = align(table, self.columns_, self._named, owner or type(self).__name__)
        dense = np.empty((table.rows, len(self.dense_kinds_)), dtype=np.float32)
        codes = np.empty((table.rows, len(self.cardinalities_)), dtype=np.int32)
        feature = place = 0
        for spec in self.columns_:
            if not spec.used:
                continue
            column = table[spec.name].untyped_if_empty()
            check_column(spec, column)
            width = len(spec.encoding.features(spec.name))
            spec.encoding.dense(column, dense[:, feature : feature + width])
            feature += width
            if isinstance(spec.encoding, LevelEncoding) and spec.encoding.cardinality:
                codes[:, place] = spec.encoding.codes(column)
                place += 1
        return Encoded(dense, codes)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _check_same_columns(surveys: list[Survey], others: list[Survey]) -> None:
    expected, came = ([one.name for one in some] for some in (surveys, others))
    if came != expected:
        lost = [f"no {name!r}" for name in expected if name not in came]
        strange = [f"an unknown {name!r}" for name in came if name not in expected]
        told = ", ".join([*lost, *strange]) or "another order"
        raise DataError(describe("partitions", "the columns of the first in all", told))


def _unique(names: list[str]) -> list[str]:
    taken: dict[str, None] = {}
    for name in names:
        while name in taken:
            name += "_"
        taken[name] = None
    return list(taken)


def _is_count(value: Any) -> bool:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole and int(value) >= 1
