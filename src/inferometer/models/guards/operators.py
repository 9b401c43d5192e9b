"""Operators that a program may call: those that compute, out of all that can be named."""

from __future__ import annotations

import re

_COMPUTING = "aten mkldnn onednn prim prims quantized quantized_decomposed sparse torchvision"
NAMESPACES = frozenset(_COMPUTING.split())
"""Those of torch that compute. Others write files, open connections, or load what is compiled."""

REACHING = frozenset({"from_file", "save"})
"""Operators of these that read or write a file."""

_OPERATOR = re.compile(r"torch\.ops\.(\w+)\.(\w+)(?:\.(\w+))?")
_TAKING_GRAPHS = (
    "associative_scan auto_functionalized auto_functionalized_v2 autograd_function_apply cond"
    " flex_attention hints_wrapper invoke_subgraph map_impl out_dtype scan strict_mode"
    " tag_activation_checkpoint while_loop while_loop_stack_output wrap"
    " wrap_activation_checkpoint wrap_with_autocast wrap_with_set_grad_enabled"
)
_HIGHER_ORDER = frozenset(_TAKING_GRAPHS.split())
"""Operators that take graphs of the same program, or an operator that is checked as well."""

_OF_PYTHON = (
    "_operator.abs _operator.add _operator.and_ _operator.eq _operator.floordiv _operator.ge"
    " _operator.getitem _operator.gt _operator.le _operator.lshift _operator.lt _operator.mod"
    " _operator.mul _operator.ne _operator.neg _operator.not_ _operator.or_ _operator.pos"
    " _operator.pow _operator.rshift _operator.sub _operator.truediv"
    " math.ceil math.floor math.trunc builtins.round"
)
_PYTHON = frozenset(_OF_PYTHON.split())
_PREDISPATCH = (
    "_add_batch_dim _remove_batch_dim _vmap_increment_nesting _vmap_decrement_nesting"
    " lazy_load_decompositions _make_dual _unpack_dual _jvp_increment_nesting"
    " _jvp_decrement_nesting _unwrap_for_grad _enter_dual_level _exit_dual_level"
)
_OF_TORCH = (
    "torch.sym_float torch.sym_int torch.sym_ite torch.sym_max torch.sym_min torch.sym_not"
    " torch.sym_sqrt torch.sym_sum torch._C._set_grad_enabled"
    " torch.autograd.grad_mode.set_grad_enabled torch.amp.autocast_mode._enter_autocast"
    " torch.amp.autocast_mode._exit_autocast"
    " torch.fx.experimental.symbolic_shapes.cast_symbool_to_symint_guardless"
)
_TORCH = frozenset(_OF_TORCH.split()) | {
    f"torch._functorch.predispatch.{name}" for name in _PREDISPATCH.split()
}
"""Python functions that torch's own check of programs lets through."""


def is_known(target: str) -> bool:
    """Whether a name is that of an operator which computes, and reaches nothing else.

    Args:
        target: as a program names it: `torch.ops.aten.add.Tensor`.
    """
    if target in _PYTHON or target in _TORCH:
        return True
    match = _OPERATOR.fullmatch(target)
    if match is None:
        return False
    namespace, name, overload = match.groups()
    if namespace == "higher_order":
        return overload is None and name in _HIGHER_ORDER
    return bool(namespace in NAMESPACES and name not in REACHING and overload)
