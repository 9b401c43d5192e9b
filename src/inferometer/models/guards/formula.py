"""Formulas that a file holds as text, and that torch turns into Python: what they may be made of.

torch evaluates the lengths of axes with sympy's parser, and the conditions on inputs as Python
code; either would run anything. Only arithmetic and comparisons pass.
"""

from __future__ import annotations

import ast
import re

LONGEST = 20_000
"""Characters of a formula."""

DEEPEST = 100
"""Brackets in brackets."""

LARGEST_POWER = 64
"""An exponent: a power of powers fills any memory."""

LARGEST_NUMBER = 2**64

_SYMPY = (
    "Abs Add And CeilDiv CeilToInt CleanDiv Eq Equality ExprCondPair FloatPow FloatTrueDiv FloorDiv"
    " FloorToInt Ge GreaterThan Gt ITE Identity IntTrueDiv IsNonOverlappingAndDenseIndicator Le"
    " LessThan Lt Max Min Mod ModularIndexing Mul Ne Not Or Piecewise Pow PowByNatural PythonMod"
    " RoundDecimal RoundToInt StrictGreaterThan StrictLessThan ToFloat TruncToFloat TruncToInt"
    " Unequality Where Xor ceiling floor sqrt"
)
_FUNCTIONS = frozenset(f"{_SYMPY} abs bool float int max min round".split())
"""Functions of numbers that end, whatever they are given. Those left out make huge numbers."""

_POWERS = ("Pow", "PowByNatural", "FloatPow")
_NUMBERS = ("Float", "Integer", "Rational")
_METHODS = ("dim", "numel", "size", "storage_offset", "stride")
"""What a condition may ask a tensor for."""

_MATH = "ceil floor inf isnan nan pi sqrt trunc"
_TORCH = "sym_float sym_int sym_ite sym_max sym_min sym_not sym_sqrt _sym_sqrt"
_OF_MODULES = {"math": frozenset(_MATH.split()), "torch": frozenset(_TORCH.split())}
"""Module → what a condition may take of it."""

_NUMBER = re.compile(r"[-+]?[0-9]{0,40}\.?[0-9]{0,40}(e[-+]?[0-9]{1,4})?|[-+]?(inf|oo)|nan")
_PLAIN = re.compile(r"[^'\"\\{}\x00-\x1f\x7f]*")
"""Text that stays what it is inside of any quotes."""

_SIGNS = (
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr),
    *(ast.USub, ast.UAdd, ast.Not, ast.Invert, ast.And, ast.Or),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare),
)


def is_plain(text: str) -> bool:
    """Whether a text can be put between quotes of any kind without ending them."""
    return bool(_PLAIN.fullmatch(text)) and text.isprintable()


def is_formula(text: str) -> bool:
    """Whether a text is arithmetic: `2*s0 + Max(1, s1)`, or as sympy writes it out."""
    return _holds(text, _Formula())


def is_condition(text: str) -> bool:
    """Whether a text compares shapes and numbers of inputs: `L['x'].size()[0] >= 2`."""
    return _holds(text, _Condition())


def _holds(text: str, rules: _Formula) -> bool:
    if len(text) > LONGEST:
        return False
    try:
        return rules.allow(ast.parse(text, mode="eval").body, DEEPEST)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False


class _Formula:
    """What a length may be computed from."""

    def allow(self, tree: ast.AST, depth: int) -> bool:
        """Whether there is nothing else in a part of a formula."""
        match tree:
            case ast.Constant(value=bool() | int() | float() as value):
                return abs(value) <= LARGEST_NUMBER or isinstance(value, float)
            case ast.Name(id=name):
                return "__" not in name
            case ast.Call():
                return depth > 0 and self.call(tree, depth)
            case ast.BinOp(op=ast.Pow(), left=base, right=exponent):
                return self.power(base, exponent, depth)
        parts = [one for one in ast.iter_child_nodes(tree) if not isinstance(one, _SIGNS[:21])]
        return depth > 0 and isinstance(tree, _SIGNS) and self.every(parts, depth)

    def every(self, parts: list[ast.expr] | list[ast.AST], depth: int) -> bool:
        """Whether all parts are allowed."""
        return all(self.allow(part, depth - 1) for part in parts)

    def power(self, base: ast.expr, exponent: ast.expr, depth: int) -> bool:
        """Whether a power is a small one, and none of another."""
        nested = any(_is_power(one) for one in ast.walk(base))
        return not nested and _is_small(exponent) and self.every([base, exponent], depth)

    def call(self, tree: ast.Call, depth: int) -> bool:
        """Whether a function may be called like that."""
        match tree:
            case ast.Call(func=ast.Name(id="Symbol"), args=[ast.Constant(value=str() as name)]):
                return name.isidentifier() and "__" not in name and _are_flags(tree.keywords)
            case ast.Call(func=ast.Name(id="Float"), args=[ast.Constant(value=str() as text)]):
                return bool(_NUMBER.fullmatch(text)) and _are_flags(tree.keywords)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _NUMBERS:
                return all(_is_whole(one) for one in args)
            case ast.Call(func=ast.Name(id=name), args=[base, exponent], keywords=[]) if (
                name in _POWERS
            ):
                return self.power(base, exponent, depth)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return name in _FUNCTIONS and name not in _POWERS and self.every(args, depth)
        return False


class _Condition(_Formula):
    """What an input may be asked for besides."""

    def allow(self, tree: ast.AST, depth: int) -> bool:
        """Whether there is nothing else in a part of a condition."""
        match tree:
            case ast.Constant(value=None | str() as text):
                return text is None or is_plain(text)
            case ast.Name(id=name):
                return "__" not in name and name not in _OF_MODULES
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in _OF_MODULES:
                return name in _OF_MODULES[module]
            case ast.Attribute(value=owner, attr=name):
                return depth > 0 and not name.startswith("_") and self.allow(owner, depth - 1)
            case ast.Subscript(value=owner, slice=place):
                return depth > 0 and self.every([owner, place], depth)
        return super().allow(tree, depth)

    def call(self, tree: ast.Call, depth: int) -> bool:
        """Whether a function or a method may be called like that."""
        match tree:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=module)), args=args, keywords=[]
            ) if module in _OF_MODULES:
                return self.allow(tree.func, depth) and self.every(args, depth)
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=args, keywords=[]):
                return name in _METHODS and self.every([owner, *args], depth)
        return super().call(tree, depth)


def _is_power(tree: ast.AST) -> bool:
    match tree:
        case ast.Pow() | ast.Name(id="Pow" | "PowByNatural" | "FloatPow"):
            return True
    return False


def _is_small(tree: ast.AST) -> bool:
    """Whether an exponent is a small number; `-1` and `1/2` stand for quotients and roots."""
    match tree:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _is_small(inner)
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            return _is_small(left) and _is_small(right)
        case ast.Call(func=ast.Name(id="Integer" | "Rational"), args=args):
            return all(_is_small(one) for one in args)
        case ast.Constant(value=int() | float() as value):
            return abs(value) <= LARGEST_POWER
    return False


def _is_whole(tree: ast.AST) -> bool:
    match tree:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _is_whole(inner)
        case ast.Constant(value=int() as value):
            return abs(value) <= LARGEST_NUMBER
    return False


def _are_flags(keywords: list[ast.keyword]) -> bool:
    """Whether keywords are assumptions about a symbol, or the precision of a number."""
    return all(
        isinstance(one.value, ast.Constant)
        and isinstance(one.value.value, bool | int)
        and one.value.value <= LARGEST_POWER
        for one in keywords
    )
