"""`transformers:NAME`: an architecture by its type or class, a local folder, or a hub name."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.core.model import LoadedModel
from inferometer.models.building import seed_generators, settled
from inferometer.models.catalogue import did_you_mean
from inferometer.models.failures import building
from inferometer.models.inputs import GeneratedInputs, TensorSpec, images, shaped
from inferometer.models.options import Options
from inferometer.models.torchvision_compat import import_torchvision_if_installed

SEQUENCE_LENGTH = 128
IMAGE_SIZE = 224


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be built.

    Attributes:
        builder: a class of the library, a model's or `AutoModel`.
        config: its configuration.
        stored: where its weights can be had: a folder or a hub name; empty for none.
    """

    builder: Any
    config: Any
    stored: str = ""


class TransformersSource:
    """Builds from a configuration; options change its fields."""

    def check(self, target: str, options: dict[str, Any]) -> None:
        """Check that a local folder holds a configuration.

        Raises:
            ModelReferenceError: it does not.
        """
        del options
        folder = _folder(target)
        if folder is not None and not (folder / "config.json").is_file():
            raise ModelReferenceError(
                f"transformers:{target}: there is no file {folder / 'config.json'}"
            )

    def load(self, target: str, options: dict[str, Any], *, seed: int) -> LoadedModel:
        """Build the network on the CPU, in evaluation mode, in fp32.

        Raises:
            ModelReferenceError: a field is not in the configuration, or there are no weights.
            WorkloadError: (bad_model) it cannot be had or built; (unsupported) it takes inputs
                that are neither token ids nor images.
        """
        chosen, what = Options.read(options), f"transformers:{target}"
        with building("transformers"):
            import_torchvision_if_installed()
            import transformers

            be_quiet: Any = transformers.utils.logging.disable_progress_bar
            be_quiet()
        with building(what):
            plan = _plan(transformers, target, dict(chosen.builder))
        if not plan.stored:
            chosen.refuse_pretrained(what, "name a local folder, or a model of the hub")
        with building(what):
            seed_generators(seed)
            network = _built(plan, chosen).float()
        return settled(
            network,
            what=what,
            source="transformers",
            inputs=_inputs(network, chosen, what),
            weights=chosen.weights_label(seed, pretrained=plan.stored),
            options=chosen,
            files=_weight_files(target) if chosen.pretrained else (),
        )


def _folder(target: str) -> Path | None:
    folder = Path(target).expanduser()
    is_local = target.startswith(("./", "../", "/", "~")) or folder.is_dir()
    return folder if is_local else None


def _weight_files(target: str) -> tuple[str, ...]:
    """The files in a local folder that the library takes weights from; none for a hub name."""
    folder = _folder(target)
    if folder is None:
        return ()
    found = sorted(folder.glob("model*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))
    return tuple(map(str, found))


def _plan(transformers: Any, target: str, fields: dict[str, Any]) -> Plan:  # noqa: ANN401 - the module
    """Read the target: a folder, a model type (`bert`), a class (`BertModel`), a hub name.

    Raises:
        ModelReferenceError: it is none of these, or a field is not in its configuration.
    """
    folder = _folder(target)
    if folder is not None:
        return _stored(transformers, str(folder), fields, local=True)
    if target in transformers.CONFIG_MAPPING:
        family = transformers.CONFIG_MAPPING[target]
        return Plan(builder=transformers.AutoModel, config=_configured(family, fields, target))
    named: Any = getattr(transformers, target, None) if target.isidentifier() else None
    if getattr(named, "config_class", None) is not None:
        return Plan(builder=named, config=_configured(named.config_class, fields, target))
    if "/" not in target:
        types = list(transformers.CONFIG_MAPPING)
        raise ModelReferenceError(
            f"transformers has no architecture {target!r}{did_you_mean(target, types)}; "
            "a model of the hub is written OWNER/NAME, a local folder ./FOLDER"
        )
    return _stored(transformers, target, fields, local=False)


def _configured(family: Any, fields: dict[str, Any], target: str) -> Any:  # noqa: ANN401 - theirs
    """A configuration of a class, with fields changed. Unknown ones would be kept in silence."""
    usual = family()
    for name in fields:
        _require_field(usual, name, target)
    return family(**_uncached(usual, fields))


def _stored(transformers: Any, place: str, fields: dict[str, Any], *, local: bool) -> Plan:  # noqa: ANN401 - the module
    """A configuration that a folder or the hub holds; it names the class of its model."""
    load = transformers.AutoConfig.from_pretrained
    usual = load(place, local_files_only=local)
    for name in fields:
        _require_field(usual, name, place)
    config = load(place, local_files_only=local, **_uncached(usual, fields))
    named = getattr(transformers, (config.architectures or [""])[0], transformers.AutoModel)
    return Plan(builder=named, config=config, stored=place)


def _uncached(usual: Any, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - theirs
    """A single forward pass has no use for the keys and values of a later one."""
    return {"use_cache": False, **fields} if hasattr(usual, "use_cache") else fields


def _require_field(config: Any, name: str, target: str) -> None:  # noqa: ANN401 - theirs
    if not hasattr(config, name):
        raise ModelReferenceError(
            f"transformers:{target}: its configuration has no field {name!r}"
            f"{did_you_mean(name, config.to_dict())}"
        )


def _built(plan: Plan, chosen: Options) -> Any:  # noqa: ANN401 - a module of theirs
    if chosen.pretrained:
        local = Path(plan.stored).is_dir()
        return plan.builder.from_pretrained(plan.stored, config=plan.config, local_files_only=local)
    if hasattr(plan.builder, "from_config"):
        return plan.builder.from_config(plan.config)
    return plan.builder(plan.config)


def _inputs(network: Any, chosen: Options, what: str) -> GeneratedInputs:  # noqa: ANN401 - theirs
    main, config = network.main_input_name, network.config
    vocabulary = getattr(config, "vocab_size", None)
    encoder_decoder = bool(getattr(config, "is_encoder_decoder", False))
    if main == "pixel_values" and not encoder_decoder:
        return _images(config, chosen)
    if main != "input_ids" or not isinstance(vocabulary, int):
        raise WorkloadError(
            "unsupported",
            f"{what} needs inputs other than token ids or one image; "
            "write a factory that returns it with example inputs (file.py:factory)",
        )
    if chosen.input_shape:
        raise ModelReferenceError(f"{what} takes token ids: leave input= out, and use --size")
    return _tokens(network, vocabulary, encoder_decoder=encoder_decoder)


def _images(config: Any, chosen: Options) -> GeneratedInputs:  # noqa: ANN401 - theirs
    if chosen.input_shape:
        return shaped(chosen.input_shape)
    size = getattr(config, "image_size", IMAGE_SIZE)
    channels = getattr(config, "num_channels", 3)
    if isinstance(size, list | tuple):
        return shaped((channels, *size))
    return images(channels=channels, size=size, name="pixel_values")


def _tokens(network: Any, vocabulary: int, *, encoder_decoder: bool) -> GeneratedInputs:  # noqa: ANN401 - theirs
    longest = getattr(network.config, "max_position_embeddings", None)
    largest = longest if isinstance(longest, int) and longest > 0 else None
    shape = (min(SEQUENCE_LENGTH, largest or SEQUENCE_LENGTH),)
    ids = TensorSpec(
        shape=shape, name="input_ids", fill="ids", size_axes=(0,), vocabulary=vocabulary
    )
    tensors = [ids]
    if "attention_mask" in inspect.signature(network.forward).parameters:
        tensors.append(TensorSpec(shape=shape, name="attention_mask", fill="ones", size_axes=(0,)))
    if encoder_decoder:
        tensors.append(
            TensorSpec(
                shape=shape,
                name="decoder_input_ids",
                fill="ids",
                size_axes=(0,),
                vocabulary=vocabulary,
            )
        )
    return GeneratedInputs(tensors=tuple(tensors), largest=largest)
