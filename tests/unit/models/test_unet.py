from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from inferometer.models.zoo.unet import UNet  # noqa: E402 - after the skip


@pytest.fixture(scope="module")
def published():
    torch.set_num_threads(1)
    return UNet()


def test_it_has_the_published_number_of_parameters(published):
    assert sum(value.numel() for value in published.parameters()) == 7_763_041


def test_its_weights_have_the_published_names_in_the_published_order(published):
    names = list(published.state_dict())
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")

    def block(module, prefix):
        for index in (1, 2):
            yield f"{module}.{prefix}conv{index}.weight"
            yield from (f"{module}.{prefix}norm{index}.{part}" for part in norm)

    expected = [name for level in (1, 2, 3, 4) for name in block(f"encoder{level}", f"enc{level}")]
    expected += block("bottleneck", "bottleneck")
    for level in (4, 3, 2, 1):
        expected += [f"upconv{level}.weight", f"upconv{level}.bias"]
        expected += block(f"decoder{level}", f"dec{level}")
    assert names == [*expected, "conv.weight", "conv.bias"]


def test_its_weights_have_the_published_shapes(published):
    shapes = {name: tuple(value.shape) for name, value in published.state_dict().items()}
    assert shapes["encoder1.enc1conv1.weight"] == (32, 3, 3, 3)
    assert shapes["bottleneck.bottleneckconv2.weight"] == (512, 512, 3, 3)
    assert shapes["upconv4.weight"] == (512, 256, 2, 2)
    assert shapes["decoder4.dec4conv1.weight"] == (256, 512, 3, 3)
    assert shapes["conv.weight"] == (1, 32, 1, 1)


def test_it_has_the_published_submodules(published):
    assert [name for name, _ in published.named_children()] == [
        "encoder1",
        "pool1",
        "encoder2",
        "pool2",
        "encoder3",
        "pool3",
        "encoder4",
        "pool4",
        "bottleneck",
        "upconv4",
        "decoder4",
        "upconv3",
        "decoder3",
        "upconv2",
        "decoder2",
        "upconv1",
        "decoder1",
        "conv",
    ]
    assert [name for name, _ in published.encoder1.named_children()] == (
        ["enc1conv1", "enc1norm1", "enc1relu1", "enc1conv2", "enc1norm2", "enc1relu2"]
    )


def test_it_gives_probabilities_at_full_resolution():
    network = UNet(in_channels=2, out_channels=4, init_features=4).eval()
    with torch.inference_mode():
        mask = network(torch.randn(2, 2, 32, 48))
    assert tuple(mask.shape) == (2, 4, 32, 48)
    assert float(mask.min()) >= 0
    assert float(mask.max()) <= 1
    assert float(mask.std()) > 0


def test_features_are_carried_across_behind_the_upsampled_ones():
    """The order of the concatenation decides whether published weights mean the same here."""
    network = UNet(init_features=4).eval()
    seen = {}
    network.upconv1.register_forward_hook(lambda _m, _i, output: seen.update(up=output))
    network.encoder1.register_forward_hook(lambda _m, _i, output: seen.update(skip=output))
    network.decoder1.register_forward_hook(lambda _m, inputs, _o: seen.update(joined=inputs[0]))
    with torch.inference_mode():
        network(torch.randn(1, 3, 16, 16))
    assert torch.equal(seen["joined"], torch.cat((seen["up"], seen["skip"]), dim=1))
