"""`transformers:NAME`: an architecture by its type or class, a local folder, or a hub name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from inferometer.core.errors import ModelReferenceError
from inferometer.core.model import LoadedModel
from inferometer.core.references import did_you_mean, quoted
from inferometer.core.shown import shown
from inferometer.models.building import seed_generators, settled
from inferometer.models.failures import building
from inferometer.models.options import TRUSTED, Options
from inferometer.models.paths import is_file, is_folder, path_of
from inferometer.models.sources.transformers_inputs import inputs_of
from inferometer.models.torchvision_compat import import_torchvision_if_installed

TRUST = "trust_remote_code"
"""The option that lets the code of a folder or of the hub run; named as the library names it."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be built.

    Attributes:
        builder: a class of the library, a model's or `AutoModel`.
        config: its configuration.
        stored: where its weights can be had: a folder or a hub name; empty for none.
        trusted: whether code that lies there may run.
    """

    builder: Any
    config: Any
    stored: str = ""
    trusted: bool = False


class TransformersSource:
    """Builds from a configuration; options change its fields."""

    def check(self, target: str, options: dict[str, Any]) -> None:
        """Check that a local folder holds a configuration.

        Raises:
            ModelReferenceError: it does not.
        """
        del options
        folder = _folder(target)
        if folder is not None and not is_file(folder / "config.json"):
            raise ModelReferenceError(
                f"transformers:{shown(target)}: there is no file {shown(folder / 'config.json')}"
            )

    def load(self, target: str, options: dict[str, Any], *, seed: int) -> LoadedModel:
        """Build the network on the CPU, in evaluation mode, in fp32.

        Raises:
            ModelReferenceError: a field is not in the configuration, or there are no weights.
            WorkloadError: (bad_model) it cannot be had or built; (unsupported) it takes inputs
                that cannot be made up.
        """
        chosen, what = Options.read(options), f"transformers:{target}"
        with building("transformers"):
            import_torchvision_if_installed()
            import transformers

            be_quiet: Any = transformers.utils.logging.disable_progress_bar
            be_quiet()
        fields = dict(chosen.builder)
        if fields.get(TRUST, False) not in (*TRUSTED, "no", False):
            raise ModelReferenceError(f"{shown(what)}: {TRUST}=: write yes or no")
        with building(what):
            plan = _plan(transformers, target, fields)
        if not plan.stored:
            chosen.refuse_pretrained(what, "name a local folder, or a model of the hub")
        with building(what):
            seed_generators(seed)
            network = _built(plan, chosen).float()
        inputs, notes = inputs_of(network, chosen, what)
        return settled(
            network,
            what=what,
            source="transformers",
            inputs=inputs,
            weights=chosen.weights_label(seed, pretrained=plan.stored),
            options=chosen,
            notes=notes,
            files=_weight_files(target) if chosen.pretrained else (),
        )


def _folder(target: str) -> Path | None:
    folder = path_of(target)
    is_local = target.startswith(("./", "../", "/", "~")) or is_folder(folder)
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
        builder = builder_of(transformers, family) or transformers.AutoModel
        return Plan(builder=builder, config=_configured(family, fields, target))
    named: Any = getattr(transformers, target, None) if target.isidentifier() else None
    if getattr(named, "config_class", None) is not None:
        return Plan(builder=named, config=_configured(named.config_class, fields, target))
    if "/" not in target:
        types = list(transformers.CONFIG_MAPPING)
        raise ModelReferenceError(
            f"transformers has no architecture {quoted(target)}{did_you_mean(target, types)}; "
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
    trusted = fields.pop(TRUST, False) in TRUSTED
    load = partial(
        transformers.AutoConfig.from_pretrained, local_files_only=local, trust_remote_code=trusted
    )
    try:
        usual = load(place)
    except ValueError as error:
        if trusted or TRUST not in str(error):
            raise
        raise ModelReferenceError(
            f"transformers:{shown(place)} holds code of its own; only if you trust it, write "
            f"?{TRUST}=yes"
        ) from error
    for name in fields:
        _require_field(usual, name, place)
    config = load(place, **_uncached(usual, fields))
    if not trusted:
        _refuse_kernels(config, place)
    usual_builder = builder_of(transformers, type(config)) or transformers.AutoModel
    name = next(iter(config.architectures or ()), "")
    named = getattr(transformers, name, None) if isinstance(name, str) and name else None
    # It may name anything in the library, which would be called.
    is_model = isinstance(named, type) and issubclass(named, transformers.PreTrainedModel)
    builder = named if is_model else usual_builder
    return Plan(builder=builder, config=config, stored=place, trusted=trusted)


def _refuse_kernels(config: Any, place: str) -> None:  # noqa: ANN401 - theirs
    """Refuse a configuration that names compiled code which the library would download and run.

    Raises:
        ModelReferenceError: it does.
    """
    parts = [config, *(one for one in vars(config).values() if hasattr(one, "to_dict"))]
    for part in parts:
        for name in ("_attn_implementation", "_experts_implementation"):
            chosen = getattr(part, name, None)
            if isinstance(chosen, str) and not chosen.replace("_", "").isalnum():
                raise ModelReferenceError(
                    f"transformers:{shown(place)}: its configuration names the compiled code "
                    f"{quoted(chosen)}; only if you trust it, write ?{TRUST}=yes"
                )


def builder_of(transformers: Any, family: Any) -> Any:  # noqa: ANN401 - the module, and its classes
    """What builds the models of a class of configurations; None where it is that of a part.

    That is `AutoModel`, or of the types that have no model without a head, the first that has it.
    """
    known = vars(transformers.models.auto.modeling_auto)  # dir() of the package takes a second
    others = [name for name in known if name.startswith("AutoModelFor")]
    for name in ("AutoModel", *others, "AutoBackbone"):
        builder = known[name]
        if family in builder._model_mapping:  # noqa: SLF001 - there is no public way to ask
            return builder
    return None


def _uncached(usual: Any, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - theirs
    """A single forward pass has no use for the keys and values of a later one."""
    return {"use_cache": False, **fields} if hasattr(usual, "use_cache") else fields


def _require_field(config: Any, name: str, target: str) -> None:  # noqa: ANN401 - theirs
    if not hasattr(config, name):
        raise ModelReferenceError(
            f"transformers:{shown(target)}: its configuration has no field {quoted(name)}"
            f"{did_you_mean(name, config.to_dict())}"
        )


def _built(plan: Plan, chosen: Options) -> Any:  # noqa: ANN401 - a module of theirs
    # Without it the library asks on the terminal whether to run what it found.
    trust = {TRUST: plan.trusted} if plan.stored and _is_auto(plan.builder) else {}
    if chosen.pretrained:
        local = is_folder(Path(plan.stored))
        return plan.builder.from_pretrained(
            plan.stored, config=plan.config, local_files_only=local, weights_only=True, **trust
        )
    if hasattr(plan.builder, "from_config"):
        if getattr(plan.config, "architectures", None) is None:
            plan.config.architectures = []  # it looks through them where a type has several models
        return plan.builder.from_config(plan.config, **trust)
    return plan.builder(plan.config)


def _is_auto(builder: Any) -> bool:  # noqa: ANN401 - a class of theirs
    return hasattr(builder, "from_config")
