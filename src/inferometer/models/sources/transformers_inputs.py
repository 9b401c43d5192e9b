"""What models of transformers eat, from the names of their arguments and their configuration."""

# ruff: noqa: ANN401 - networks and configurations are theirs

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.core.model import InputSpec
from inferometer.models.inputs import GeneratedInputs, TensorSpec, images, shaped
from inferometer.models.options import Options
from inferometer.models.sources.transformers_fields import Taker, vocabulary_of
from inferometer.models.sources.transformers_patches import patches_of
from inferometer.models.sources.transformers_signals import (
    SEQUENCE_LENGTH,
    Maker,
    series,
    sound,
    spectrogram,
    states,
    trajectory,
    zeros,
)

IMAGE_SIZE = 224
VIDEO_FRAMES = 16
REGIONS = 36
"""Of an image, where a model takes features of them in its place."""

TEXT_ONLY = "measured on text alone, without the images or the sound that it may also take"


def inputs_of(network: Any, chosen: Options, what: str) -> tuple[InputSpec, tuple[str, ...]]:
    """Inputs of a network, and notes on them.

    Raises:
        ModelReferenceError: a shape is given to one that takes token ids.
        WorkloadError: (unsupported) it takes inputs that cannot be made up.
    """
    import torch

    taker = Taker.of(network)
    main = network.main_input_name
    if type(network).forward is torch.nn.Module.forward:
        raise WorkloadError(
            "unsupported", f"{what} has no forward that could be called; its parts have theirs"
        )
    if chosen.input_shape:
        if main == "input_ids":
            raise ModelReferenceError(f"{what} takes token ids: leave input= out, and use --size")
        return _named(shaped(chosen.input_shape), main), ()
    if main not in taker.arguments:  # some name what another part of them takes
        main = next((name for name in MAKERS if name in taker.arguments), main)
    patches = None if "input_ids" in taker.required else patches_of(taker.config, taker.required)
    if patches is not None:
        return patches, ()
    made = _completed(taker, main)
    if made is None:
        raise WorkloadError(
            "unsupported",
            f"{what} needs inputs that cannot be made up ({', '.join(taker.required) or main}); "
            "write a factory that returns it with example inputs (file.py:factory)",
        )
    notes = (TEXT_ONLY,) if main == "input_ids" and _may_take_more(taker, made) else ()
    return made, notes


def _completed(taker: Taker, main: str) -> GeneratedInputs | None:
    """Inputs under the main name, and whatever else has no default; None where one is unknown."""
    if main not in MAKERS or main not in taker.arguments:
        return None
    made = MAKERS[main](taker)
    for name in taker.required:
        if made is None or name in {spec.name for spec in made.tensors}:
            continue
        more = MAKERS[name](taker) if name in MAKERS else None
        given = {spec.name for spec in made.tensors}
        made = more and replace(
            made,
            tensors=made.tensors + tuple(one for one in more.tensors if one.name not in given),
        )
    return made


def _named(inputs: GeneratedInputs, name: str) -> GeneratedInputs:
    (spec,) = inputs.tensors
    return replace(inputs, tensors=(replace(spec, name=name),))


def _may_take_more(taker: Taker, made: GeneratedInputs) -> bool:
    given = {spec.name for spec in made.tensors}
    other = {"pixel_values", "input_features", "pixel_values_videos", "input_values"}
    return bool(other & set(taker.arguments) - given) and not given & other


def _text(taker: Taker) -> GeneratedInputs | None:
    """Token ids with a mask of ones, and what goes with them in each kind of model."""
    vocabulary = vocabulary_of(taker.config)
    if vocabulary is None:
        return None
    longest = taker.find("max_position_embeddings", "n_positions", part="text_config")
    largest = longest if isinstance(longest, int) and longest > 0 else None
    length = min(SEQUENCE_LENGTH, largest or SEQUENCE_LENGTH)
    ids = TensorSpec(
        shape=(length,), name="input_ids", fill="ids", size_axes=(0,), vocabulary=vocabulary
    )
    mask = replace(ids, name="attention_mask", fill="ones")
    codebooks = taker.find("num_codebooks")
    if taker.config.model_type in CODED and isinstance(codebooks, int):
        ids = replace(ids, shape=(length, codebooks + 1))
    tensors = [ids]
    if "attention_mask" in taker.arguments:
        tensors.append(mask)
    if "bbox" in taker.arguments:
        tensors.append(replace(mask, name="bbox", shape=(length, 4)))
    decodes = getattr(taker.config, "is_encoder_decoder", False)
    if decodes and "decoder_input_ids" in taker.arguments:
        tensors.append(replace(ids, name="decoder_input_ids"))
    if _looks_too(taker):
        picture = _picture(taker)
        if taker.config.model_type in SEVERAL:
            picture = replace(picture, shape=(1, *picture.shape))
            tensors.append(replace(mask, name="image_attention_mask", shape=(length, 1)))
        tensors.append(picture)
    if "visual_feats" in taker.arguments:
        width = taker.find("visual_feat_dim")
        tensors.append(TensorSpec(shape=(REGIONS, width), name="visual_feats"))
        tensors.append(TensorSpec(shape=(REGIONS, 4), name="visual_pos"))
    if _listens_too(taker):
        heard = spectrogram(taker) or sound(taker)
        tensors += heard.tensors if heard else ()
    return GeneratedInputs(tensors=tuple(tensors), largest=largest)


def _listens_too(taker: Taker) -> bool:
    """Whether text goes with sound, and not in its place."""
    names = ("get_audio_features", "get_speech_features")
    return hasattr(taker.network, "get_text_features") and any(
        hasattr(taker.network, name) for name in names
    )


def _looks_too(taker: Taker) -> bool:
    """Whether text goes with an image, and not in its place."""
    if "pixel_values" not in taker.arguments:
        return False
    both = hasattr(taker.network, "get_text_features") and hasattr(
        taker.network, "get_image_features"
    )
    return both or taker.config.model_type in FUSED


FUSED = frozenset(
    {"vilt", "tvp", "bridgetower", "layoutlmv3", "flava", "udop", "owlvit", "owlv2", "groupvit"}
    | {"vision-text-dual-encoder", "idefics"}
)
"""Types that look at an image while they read."""

CODED = frozenset({"kyutai_speech_to_text"})
"""Types whose every token is one of text beside one of each codebook of sound."""

SEVERAL = frozenset({"idefics"})
"""Types that take several images with one text; they get one."""

PAIRED = frozenset({"efficientloftr", "lightglue", "superglue"})
"""Types that take two images and say where one shows what the other does."""


def _image_size(taker: Taker) -> Any:
    size = taker.find("image_size", "img_size", "input_size", part="vision_config")
    return IMAGE_SIZE if size is None else size


def _picture(taker: Taker) -> TensorSpec:
    size = _image_size(taker)
    sides = tuple(size) if isinstance(size, list | tuple) else (size, size)
    channels = taker.find("num_channels", "in_channels", "in_chans", part="vision_config") or 3
    frames = _frames(taker)
    return TensorSpec(
        shape=(*(() if frames is None else (frames,)), channels, *sides),
        name="pixel_values",
        fill="image",
    )


def _frames(taker: Taker) -> int | None:
    """How many images a film has that a model of films takes; None for one of images."""
    frames = taker.find("num_frames", part="vision_config")
    return frames if isinstance(frames, int) else None


def _images(taker: Taker) -> GeneratedInputs | None:
    """Images or films at the size that a model is made for, and text beside them."""
    if "pixel_values" not in taker.arguments:
        return None
    spec = _picture(taker)
    if taker.config.model_type in PAIRED:
        spec = replace(spec, shape=(2, *spec.shape[-3:]))
    tensors = [spec]
    sizeable = len(spec.shape) == 3 and isinstance(_image_size(taker), int)  # noqa: PLR2004 - CHW
    if sizeable:
        side = spec.shape[-1]
        tensors = list(images(channels=spec.shape[0], size=side, name="pixel_values").tensors)
    for name in ("prompt_pixel_values", "prompt_masks"):
        if name in taker.required:
            tensors.append(replace(spec, name=name))
    for name in ("input_ids", "qformer_input_ids", "decoder_input_ids"):
        if name in taker.arguments and (vocabulary := vocabulary_of(taker.config)):
            tensors.append(TensorSpec(shape=(8,), name=name, fill="ids", vocabulary=vocabulary))
    return GeneratedInputs(tensors=tuple(tensors))


def _films(taker: Taker) -> GeneratedInputs | None:
    if "pixel_values_videos" not in taker.arguments:
        return None
    picture = _picture(taker)
    frames = taker.find("frames_per_clip", "num_frames", part="vision_config") or VIDEO_FRAMES
    film = replace(picture, name="pixel_values_videos", shape=(frames, *picture.shape[-3:]))
    return GeneratedInputs(tensors=(film,))


MAKERS: dict[str, Maker] = {
    "input_ids": _text,
    "pixel_values": _images,
    "input_values": sound,
    "input_features": spectrogram,
    "pixel_values_videos": _films,
    "past_values": series,
    "past_values_padding": zeros("past_values_padding", "context_length"),
    "freq": zeros("freq"),
    "states": trajectory,
    **{
        name: states(name)
        for name in ("inputs", "latents", "inputs_embeds", "query_embeds", "hidden_states")
    },
}
"""By the name of the main argument; each gives None where it cannot tell."""
