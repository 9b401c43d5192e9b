"""What a configuration of transformers says of the inputs of its network."""

# ruff: noqa: ANN401 - networks and configurations are theirs

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Taker:
    """A network that takes inputs.

    Attributes:
        network: the network.
        config: its configuration.
        arguments: names of the arguments of its forward.
    """

    network: Any
    config: Any
    arguments: Mapping[str, Any]

    @classmethod
    def of(cls, network: Any) -> Taker:
        """A network with what is known of it."""
        known = inspect.signature(network.forward).parameters
        return cls(network=network, config=network.config, arguments=known)

    @property
    def required(self) -> dict[str, Any]:
        """Arguments that have no default."""
        kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        return {
            name: one
            for name, one in self.arguments.items()
            if one.default is inspect.Parameter.empty and one.kind not in kinds
        }

    def find(self, *names: str, part: str = "") -> Any:
        """The first of these fields that the configuration, or a part of it, has a value for."""
        parts = (
            [getattr(self.config, name, None) for name in (*part.split(), *PARTS)] if part else ()
        )
        for config in (*(one for one in parts if one is not None), self.config):
            for name in names:
                value = _field(config, name)
                if value is not None:
                    return value
        return None


PARTS = ("encoder", "encoder_config", "backbone_config")


def _field(config: Any, name: str) -> Any:
    return config.get(name) if isinstance(config, dict) else getattr(config, name, None)


MEDIA = re.compile(r"(image|img|video|vision|audio|speech|boi|eoi|boa|eoa)\w*_(id|index)$")
"""Fields that name a token which stands for a part of an image, a film or sound."""


def vocabulary_of(config: Any) -> int | None:
    """How many tokens there are, up to those at the end that stand for images or sound."""
    text = config.get_text_config()
    parts = (text, config, config.get_text_config(encoder=True))
    found = [_field(one, name) for one in parts for name in ("vocab_size", "num_hash_buckets")]
    sizes = [one for one in found if isinstance(one, int) and one > 0]
    if not sizes:
        return None
    size = min(sizes)
    special = [
        value
        for one in (config, text)
        for name, value in vars(one).items()
        if MEDIA.search(name) and isinstance(value, int)
    ]
    return min([size, *(value for value in special if size // 2 < value < size)])
