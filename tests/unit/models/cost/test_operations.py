from __future__ import annotations

import dataclasses
import gc
import warnings
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402 - after the skip

from inferometer.core.cost import Cost  # noqa: E402
from inferometer.core.errors import WorkloadError  # noqa: E402
from inferometer.models.cost import count_operations  # noqa: E402
from inferometer.models.cost.torch.operations import RUN, SIMULATED, _counted  # noqa: E402
from inferometer.runner.workers.codec import decode, encode  # noqa: E402

nn = torch.nn


class Does(nn.Module):
    """A network that does what it is told."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    def forward(self, *args, **kwargs):
        return self.what(*args, **kwargs)


def really(network, *args, **kwargs):
    """The count of one real call of a network, even where none is needed."""
    return _counted(network, args, kwargs, simulated=False)


def of(network, *args, **kwargs):
    return count_operations(network.eval(), args, kwargs)


def looked_up(*args, **kwargs):
    """Attention by the name under which networks look it up."""
    return nn.functional.scaled_dot_product_attention(*args, **kwargs)


def zeros(*shape, **kwargs):
    return torch.zeros(shape, **kwargs)


def encoder(length, width, inner, layers=1, batch=1):
    """MACs of transformer encoders: four products with the width, two with the inner width, and
    two of attention."""
    tokens = batch * length
    return layers * (tokens * (4 * width**2 + 2 * width * inner) + 2 * tokens * length * width)


LSTM = nn.LSTM(3, 5, 2, bidirectional=True)
GRU = nn.GRU(3, 5, 2, bidirectional=True, batch_first=True)
KNOWN = {
    "linear": (nn.Linear(3, 5), [zeros(2, 3)], 2 * 3 * 5),
    "linear of sequences": (nn.Linear(3, 5), [zeros(2, 7, 3)], 2 * 7 * 3 * 5),
    "convolution": (nn.Conv2d(3, 4, 3, padding=1), [zeros(2, 3, 5, 7)], 2 * 4 * 35 * 27),
    "stride": (nn.Conv2d(3, 4, 3, stride=2), [zeros(1, 3, 7, 7)], 4 * 9 * 27),
    "one axis": (nn.Conv1d(4, 8, 3), [zeros(2, 4, 5)], 2 * 8 * 3 * 12),
    "three axes": (nn.Conv3d(4, 8, 3), [zeros(2, 4, 5, 5, 5)], 2 * 8 * 27 * 27 * 4),
    "groups": (nn.Conv2d(4, 8, 3, groups=2), [zeros(1, 4, 5, 5)], 8 * 9 * 2 * 9),
    "depthwise": (nn.Conv2d(4, 8, 3, groups=4), [zeros(2, 4, 5, 5)], 2 * 8 * 9 * 9),
    "transposed": (nn.ConvTranspose2d(4, 6, 2, stride=2), [zeros(2, 4, 5, 5)], 2 * 4 * 25 * 6 * 4),
    "transposed groups": (
        nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2),
        [zeros(2, 4, 5, 5)],
        2 * 4 * 25 * 3 * 9,
    ),
    "mm": (Does(torch.mm), [zeros(2, 3), zeros(3, 5)], 30),
    "bmm": (Does(torch.bmm), [zeros(4, 2, 3), zeros(4, 3, 5)], 120),
    "addmm": (Does(torch.addmm), [zeros(5), zeros(2, 3), zeros(3, 5)], 30),
    "baddbmm": (Does(torch.baddbmm), [zeros(1), zeros(4, 2, 3), zeros(4, 3, 5)], 120),
    "addbmm": (Does(torch.addbmm), [zeros(2, 5), zeros(4, 2, 3), zeros(4, 3, 5)], 120),
    "addmm in place": (
        Does(lambda a, b: torch.zeros(2, 5).addmm_(a, b)),
        [zeros(2, 3), zeros(3, 5)],
        30,
    ),
    "mv": (Does(torch.mv), [zeros(2, 3), zeros(3)], 6),
    "addmv": (Does(torch.addmv), [zeros(2), zeros(2, 3), zeros(3)], 6),
    "dot": (Does(torch.dot), [zeros(7), zeros(7)], 7),
    "matmul": (Does(torch.matmul), [zeros(2, 4, 2, 3), zeros(3, 5)], 240),
    "einsum": (
        Does(lambda a, b: torch.einsum("bij,bjk->bik", a, b)),
        [zeros(2, 3, 4), zeros(2, 4, 5)],
        120,
    ),
    "complex": (
        Does(torch.mm),
        [zeros(2, 3, dtype=torch.cfloat), zeros(3, 5, dtype=torch.cfloat)],
        4 * 30,
    ),
    "bilinear": (nn.Bilinear(3, 4, 5), [zeros(2, 3), zeros(2, 4)], 2 * 5 * 3 * 4),
    "lstm": (LSTM, [zeros(7, 2, 3)], 7 * 2 * 2 * (20 * (3 + 5) + 20 * (10 + 5))),
    "gru": (GRU, [zeros(2, 7, 3)], 7 * 2 * 2 * (15 * (3 + 5) + 15 * (10 + 5))),
    "rnn": (nn.RNN(3, 5), [zeros(7, 2, 3)], 7 * 2 * 5 * (3 + 5)),
    "lstm with a projection": (nn.LSTM(3, 5, proj_size=2), [zeros(7, 2, 3)], 7 * 2 * (100 + 10)),
    "lstm cell": (nn.LSTMCell(3, 5), [zeros(2, 3)], 2 * 20 * (3 + 5)),
    "gru cell": (nn.GRUCell(3, 5), [zeros(2, 3)], 2 * 15 * (3 + 5)),
    "encoder layer": (
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        [zeros(2, 4, 8)],
        encoder(4, 8, 16, batch=2),
    ),
    "encoder": (
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2),
        [zeros(2, 4, 8)],
        encoder(4, 8, 16, layers=2, batch=2),
    ),
    "attention with weights": (
        nn.MultiheadAttention(8, 2, batch_first=True),
        [zeros(2, 4, 8)] * 3,
        2 * 4 * 4 * 64 + 2 * 2 * 4 * 4 * 8,
    ),
    "embedding": (nn.Embedding(10, 5), [zeros(2, 3, dtype=torch.long)], 0),
    "embedding bag": (nn.EmbeddingBag(10, 5), [zeros(2, 3, dtype=torch.long)], 0),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", KNOWN)
def test_macs_are_those_of_the_closed_formula_simulated_and_real(name):
    network, inputs, macs = KNOWN[name]
    simulated, real = of(network, *inputs), really(network.eval(), *inputs)
    assert simulated.macs == real.macs == macs
    assert simulated.flops == 2 * macs
    assert (simulated.method, real.method) == (SIMULATED, RUN)
    assert not simulated.unknown_operators


@pytest.mark.parametrize(
    ("left", "right", "ends", "macs"),
    [
        ((12, 8), (3, 8, 4), [4, 7, 12], 12 * 8 * 4),
        ((3, 5, 8), (3, 8, 4), None, 3 * 5 * 8 * 4),
        ((3, 5, 8), (8, 12), [4, 8, 12], 5 * 8 * 12),
        ((5, 12), (12, 8), [4, 8, 12], 5 * 12 * 8),
    ],
)
def test_experts_are_products_of_the_rows_that_they_get(left, right, ends, macs):
    ends = None if ends is None else torch.tensor(ends, dtype=torch.int32)
    experts = Does(lambda a, b: torch._grouped_mm(a, b, offs=ends))
    inputs = zeros(*left), zeros(*right)
    simulated, real = of(experts, *inputs), really(experts, *inputs)
    assert simulated.macs == real.macs == macs
    assert simulated.output_bytes == real.output_bytes


@pytest.mark.parametrize("length", [1, 7, 64, 300])
@pytest.mark.parametrize("form", ["plain", "causal", "mask", "shared heads"])
def test_attention_is_that_of_the_closed_formula_fused_and_taken_apart(length, form):
    heads, width = 4, 8
    query, key = zeros(2, heads, length, width), zeros(2, heads, length, width)
    named = {}
    if form == "causal":
        named["is_causal"] = True
    if form == "mask":
        named["attn_mask"] = torch.ones(length, length, dtype=torch.bool)
    if form == "shared heads":
        key, named["enable_gqa"] = zeros(2, 2, length, width), True
    plain = nn.functional.scaled_dot_product_attention
    attend = Does(looked_up)
    macs = 2 * heads * length * length * 2 * width
    fused = of(attend, query, key, key, **named)
    assert fused.macs == really(attend, query, key, key, **named).macs == macs
    assert [one.kind for one in fused.operators if one.macs] == ["attention"]
    apart = of(Does(plain), query, key, key, **named)  # by a name that is not looked up
    assert apart.macs == macs
    assert {one.kind for one in apart.operators if one.macs} == {"matrix product"}


def test_attention_of_other_lengths_and_widths():
    attend = Does(looked_up)
    cost = of(attend, zeros(2, 3, 5, 8), zeros(2, 3, 7, 8), zeros(2, 3, 7, 6))
    assert cost.macs == 2 * 3 * 5 * 7 * (8 + 6)


@pytest.mark.parametrize("fraction", ["flash_attention", "efficient_attention", "cudnn_attention"])
def test_kernels_of_other_devices_count_the_same(fraction):
    from inferometer.models.cost.formulas import FORMULAS

    kind, formula = FORMULAS[f"aten._scaled_dot_product_{fraction}"]
    query = zeros(2, 3, 5, 8, device="meta")
    work = formula({"query": query, "key": query, "value": query}, None)
    assert (kind, work.macs) == ("attention", 2 * 3 * 5 * 5 * 16)


def test_attention_with_its_heads_behind_the_lengths():
    from inferometer.models.cost.formulas import FORMULAS

    _, formula = FORMULAS["aten._flash_attention_forward"]
    query = zeros(2, 5, 3, 8, device="meta")
    assert formula({"query": query, "key": query, "value": query}, None).macs == 2 * 3 * 25 * 16
    row, ends = zeros(7, 3, 8, device="meta"), torch.tensor([0, 2, 7])
    given = {"query": row, "key": row, "value": row, "cum_seq_q": ends, "cum_seq_k": ends}
    assert formula(given, None).macs == 3 * (4 + 25) * 16


def test_a_recurrent_kernel_for_gpus_counts_the_same():
    from inferometer.models.cost.formulas import FORMULAS

    _, formula = FORMULAS["aten._cudnn_rnn"]
    weight = [one for layer in LSTM.all_weights for one in layer]
    given = {"input": zeros(7, 2, 3), "weight": weight, "weight_stride0": 4, "hidden_size": 5}
    assert formula(given, None) == (KNOWN["lstm"][2], 7 * 2 * 4 * 5 * 13)


def test_the_fast_path_of_an_encoder_layer_counts_the_same_and_is_left_as_it_was():
    from torch.backends import mha

    from inferometer.models.cost.formulas import FORMULAS

    layer, inputs, macs = KNOWN["encoder layer"]
    _, formula = FORMULAS["aten._transformer_encoder_layer_fwd"]
    weights = {
        "qkv_weight": layer.self_attn.in_proj_weight,
        "proj_weight": layer.self_attn.out_proj.weight,
        "ffn_weight_1": layer.linear1.weight,
        "ffn_weight_2": layer.linear2.weight,
    }
    assert formula({"src": inputs[0], "num_heads": 2, **weights}, None).macs == macs
    of(layer, *inputs)
    assert mha.get_fastpath_enabled()


SMALL = nn.Sequential(
    nn.Conv2d(3, 4, 3),
    nn.BatchNorm2d(4),
    nn.ReLU(inplace=True),
    nn.MaxPool2d(2),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(4, 4),
).eval()


@settings(max_examples=15, deadline=None)
@given(batch=st.integers(1, 9), size=st.integers(4, 40))
def test_macs_grow_linearly_with_the_batch_and_equal_those_of_torch(batch, size):
    one = of(SMALL, zeros(1, 3, size, size))
    many = of(SMALL, zeros(batch, 3, size, size))
    assert many.macs == batch * one.macs
    assert many.elementwise_flops == batch * one.elementwise_flops
    assert many.weight_bytes == one.weight_bytes
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        SMALL(zeros(batch, 3, size, size))
    assert many.flops == counter.get_total_flops()


@settings(max_examples=15, deadline=None)
@given(
    channels=st.integers(1, 4),
    groups=st.sampled_from([1, 2]),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    transposed=st.booleans(),
)
def test_any_convolution_is_that_of_torch(  # noqa: PLR0917 - Hypothesis fills them in
    channels, groups, kernel, stride, padding, transposed
):
    build = nn.ConvTranspose2d if transposed else nn.Conv2d
    network = build(
        2 * channels, 4, kernel, stride=stride, padding=min(padding, kernel - 1), groups=groups
    )
    counter, inputs = FlopCounterMode(display=False), zeros(2, 2 * channels, 6, 7)
    with torch.no_grad(), counter:
        network(inputs)
    assert of(network, inputs).flops == counter.get_total_flops()


@pytest.mark.parametrize(
    ("what", "flops"),
    [
        (nn.ReLU(), 24),
        (lambda x: x.clone().abs_().ge_(1), 48),
        (lambda x: 1 - x, 24),
        (nn.GELU(), 24),
        (nn.Hardswish(), 24),
        (lambda x: x + x, 24),
        (lambda x: x * 2 + x, 48),
        (nn.BatchNorm2d(2).eval(), 2 * 24),
        (lambda x: torch.ops.aten._batch_norm_with_update(x, *[zeros(2)] * 4, 0.1, 1e-5), 7 * 24),
        (nn.LayerNorm(4), 7 * 24),
        (nn.LayerNorm(4, elementwise_affine=False), 5 * 24),
        (nn.GroupNorm(1, 2), 7 * 24),
        (nn.Softmax(-1), 5 * 24),
        (lambda x: x.sum(), 24),
        (lambda x: x.mean(-1), 24),
        (nn.MaxPool2d((3, 2)), 4 * 6),
        (nn.AvgPool2d((1, 2)), 12 * 2),
        (nn.AdaptiveAvgPool2d((1, 2)), 24),
        (nn.Upsample(scale_factor=2), 0),
        (nn.Upsample(scale_factor=2, mode="bilinear"), 8 * 96),
        (lambda x: torch.zeros(5, 12).index_add(0, torch.tensor([1, 1]), x.view(2, 12)), 24),
        (lambda x: torch.zeros(9, 4).scatter_add(0, torch.ones(6, 4).long(), x.view(6, 4)), 24),
        (lambda x: torch.cat([x, x]), 0),
        (lambda x: x.transpose(2, 3).contiguous(), 0),
        (lambda x: x.permute(0, 2, 3, 1).reshape(-1), 0),
    ],
)
def test_what_is_no_multiply_accumulate_is_counted_apart(what, flops):
    cost = of(Does(what), zeros(1, 2, 3, 4))
    assert (cost.macs, cost.elementwise_flops) == (0, flops)
    assert not cost.unknown_operators


def test_sequences_of_several_lengths_take_the_steps_that_they_have():
    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.LSTM(3, 5)

        def forward(self, x, lengths):
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
            return nn.utils.rnn.pad_packed_sequence(self.layer(packed)[0])[0]

    inputs = zeros(7, 3, 3), torch.tensor([7, 2, 4])
    simulated, real = of(Packed(), *inputs), really(Packed(), *inputs)
    assert simulated.macs == real.macs == (7 + 2 + 4) * 20 * (3 + 5)
    assert simulated.unknown_operators == []


def test_an_operator_that_nobody_knows_is_named_and_not_guessed():
    cost = of(Does(lambda x: torch.fft.rfft(x).abs()), zeros(8))
    assert cost.unknown_operators == ["aten._fft_r2c (1)"]
    assert cost.macs == 0


def test_a_formula_that_somebody_taught_torch_is_used():
    from torch.utils.flop_counter import flop_registry, register_flop_formula

    from inferometer.models.cost.torch.operators import described

    @torch.library.custom_op("inferometer_tests::double", mutates_args=())
    def double(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @double.register_fake
    def _(x):
        return torch.empty_like(x)

    packet = torch.ops.inferometer_tests.double
    described.cache_clear()
    try:
        register_flop_formula(packet)(lambda x_shape, *args, out_shape=None, **kwargs: 600)
        assert of(Does(double), zeros(3)).macs == 300
    finally:
        flop_registry.pop(packet)
        described.cache_clear()


def test_operators_are_told_apart_by_their_modules():
    network = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 5), nn.ReLU()))
    cost = of(network, zeros(2, 3))
    macs = {one.module: one.macs for one in cost.operators if one.macs}
    assert macs == {"0": 24, "1.0": 40}
    assert [one.module for one in cost.operators if one.kind == "element-wise"] == ["1.1"]


def test_calls_of_one_operator_in_one_module_are_added_up():
    layer = nn.Linear(3, 3)
    cost = of(nn.Sequential(layer, layer), zeros(2, 3))
    (found,) = [one for one in cost.operators if one.macs]
    assert (found.calls, found.macs, found.module) == (2, 36, "0")


@pytest.mark.parametrize("name", ["linear", "lstm", "encoder layer"])
@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_the_caller_may_be_in_any_mode(name, mode):
    network, inputs, macs = KNOWN[name]
    with mode():
        cost = of(network, *inputs)
        assert really(network, *inputs).macs == macs
        assert torch.is_inference_mode_enabled() == (mode is torch.inference_mode)
    assert cost == of(network, *inputs)


def test_a_cost_survives_the_way_to_the_parent():
    cost = of(SMALL, zeros(2, 3, 8, 8))
    assert decode(encode(cost), Cost) == cost


# What depends on values


@pytest.mark.parametrize(
    "what",
    [
        lambda x: x * 2 if x.sum() > 1 else x,
        lambda x: x[: int(x.sum().item())],
        lambda x: x.nonzero(),
        lambda x: x[x > 0],
        lambda x: torch.masked_select(x, x > 0),
    ],
)
def test_what_depends_on_values_is_refused_or_run(what):
    with pytest.raises(WorkloadError, match="cannot be counted without running it") as caught:
        of(Does(what), torch.ones(3))
    assert caught.value.kind == "unsupported"
    cost = count_operations(Does(what), (torch.ones(3),), {}, method="run")
    assert cost.method == RUN


def test_integers_keep_their_values():
    cost = of(Does(lambda x, lengths: x[: int(lengths.sum())] * 2), zeros(9), torch.tensor([2, 3]))
    assert (cost.method, cost.output_bytes) == (SIMULATED, 5 * 4)


def test_integers_that_floats_were_written_into_are_not_known_any_more():
    def forward(x):
        chosen = torch.zeros(3, dtype=torch.long)
        chosen[0] = x.argmax()
        return x * int(chosen[0])

    with pytest.raises(WorkloadError, match="depends on values"):
        of(Does(forward), torch.ones(3))


def test_masks_that_are_given_choose():
    masked, mask = Does(lambda x, mask: x[mask] * 2), torch.tensor([True, False, True])
    cost = of(masked, zeros(3, 4), mask)
    assert (cost.method, cost.output_bytes) == (SIMULATED, 2 * 4 * 4)
    assert cost.operator_bytes == really(masked, zeros(3, 4), mask).operator_bytes
    assert of(Does(lambda x, mask: x[:, mask]), zeros(2, 3, 4), mask).output_bytes == 2 * 2 * 4 * 4


def test_constants_keep_their_values():
    """As the mask that an encoder and decoder makes of ones, and looks at."""

    def forward(x):
        mask = torch.ones(2, 3, device=x.device)
        return x * 2 if (mask * 2)[None, :, :2].bool().all() else x * 2 * 2

    cost = of(Does(forward), zeros(8))
    assert (cost.method, cost.elementwise_flops) == (SIMULATED, 6 + 4 + 8)
    assert cost == dataclasses.replace(really(Does(forward), zeros(8)), method=SIMULATED)


@pytest.mark.parametrize(
    "what",
    [
        lambda x: torch.zeros(2).add_(x).any(),
        lambda x: torch.rand(2) > 0.5,
        lambda x: torch.zeros(2, 2)[0].copy_(x).any(),
    ],
)
def test_what_is_written_later_or_drawn_is_no_constant(what):
    with pytest.raises(WorkloadError, match="depends on values"):
        of(Does(lambda x: x * 2 if what(x).any() else x), zeros(2))


def test_what_is_no_module_is_refused():
    with pytest.raises(WorkloadError, match="of a function cannot be counted"):
        count_operations(lambda x: x, (zeros(3),), {})


def test_a_shape_that_does_not_fit_is_refused():
    with pytest.raises(WorkloadError, match=r"RuntimeError: .*4.*3"):
        of(nn.Linear(3, 2), zeros(1, 4))


# The network is left as it was


class Careless(nn.Module):
    """Keeps and changes what a network should not, and fails when it is told to."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.register_buffer("seen", torch.zeros(()))
        self.plain = torch.ones(3)
        self.cache = {}
        self.past = []
        self.fails = False

    def forward(self, x):
        self.last = self.layer(x) * self.plain
        self.seen = self.seen + 1
        self.plain.add_(1)
        self.cache["last"] = self.last
        self.past.append(self.last)
        if self.fails:
            raise ValueError("told to")
        return {"output": self.last, "more": [torch.arange(3), self.last.sum()]}


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_behind(fails):
    network = Careless()
    network.fails = fails
    layer, before = network.layer, dict(vars(network))
    weight = layer.weight
    state = {name: value.clone() for name, value in network.state_dict().items()}
    attention, hooks = nn.functional.scaled_dot_product_attention, nn.modules.module
    if fails:
        with pytest.raises(WorkloadError, match="ValueError: told to"):
            of(network, zeros(2, 3))
    else:
        of(network, zeros(2, 3))
    assert network.layer is layer
    assert layer.weight is weight
    assert not hasattr(network, "last")
    assert set(vars(network)) == set(before)
    assert (network.cache, network.past) == ({}, [])
    assert torch.equal(network.plain, torch.ones(3))
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert nn.functional.scaled_dot_product_attention is attention
    assert not hooks._global_forward_hooks
    assert not hooks._global_forward_pre_hooks
    assert not network._forward_hooks
    assert torch.zeros(1).device.type == "cpu"


def test_recurrent_layers_keep_the_weights_that_they_have():
    network = nn.LSTM(3, 5)
    before = [id(one) for one in network._flat_weights]
    of(network, zeros(7, 2, 3))
    assert [id(one) for one in network._flat_weights] == before
    assert network(zeros(7, 2, 3))[0].shape == (7, 2, 5)


def test_inputs_keep_their_values():
    number, index = torch.ones(3), torch.arange(3)
    of(Does(lambda x, i: (x.add_(1), i.add_(1))), number, index)
    assert torch.equal(number, torch.ones(3))
    assert torch.equal(index, torch.arange(3))


@pytest.mark.parametrize("count", [of, really])
def test_nothing_is_kept_alive(count):
    """Not even until garbage is collected: a worker would hold its inputs twice."""
    inputs = zeros(2, 3, 8, 8)
    network, seen = nn.Sequential(*SMALL), weakref.ref(inputs.untyped_storage())
    weight = weakref.ref(network[0].weight)
    gc.collect()
    gc.disable()
    try:
        count(network, inputs)
        del inputs
        assert seen() is None
    finally:
        gc.enable()
    assert weight() is SMALL[0].weight


# Programs


def test_script_modules_and_exported_programs_count_the_same():
    inputs = zeros(2, 3, 8, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(SMALL)
        exported = torch.export.export(SMALL, (inputs,)).module()
        frozen = torch.jit.freeze(torch.jit.script(SMALL))
    plain = of(SMALL, inputs)
    for program in (scripted, exported):
        cost = count_operations(program, (inputs,), {})
        assert (cost.macs, cost.weight_bytes) == (plain.macs, plain.weight_bytes)
        assert cost.activation_peak_bytes == plain.activation_peak_bytes
    cost = count_operations(frozen, (inputs,), {})
    assert (cost.method, cost.macs) == (SIMULATED, plain.macs)
    assert cost.weight_bytes == plain.weight_bytes - 4 * 4 * 4  # the normalisation is folded
    assert not any(one.operator == "aten.equal" for one in cost.operators)
