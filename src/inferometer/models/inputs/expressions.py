"""Lengths of axes that are written as sums and products of others: `past + sequence`."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

LONGEST = 200
"""Letters of a name that are looked at; a longer one is only a name."""

_OPERATORS: dict[type[ast.AST], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda left, right: Fraction(left // right),
    ast.Mod: operator.mod,
}

_FUNCTIONS: dict[str, Callable[..., Fraction | int]] = {
    "max": max,
    "min": min,
    "floor": math.floor,
    "floortoint": math.floor,
    "trunctoint": math.floor,
    "ceil": math.ceil,
    "ceiling": math.ceil,
    "ceiltoint": math.ceil,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
}
"""By their names in small letters, as torch's exporters and others write them."""


@dataclass(frozen=True)
class Expression:
    """A length that follows from others.

    Attributes:
        tree: what is computed.
        names: the other lengths.
        is_hyphenated: whether it may as well be a name with hyphens in it: `batch-size`.
    """

    tree: ast.expr
    names: frozenset[str]
    is_hyphenated: bool

    def value(self, lengths: Mapping[str, int]) -> int | None:
        """The length, where all others are known; None where it is no whole number."""
        try:
            found = _value(self.tree, lengths)
        except (ArithmeticError, TypeError, ValueError):
            return None
        return int(found) if found.denominator == 1 else None


def expression(text: str) -> Expression | None:
    """A name of an axis as an expression over others; None for a plain name."""
    if len(text) > LONGEST or text.isidentifier():
        return None
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        names = frozenset(_names(tree))
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return None
    if not names or isinstance(tree, ast.Name | ast.Attribute):
        return None
    hyphened = " - " not in text and all(letter not in text for letter in "+*/%(")
    return Expression(tree, names, hyphened)


def _names(tree: ast.expr) -> list[str]:
    """Lengths in an expression.

    Raises:
        ValueError: there is something in it that no length is made of.
    """
    match tree:
        case ast.BinOp(left=left, right=right, op=sign) if type(sign) in _OPERATORS:
            return [*_names(left), *_names(right)]
        case ast.Call(func=ast.Name(id=name), args=[_, *_] as args, keywords=[]) if (
            name.lower() in _FUNCTIONS
        ):
            return [name for one in args for name in _names(one)]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _names(operand)
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return []
        case ast.Name() | ast.Attribute():
            return [ast.unparse(tree)]
    raise ValueError(tree)


def _value(tree: ast.expr, lengths: Mapping[str, int]) -> Fraction:
    match tree:
        case ast.BinOp(left=left, op=sign, right=right):
            return _OPERATORS[type(sign)](_value(left, lengths), _value(right, lengths))
        case ast.Call(func=ast.Name(id=name), args=args):
            return Fraction(_FUNCTIONS[name.lower()](*(_value(one, lengths) for one in args)))
        case ast.UnaryOp(operand=operand):
            return -_value(operand, lengths)
        case ast.Constant(value=int() | float() as value):
            return Fraction(value)
    return Fraction(lengths[ast.unparse(tree)])
