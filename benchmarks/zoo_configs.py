"""Configurations of transformers made small, whatever their fields are called."""

# ruff: noqa: ANN401 - a configuration holds anything

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import torch
from zoo_corpus import NotThereError

from inferometer.core.errors import WorkloadError, in_one_line
from inferometer.models import load

EXPERTS = 4
STAGES = 8
"""Longer lists hold an item for each layer; shorter ones one for each stage, which all stay."""
VOCABULARY = 1024


class Attempt(NamedTuple):
    """How small a configuration shall be.

    Attributes:
        layers: at the most.
        factor: what widths are divided by.
        parameters: at the most.
        by_heads: whether there are fewer heads, each as wide as before, in place of narrower ones.
    """

    layers: int
    factor: int
    parameters: int = 40_000_000
    by_heads: bool = False


ATTEMPTS = (
    *(Attempt(2, 4), Attempt(2, 16), Attempt(2, 4, by_heads=True), Attempt(2, 16, by_heads=True)),
    *(Attempt(2, 1), Attempt(4, 4), Attempt(1000, 16)),
    *(Attempt(2, 4, 900_000_000), Attempt(2, 1, 900_000_000), Attempt(1000, 4, 900_000_000)),
)
"""In turn, until one can be called."""

DEPTH = re.compile(
    r"(^|_)(num_)?(hidden_)?(layers?|blocks|n_layers?|depth)$|^(n_layer|depth|num_layers|layers)$"
    r"|_(layers|depth|blocks)$|^num_.*_layers$|^(encoder|decoder)_layers$"
)
KEPT_DEPTH = re.compile(r"conv|residual|feature|proj|upsampl|downsampl|stem|kernel|out_|adapter")
WIDTH = re.compile(
    r"(hidden|intermediate|embedding|embed|ffn|ff|inner|model|channel|projection|proj|out|state"
    r"|attention|mlp|head|kv|q|expert|shared|output|input|latent|moe|in)\w*_(size|dim|dims|channels"
    r"|features|width|rank)$|^(d_model|d_ff|d_kv|n_embd|n_inner|dim|width|hidden_dim|ffn_dim|d_inner"
    r"|encoder_ffn_dim|decoder_ffn_dim|head_dim|embed_dim|v_head_dim|qk_\w+_head_dim|\w*_lora_rank)$"
)
HEADS = re.compile(r"(^|_)(heads?|n_heads?)$|^num_.*heads$")
HEAD_WIDTH = re.compile(r"head_dim|^d_kv$|rope_dim|head_size")
GROUPS = re.compile(r"^(n_groups?|num_groups?|num_expert_groups?|topk_groups?|moe_k|moe_topk)$")
"""Of experts, and how many are chosen."""
TOKEN = re.compile(r"token|_id$|_index$|_ids?$")


_BACKBONE = {"model_type": "resnet", "depths": [1, 1, 1, 1], "out_features": ["stage4"]}
_STAGES = {**_BACKBONE, "out_features": ["stage2", "stage3", "stage4"]}
_ROTARY = {
    "rope_parameters": {
        "rope_type": "default",
        "rope_theta": 10_000.0,
        "partial_rotary_factor": 0.5,
        "mrope_section": [8, 12, 12],
    }
}
MORE: dict[str, dict[str, Any]] = {
    **{
        kind: {"prediction_length": 24}
        for kind in ("autoformer", "informer", "time_series_transformer")
    },
    **{
        kind: {"backbone_config": _BACKBONE}
        for kind in ("conditional_detr", "dab-detr", "detr", "table-transformer")
    },
    **{kind: {"backbone_config": _STAGES} for kind in ("deformable_detr", "omdet-turbo")},
    **dict.fromkeys(("glm4v_text", "glm4v_moe_text", "glm_image_text"), _ROTARY),
    **{
        kind: {"text_config": {"model_type": f"{text}_text", **_ROTARY}}
        for kind, text in (
            *(("glm4v", "glm4v"), ("glm46v", "glm4v"), ("glm4v_moe", "glm4v_moe")),
            *(("glm_image", "glm_image"),),
        )
    },
    "esm": {"vocab_size": 33, "pad_token_id": 1, "mask_token_id": 32},
    "funnel": {"block_sizes": [1, 1, 1]},
}
"""What configurations leave to the user."""


class TooLargeError(Exception):
    """A configuration is not small."""


def architectures() -> Iterator[str]:
    """Types that have a model of their own; others are parts of these."""
    transformers = import_module("transformers")
    from inferometer.models.sources.transformers import builder_of

    for kind in transformers.CONFIG_MAPPING:
        if builder_of(transformers, transformers.CONFIG_MAPPING[kind]) is not None:
            yield kind


def small_folder(kind: str) -> Path:
    """A folder with a small configuration of a type, whose model can be called.

    Other numbers break what fields have to do with each other now and then: then widths or layers
    are left as they are.

    Raises:
        NotThereError: not even the usual configuration can be built.
        Exception: why the first of them cannot be called, where none can.
    """
    transformers = import_module("transformers")
    problems: list[Exception] = []
    for attempt in ATTEMPTS:
        folder = _tried(transformers, kind, attempt, problems)
        if folder is not None:
            return folder
    try:
        _parameters(transformers, transformers.CONFIG_MAPPING[kind](**MORE.get(kind, {})))
    except Exception as error:
        why = f"the model of its default configuration cannot be built: {in_one_line(error)}"
        raise NotThereError(why) from error
    raise next((one for one in problems if not isinstance(one, TooLargeError)), problems[0])


def _tried(
    transformers: Any, kind: str, attempt: Attempt, problems: list[Exception]
) -> Path | None:
    """The folder of one attempt; None where it failed, and why is added to the problems."""
    try:
        return _called(transformers, kind, attempt)
    except WorkloadError as error:
        if error.kind == "unsupported":  # its inputs cannot be made up
            raise
        problems.append(error)
    except Exception as error:  # noqa: BLE001 - the next may do
        problems.append(error)
    return None


def _called(transformers: Any, kind: str, attempt: Attempt) -> Path:
    """The folder with a configuration, once its model has been called."""
    config = Shrinker(attempt).shrunk(transformers.CONFIG_MAPPING[kind], kind)
    if _parameters(transformers, config) > attempt.parameters:
        raise TooLargeError(f"{kind} has more than {attempt.parameters:,} parameters")
    folder = Path(tempfile.mkdtemp(prefix="zoo-")) / kind
    config.save_pretrained(folder)
    model = load(f"transformers:{folder}", seed=0)
    inputs = model.inputs.make(batch_size=1, input_size=None, seed=0)
    with torch.no_grad():
        model.network(*inputs.args, **inputs.kwargs)
    return folder


def _parameters(transformers: Any, config: Any) -> int:
    from inferometer.models.sources.transformers import builder_of

    builder = builder_of(transformers, type(config))
    with torch.device("meta"):
        network = (getattr(builder, "from_config", None) or builder)(config)
    return sum(one.numel() for one in network.parameters())


class Shrinker:
    """Makes configurations smaller; what is equal in one stays equal.

    Args:
        attempt: how small.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._layers, self._factor = attempt.layers, attempt.factor
        self._by_heads = attempt.by_heads
        self._tokens: dict[int, int] = {}

    def shrunk(self, family: Any, kind: str) -> Any:
        """A small configuration of a class, with what it leaves to the user."""
        more = MORE.get(kind, {})
        return family(**{**more, **self._fields(family(**more))})

    def _fields(self, usual: Any) -> dict[str, Any]:
        parts = {name for name in getattr(usual, "sub_configs", {}) if _is_config(usual, name)}
        fields: dict[str, Any] = {}
        has_stages = bool(getattr(usual, "out_features", None))  # named by the layers there are
        stages = {
            len(value)
            for value in vars(usual).values()
            if isinstance(value, list | tuple) and len(value) <= STAGES and _are_numbers(value)
        }
        old = {name: value for name, value in vars(usual).items() if not name.startswith("_")}
        for name, value in old.items():
            if name in parts:
                part = getattr(usual, name)
                fields[name] = {**part.to_dict(), **self._fields(part)}
            elif has_stages and DEPTH.search(name):
                continue
            elif (other := self._value(name, value, stages)) != value:
                fields[name] = other
        return fields | self._lists(old, fields)

    def _value(self, name: str, value: Any, stages: set[int]) -> Any:
        if isinstance(value, list | tuple) and value and all(type(one) is int for one in value):
            return self._list(name, value)
        if isinstance(value, dict):
            return self._mapping(name, value)
        if isinstance(value, bool) or not isinstance(value, int):
            return value
        if DEPTH.search(name) and not KEPT_DEPTH.search(name) and "expert" not in name:
            return value if value in stages else min(value, self._layers)
        return self._number(name, value)

    def _list(self, name: str, value: Any) -> Any:
        if name in ("depths", "num_layers", "layers"):
            return type(value)(min(one, self._layers) for one in value)
        if TOKEN.search(name):
            return type(value)(self._token(one) for one in value)
        is_sections = name == "mrope_section" and not self._by_heads
        if WIDTH.search(name.removesuffix("s")) or is_sections:
            return type(value)(self._width(one) for one in value)
        return value

    def _mapping(self, name: str, value: dict[Any, Any]) -> Any:
        """Options by their names, or by the number of a layer."""
        if "layer" in name and all(str(key).isdigit() for key in value):
            return {key: part for key, part in value.items() if int(key) < self._layers}
        sections = value.get("mrope_section")
        return (
            {**value, "mrope_section": self._list("mrope_section", sections)} if sections else value
        )

    def _number(self, name: str, value: int) -> int:
        if "vocab" in name:
            return min(value, VOCABULARY)
        if TOKEN.search(name) and "num" not in name:
            return self._token(value)
        if GROUPS.search(name):
            return 1
        if "expert" in name and not WIDTH.search(name):
            return min(
                value, 1 if "tok" in name or "shared" in name or "group" in name else EXPERTS
            )
        return self._breadth(name, value)

    def _breadth(self, name: str, value: int) -> int:
        """A number of heads, or a width."""
        if self._by_heads and HEADS.search(name):
            return max(1, value // self._factor)
        is_head = self._by_heads and HEAD_WIDTH.search(name)
        return self._width(value) if WIDTH.search(name) and not is_head else value

    def _width(self, value: int) -> int:
        return value // self._factor if value % self._factor == 0 else value

    def _token(self, value: int) -> int:
        """A token within the vocabulary; the same for the same."""
        if value < VOCABULARY - 64:
            return value
        return self._tokens.setdefault(value, VOCABULARY - 1 - len(self._tokens))

    def _lists(self, old: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
        """Lists that have an item for each layer, as many as there are now."""
        cut: dict[str, Any] = {}
        for name, value in (old | fields).items():
            if isinstance(value, list | tuple):
                for depth in ("num_hidden_layers", "n_layer", "num_layers", "n_layers"):
                    if old.get(depth) == len(value) and depth in fields:
                        cut[name] = _varied(list(value), fields[depth])
        return cut


def _are_numbers(value: Any) -> bool:
    return bool(value) and all(isinstance(one, int | float) for one in value)


def _varied(value: list[Any], length: int) -> list[Any]:
    """So many items, with as many different ones as there is room for."""
    different = list(dict.fromkeys(map(str, value)))
    first = [next(one for one in value if str(one) == text) for text in different]
    return (first + value)[:length]


@cache
def _config_class() -> type:
    found: type = import_module("transformers").PretrainedConfig
    return found


def _is_config(config: Any, name: str) -> bool:
    return isinstance(getattr(config, name, None), _config_class())
