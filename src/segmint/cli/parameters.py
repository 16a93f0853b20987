"""Option dataclasses as command-line parameters, generated and never written twice."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import textwrap
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from cyclopts import CoercionError, Group, Parameter, Token

from segmint.options import Options

OptionGroup = tuple[str, type[Options]] | tuple[str, type[Options], Mapping[str, Any]]


def signature(
    function: Callable[..., int], *, summary: str, **groups: OptionGroup
) -> Callable[..., int]:
    """A command whose keyword options are the fields of option dataclasses.

    Args:
        function: takes positional arguments and, as a keyword for each group, a mapping of the
            options that were given.
        summary: help of the command.
        groups: for each keyword of the function, a title in the help, the dataclass, and where
            the defaults of the command are others than those of the dataclass, these.

    Returns:
        A function with a signature that the command line can read.
    """
    own = inspect.signature(function, eval_str=True)
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    parameters = [p for p in own.parameters.values() if p.kind not in named]
    owners: dict[str, str] = {}
    for index, (keyword, (title, options, *defaults)) in enumerate(groups.items()):
        group = Group(title, sort_key=index + 1)
        for parameter in _parameters(options, group, dict(*defaults)):
            owners[parameter.name] = keyword
            parameters.append(parameter)

    def call(*arguments: Any, **given: Any) -> int:
        sorted_out: dict[str, dict[str, Any]] = {keyword: {} for keyword in groups}
        for name, value in given.items():
            if value is not None:
                sorted_out[owners[name]][name] = value
        return function(*arguments, **sorted_out)

    call.__doc__ = summary
    call.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in parameters}
    return call


def field_help(options: type[Options]) -> Mapping[str, str]:
    """The string under each field of a dataclass, those it inherits included."""
    found: dict[str, str] = {}
    for owner in options.__mro__:
        if dataclasses.is_dataclass(owner) and owner is not Options:
            found = {**_own_help(owner), **found}
    return found


def _own_help(owner: type[Any]) -> dict[str, str]:
    source = textwrap.dedent(inspect.getsource(owner))
    body = typing.cast(ast.ClassDef, ast.parse(source).body[0]).body
    found: dict[str, str] = {}
    for statement, following in itertools.pairwise(body):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            found[statement.target.id] = " ".join(str(following.value.value).split())
    return found


def _parameters(
    options: type[Options], group: Group, defaults: Mapping[str, Any]
) -> list[inspect.Parameter]:
    helps = field_help(options)
    types_of = typing.get_type_hints(options)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=_annotation(
                field,
                types_of[field.name],
                helps[field.name],
                group,
                defaults.get(field.name, field.default),
            ),
        )
        for field in dataclasses.fields(options)
    ]


def _annotation(
    field: dataclasses.Field[Any], kind: Any, text: str, group: Group, default: Any
) -> Any:
    choices = field.metadata.get("choices")
    if choices:
        text = f"{text} [{', '.join(choices)}]"
    if default is not None and default != () and default is not False:
        shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
        text = f"{text} [default: {shown}]"
    aliases = [_long(alias) for alias in field.metadata.get("aliases", ())]
    several = typing.get_origin(kind) is tuple
    parameter = Parameter(
        alias=aliases,
        help=text,
        group=group,
        negative=(),
        show_default=False,
        converter=None if several else _converter(kind),
        consume_multiple=several,
    )
    return Annotated[_optional(kind), parameter]


def _converter(kind: Any) -> Callable[..., Any] | None:
    kinds = (kind, *typing.get_args(kind))
    if int not in kinds:
        return None
    return _number_or_word if str in kinds else whole_number


def _number_or_word(kind: Any, tokens: Sequence[Token]) -> int | str:
    """The value of an option that takes whole numbers and words; the option checks the word."""
    try:
        return int(tokens[0].value)
    except ValueError:
        return tokens[0].value


def whole_number(kind: Any, tokens: Sequence[Token]) -> int:
    """The value of an integer option; the parser's own reading would round 1.5 to 2."""
    try:
        return int(tokens[0].value)
    except ValueError:
        raise CoercionError(token=tokens[0], target_type=int) from None


def _long(alias: str) -> str:
    return f"--{alias}" if len(alias) == 1 else f"--{alias.replace('_', '-')}"


def _optional(kind: Any) -> Any:
    if isinstance(kind, types.UnionType) and type(None) in typing.get_args(kind):
        return kind
    return kind | None
