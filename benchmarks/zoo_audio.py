"""Models of torchaudio, each as small as its builder allows, with one second of sound."""

# ruff: noqa: ANN401 - theirs have no types

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch

SECOND = 16_000


def _models() -> Any:
    return import_module("torchaudio.models")


def _wave(*shape: int) -> torch.Tensor:
    return torch.randn(1, *shape)


def _wav2vec2(name: str, **more: Any) -> tuple[Any, Any]:
    return getattr(_models(), name)(**more).eval(), _wave(SECOND)


def wav2vec2_base() -> tuple[Any, Any]:
    return _wav2vec2("wav2vec2_base")


def hubert_base() -> tuple[Any, Any]:
    return _wav2vec2("hubert_base")


def wavlm_base() -> tuple[Any, Any]:
    return _wav2vec2("wavlm_base")


def conv_tasnet() -> tuple[Any, Any]:
    return _models().conv_tasnet_base(), _wave(1, SECOND)


def deepspeech() -> tuple[Any, Any]:
    return _models().DeepSpeech(n_feature=64), _wave(1, 100, 64)


def wav2letter() -> tuple[Any, Any]:
    return _models().Wav2Letter(input_type="mfcc", num_features=40), _wave(40, 200)


def wavernn() -> tuple[Any, Any]:
    net = _models().WaveRNN(upsample_scales=[5, 5, 8], n_classes=512, hop_length=200)
    return net, (_wave(1, 1200), _wave(1, 128, 10))


def tacotron2() -> tuple[Any, Any]:
    tokens = torch.arange(20)[None]
    spectrogram = _wave(80, 40)
    lengths = torch.tensor([20]), torch.tensor([40])
    return _models().Tacotron2(), (tokens, lengths[0], spectrogram, lengths[1])


def conformer() -> tuple[Any, Any]:
    net = _models().Conformer(
        input_dim=80, num_heads=4, ffn_dim=128, num_layers=4, depthwise_conv_kernel_size=31
    )
    return net, (_wave(400, 80), torch.tensor([400]))


def emformer() -> tuple[Any, Any]:
    net = _models().Emformer(512, 8, 2048, 4, segment_length=4, right_context_length=1)
    return net, (_wave(65, 512), torch.tensor([64]))


def emformer_rnnt() -> tuple[Any, Any]:
    net = _models().emformer_rnnt_base(num_symbols=128)
    sources, targets = _wave(20, 80), torch.zeros(1, 5, dtype=torch.int32)
    lengths = torch.tensor([16], dtype=torch.int32), torch.tensor([5], dtype=torch.int32)
    return net, (sources, lengths[0], targets, lengths[1])


def hdemucs() -> tuple[Any, Any]:
    return _models().hdemucs_low(sources=["drums", "bass", "other", "vocals"]), _wave(2, 2 * SECOND)


def squim_objective() -> tuple[Any, Any]:
    return _models().squim_objective_base(), _wave(SECOND)


def squim_subjective() -> tuple[Any, Any]:
    return _models().squim_subjective_base(), (_wave(SECOND), _wave(SECOND))


MODELS: tuple[Callable[[], tuple[Any, Any]], ...] = (
    *(wav2vec2_base, hubert_base, wavlm_base, conv_tasnet, deepspeech, wav2letter, wavernn),
    *(tacotron2, conformer, emformer, emformer_rnnt, hdemucs, squim_objective, squim_subjective),
)
NEEDS = {model.__name__: "torchaudio" for model in MODELS}
"""The package that each needs, by name of the function that makes it."""
