"""Inputs of models of transformers that are signals: waves, spectrograms, series, states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from inferometer.models.inputs import GeneratedInputs, TensorSpec
from inferometer.models.sources.transformers_fields import Taker, vocabulary_of

SEQUENCE_LENGTH = 128
SAMPLES = 16_000
"""One second of sound."""
FRAMES = 128
"""Of spectrograms, where nothing says how many a model takes."""
STEPS = 32
"""Of an agent."""
STARTED = 8
"""Tokens or frames that a decoder starts from."""

Maker = Callable[[Taker], GeneratedInputs | None]
"""What makes inputs; None where it cannot tell."""


def sound(taker: Taker) -> GeneratedInputs | None:
    """A wave, or a spectrogram under its name."""
    if "input_values" not in taker.arguments:
        return None
    mels = taker.find("num_mel_bins")
    if isinstance(mels, int) and (frames := taker.find("max_length")):
        shape: tuple[int, ...] = (frames, mels)
    else:
        is_codec = any(taker.find(name) for name in ("codebook_size", "num_quantizers"))
        shape = (1, SAMPLES) if is_codec else (SAMPLES,)
    axes = () if mels else (len(shape) - 1,)
    wave = TensorSpec(shape=shape, name="input_values", size_axes=axes)
    return GeneratedInputs(tensors=(wave, *_decoded(taker)))


def _decoded(taker: Taker) -> tuple[TensorSpec, ...]:
    """What the decoder of an encoder starts from."""
    vocabulary = vocabulary_of(taker.config)
    start = TensorSpec(shape=(STARTED,), name="decoder_input_ids", fill="ids")
    if start.name in taker.arguments and vocabulary:
        return (replace(start, vocabulary=vocabulary),)
    width = taker.find("num_mel_bins")
    if "decoder_input_values" in taker.arguments and isinstance(width, int):
        return (TensorSpec(shape=(STARTED, width), name="decoder_input_values"),)
    return ()


AS_IMAGES = frozenset({"clap", "clap_audio_model"})
"""Types that take a spectrogram as an image of one channel."""
FEATURES_FIRST = frozenset({"clvp"})
"""Types that take the features of a frame along the first axis."""
MEL_BINS = (
    *("num_mel_bins", "feature_size", "input_feat_per_channel", "mel_bins", "n_mels"),
    *("feature_projection_input_dim", "num_mel_channels", "input_dim"),
)
"""What configurations call the features of a frame."""


def spectrogram(taker: Taker) -> GeneratedInputs | None:
    """Features of sound: mel bins by frames as Whisper takes them, or frames by features."""
    if "input_features" not in taker.arguments:
        return None
    width = taker.find(*MEL_BINS, part="audio_config speech_config encoder_config decoder_config")
    if not isinstance(width, int):
        return None
    longest = taker.find("max_source_positions", part="audio_config encoder_config")
    as_whisper = isinstance(longest, int) and taker.find("input_feat_per_channel") is None
    shape = (width, 2 * longest) if as_whisper else (FRAMES, width)
    if taker.config.model_type in FEATURES_FIRST:
        shape = (width, FRAMES)
    if taker.config.model_type in AS_IMAGES:
        features = TensorSpec(shape=(1, *shape), name="input_features")
        return GeneratedInputs(tensors=(features,))
    axes = () if as_whisper else (0,)
    features = TensorSpec(shape=shape, name="input_features", size_axes=axes)
    length = shape[1] if as_whisper else FRAMES
    mask = TensorSpec(shape=(length,), name="input_features_mask", fill="ones", size_axes=axes)
    masks = (mask,) if mask.name in taker.arguments else ()
    return GeneratedInputs(tensors=(features, *masks, *_decoded(taker)))


def series(taker: Taker) -> GeneratedInputs | None:
    """Values of the past, with a time feature and a mask where a model asks for them."""
    channels = taker.find("num_input_channels")
    length = taker.find("context_length")
    if not isinstance(length, int):
        return None
    lags = taker.find("lags_sequence")
    past = length + max(lags) if lags and "past_time_features" in taker.arguments else length
    values = TensorSpec(
        shape=(past, channels) if isinstance(channels, int) else (past,), name="past_values"
    )
    tensors = [values]
    if "past_time_features" in taker.arguments:
        features = taker.find("num_time_features") or 0
        ahead = taker.find("prediction_length")
        tensors += [
            TensorSpec(shape=(past, features), name="past_time_features"),
            replace(values, name="past_observed_mask", fill="ones"),
            TensorSpec(shape=(ahead, features), name="future_time_features"),
            TensorSpec(shape=(ahead,), name="future_values"),
        ]
    return GeneratedInputs(tensors=tuple(tensors))


def states(name: str) -> Maker:
    """What makes hidden states under a name: a row of the model's width for each place."""

    def make(taker: Taker) -> GeneratedInputs | None:
        width = taker.find("hidden_size", "d_model", "d_latents")
        if not isinstance(width, int):
            return None
        spec = TensorSpec(shape=(SEQUENCE_LENGTH, width), name=name, size_axes=(0,))
        return GeneratedInputs(tensors=(spec,))

    return make


def zeros(name: str, *lengths: str) -> Maker:
    """What makes zeros under a name, as many as a field says."""

    def make(taker: Taker) -> GeneratedInputs | None:
        spec = TensorSpec(shape=(taker.find(*lengths) or 1,), name=name, fill="ids", vocabulary=1)
        return GeneratedInputs(tensors=(spec,))

    return make


def trajectory(taker: Taker) -> GeneratedInputs | None:
    """States, actions and rewards of an agent, as a decision transformer takes them."""
    seen, actions = taker.find("state_dim"), taker.find("act_dim")
    if not (isinstance(seen, int) and isinstance(actions, int)):
        return None
    widths = {"states": seen, "actions": actions, "rewards": 1, "returns_to_go": 1}
    length = STEPS
    tensors = [
        TensorSpec(shape=(length, width), name=name, size_axes=(0,))
        for name, width in widths.items()
    ]
    steps = TensorSpec(
        shape=(length,), name="timesteps", fill="ids", vocabulary=length, size_axes=(0,)
    )
    mask = replace(steps, name="attention_mask", fill="ones")
    return GeneratedInputs(tensors=(*tensors, steps, mask))
