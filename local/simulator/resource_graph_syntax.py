"""The tree of a Resource Graph query: what the parser makes and the compiler reads. Values only, no behaviour."""

from dataclasses import dataclass
from typing import Any

# -- scalar expressions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A constant. Kind is "string", "long", "real", "bool" or "dynamic"."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """`of.name` or `of["name"]`."""

    of: "Expression"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """`of[index]`; the index may be computed."""

    of: "Expression"
    index: "Expression"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCall:
    name: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """`left operator right`: and, or, comparisons, string operators, arithmetic."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True, kw_only=True)
class Negative:
    of: "Expression"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """`value in (...)`; the operator may be negated and, with a tilde, blind to case."""

    operator: str
    value: "Expression"
    choices: tuple["Expression", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Star:
    """`*` as an argument: every column."""


type Expression = Literal | Column | Member | Item | FunctionCall | Binary | Negative | Membership | Star


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """`name = expression`; the name is empty when it was not given."""

    name: str
    expression: Expression


# -- tabular operators -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    predicate: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    columns: tuple[Named, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    columns: tuple[Named, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectAway:
    """Names may end in * for "all that begin so"."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """One `name = expression to typeof(kind)` of mv-expand."""

    name: str
    expression: Expression
    kind: str = "dynamic"


@dataclass(frozen=True, slots=True, kw_only=True)
class MvExpand:
    expansions: tuple[Expansion, ...]
    index: str = ""
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summarize:
    aggregates: tuple[Named, ...]
    by: tuple[Named, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SortKey:
    expression: Expression
    ascending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    keys: tuple[SortKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    count: int
    key: SortKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinct:
    """The columns, or every column when there are none (`distinct *`)."""

    columns: tuple[Named, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """`on` holds pairs of column names, left and right."""

    kind: str
    right: "Pipeline"
    on: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Union:
    legs: tuple["Pipeline", ...]
    inner: bool = False
    source: str = ""


type Operator = (
    Where | Extend | Project | ProjectAway | MvExpand | Summarize | Sort | Take | Top | Distinct | Count | Join | Union
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A table and what is done with its rows, in order. A query that begins with `union` has no table."""

    table: str
    operators: tuple[Operator, ...]
