from __future__ import annotations

from importlib.util import find_spec

import pytest

torch = pytest.importorskip("torch")
if find_spec("torchvision") is None:
    pytest.skip("torchvision is not installed", allow_module_level=True)

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402 - after the skip

from inferometer.models import load  # noqa: E402
from inferometer.models.cost import count_operations  # noqa: E402
from inferometer.models.torchvision_compat import import_torchvision  # noqa: E402

LAB = {
    "squeezenet1_0": 818.9e6,
    "mobilenet_v3_small": 56.5e6,
    "resnet18": 1814.1e6,
    "unet": 9242.0e6,
}
PUBLISHED = (
    *("vgg16", "resnet50", "resnext50_32x4d", "densenet121", "efficientnet_b0"),
    *("convnext_tiny", "mobilenet_v2", "shufflenet_v2_x1_0", "swin_t", "vit_b_16"),
)


def of_torch(network, inputs):
    """MACs by torch's own counter, which knows attention only where it is taken apart."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network(inputs)
    return counter.get_total_flops() // 2


@pytest.mark.parametrize("name", LAB)
def test_the_models_of_the_lab(name):
    network = load(name, seed=0).network.eval()
    cost = count_operations(network, (torch.empty(1, 3, 224, 224, device="meta"),), {})
    assert cost.macs == pytest.approx(LAB[name], abs=0.05e6)
    assert cost.macs == of_torch(network.to("meta"), torch.empty(1, 3, 224, 224, device="meta"))
    assert not cost.unknown_operators


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_torchvision_publishes_with_its_weights(name):
    models = import_torchvision().models
    published = next(iter(models.get_model_weights(name))).meta["_ops"]
    with torch.device("meta"):
        network = models.get_model(name, weights=None).eval()
    inputs = torch.empty(1, 3, 224, 224, device="meta")
    cost = count_operations(network, (inputs,), {})
    assert cost.macs / 1e9 == pytest.approx(published, abs=0.0005001)  # it has three decimals
    assert not cost.unknown_operators


def import_transformers():
    """It imports torchvision itself where it finds it."""
    import_torchvision()
    return pytest.importorskip("transformers")


def encoder(length, width, inner, layers):
    return layers * (length * (4 * width**2 + 2 * width * inner) + 2 * length**2 * width)


@pytest.mark.parametrize(("length", "masked"), [(16, False), (128, True), (512, False)])
def test_bert_is_the_closed_formula(length, masked):
    transformers = import_transformers()
    with torch.device("meta"):
        network = transformers.BertModel(transformers.BertConfig()).eval()
    ids = torch.zeros(1, length, dtype=torch.long)
    mask = {"attention_mask": torch.ones_like(ids)} if masked else {}
    if masked:
        mask["attention_mask"][:, length // 2 :] = 0
    cost = count_operations(network, (), {"input_ids": ids, **mask})
    assert cost.macs == encoder(length, 768, 3072, 12) + 768 * 768  # and the pooler
    assert cost.output_bytes == 4 * (length + 1) * 768
    assert not cost.unknown_operators


def test_a_vision_transformer_is_the_closed_formula():
    transformers = import_transformers()
    with torch.device("meta"):
        network = transformers.ViTForImageClassification(
            transformers.ViTConfig(num_labels=1000)
        ).eval()
    cost = count_operations(network, (torch.empty(1, 3, 224, 224, device="meta"),), {})
    patches = 14 * 14 * 768 * (3 * 16 * 16)
    assert cost.macs == encoder(14 * 14 + 1, 768, 3072, 12) + patches + 768 * 1000
