from __future__ import annotations

from importlib.util import find_spec

import pytest

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.models import load
from inferometer.models.cost import count_parameters

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(find_spec("transformers") is None, reason="needs transformers")

BERT = (
    "transformers:bert?num_hidden_layers=1&hidden_size=16&num_attention_heads=2"
    "&intermediate_size=16&vocab_size=100"
)
GPT2 = "?n_layer=1&n_embd=16&n_head=2&vocab_size=100"


def inputs(model, *, batch_size=1, input_size=None):
    return model.inputs.make(batch_size=batch_size, input_size=input_size, seed=0)


def test_an_encoder(run_once):
    model = load(BERT, seed=0)
    assert model.source == "transformers"
    assert inputs(model).shape == "input_ids=1x128, attention_mask=1x128"
    made = inputs(model, batch_size=3, input_size=20)
    assert made.shape == "input_ids=3x20, attention_mask=3x20"
    assert int(made.kwargs["input_ids"].max()) < 100
    output = run_once(model, batch_size=3, input_size=20)
    assert tuple(output.last_hidden_state.shape) == (3, 20, 16)


def test_a_sequence_that_is_too_long():
    with pytest.raises(WorkloadError, match="512 at the most") as caught:
        inputs(load(BERT, seed=0), input_size=513)
    assert caught.value.kind == "unsupported"


def test_a_decoder_keeps_no_cache(run_once):
    model = load(f"transformers:gpt2{GPT2}", seed=0)
    assert run_once(model, input_size=8).past_key_values is None


def test_a_class_by_name_and_its_tied_embedding(run_once):
    model = load(f"transformers:GPT2LMHeadModel{GPT2}", seed=0)
    count = count_parameters(model.network)
    assert count.parameters_with_duplicates - count.parameters == 100 * 16
    assert tuple(run_once(model, input_size=8).logits.shape) == (1, 8, 100)


def test_an_encoder_with_a_decoder(run_once):
    reference = "transformers:t5?num_layers=1&d_model=16&d_ff=16&num_heads=2&d_kv=8&vocab_size=100"
    model = load(reference, seed=0)
    made = inputs(model, input_size=6)
    assert made.shape == "input_ids=1x6, attention_mask=1x6, decoder_input_ids=1x6"
    assert tuple(run_once(model, input_size=6).last_hidden_state.shape) == (1, 6, 16)


def test_images(run_once):
    reference = (
        "transformers:vit?num_hidden_layers=1&hidden_size=16&num_attention_heads=2"
        "&intermediate_size=16&image_size=32&num_channels=1"
    )
    model = load(reference, seed=0)
    assert inputs(model).shape == "pixel_values=1x1x32x32"
    assert tuple(run_once(model).last_hidden_state.shape) == (1, 5, 16)


def test_a_local_folder_with_and_without_its_weights(tmp_path):
    from inferometer.models.torchvision_compat import import_torchvision_if_installed

    import_torchvision_if_installed()  # transformers needs one that can be imported
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(n_layer=1, n_embd=16, n_head=2, vocab_size=100)
    saved = GPT2LMHeadModel(config).to(torch.bfloat16)
    saved.save_pretrained(tmp_path / "mine")
    loaded = load(f"transformers:{tmp_path / 'mine'}?weights=pretrained", seed=0)
    assert loaded.weights == f"pretrained ({tmp_path / 'mine'})"
    assert loaded.files == (str(tmp_path / "mine" / "model.safetensors"),)
    weight = loaded.network.transformer.wpe.weight
    assert weight.dtype == torch.float32
    assert torch.equal(weight, saved.transformer.wpe.weight.float())
    fresh = load(f"transformers:{tmp_path / 'mine'}", seed=0)
    assert type(fresh.network).__name__ == "GPT2LMHeadModel"
    assert (fresh.weights, fresh.files) == ("random, seed 0", ())
    assert not torch.equal(fresh.network.transformer.wpe.weight, weight)


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("transformers:brt", "did you mean 'bert'"),
        ("transformers:bert?num_hiden_layers=1", "did you mean 'num_hidden_layers'"),
        ("transformers:bert?weights=pretrained", "has no pretrained weights"),
        (f"{BERT}&input=3x224x224", "takes token ids"),
    ],
)
def test_bad_references(reference, problem):
    with pytest.raises(ModelReferenceError, match=problem):
        load(reference, seed=0)


def test_a_value_of_the_wrong_type():
    with pytest.raises(WorkloadError, match="transformers:bert: ") as caught:
        load("transformers:bert?num_hidden_layers=many", seed=0)
    assert caught.value.kind == "bad_model"


SMALL_WHISPER = (
    "transformers:whisper?encoder_layers=1&decoder_layers=1&d_model=16&encoder_attention_heads=2"
    "&decoder_attention_heads=2&encoder_ffn_dim=16&decoder_ffn_dim=16&vocab_size=60000"
    "&max_source_positions=20"
)


def test_a_spectrogram_and_what_its_decoder_starts_from(run_once):
    model = load(SMALL_WHISPER, seed=0)
    made = inputs(model, batch_size=2)
    assert made.shape == "input_features=2x80x40, decoder_input_ids=2x8"
    assert tuple(run_once(model, batch_size=2).last_hidden_state.shape) == (2, 8, 16)


def test_a_wave(run_once):
    reference = (
        "transformers:wav2vec2?num_hidden_layers=1&hidden_size=16&num_attention_heads=2"
        "&intermediate_size=16&num_conv_pos_embedding_groups=2"
    )
    model = load(reference, seed=0)
    assert inputs(model, batch_size=2, input_size=8000).shape == "input_values=2x8000"
    assert run_once(model, batch_size=2, input_size=8000).last_hidden_state.shape[0] == 2


def folder_of(config, tmp_path):
    config.save_pretrained(tmp_path)
    return f"transformers:{tmp_path}"


def test_text_and_an_image_where_a_model_takes_both(run_once, tmp_path):
    from transformers import CLIPConfig

    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    small |= {"num_attention_heads": 2}
    config = CLIPConfig(text_config=small, vision_config={**small, "image_size": 64})
    model = load(folder_of(config, tmp_path), seed=0)
    made = inputs(model, batch_size=2)
    assert made.shape == "input_ids=2x77, attention_mask=2x77, pixel_values=2x3x64x64"
    assert tuple(run_once(model, batch_size=2).logits_per_text.shape) == (2, 2)


def test_text_alone_where_an_image_may_take_its_place(run_once, tmp_path):
    from inferometer.models.torchvision_compat import import_torchvision_if_installed

    import_torchvision_if_installed()  # transformers needs one that can be imported
    from transformers import LlavaConfig

    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    text = {"model_type": "llama", "num_attention_heads": 2, "num_key_value_heads": 2, **small}
    eyes = {"model_type": "clip_vision_model", "num_attention_heads": 2, **small}
    config = LlavaConfig(
        text_config={**text, "vocab_size": 100}, vision_config=eyes, image_token_id=99
    )
    model = load(folder_of(config, tmp_path), seed=0)
    assert model.notes == (
        "measured on text alone, without the images or the sound that it may also take",
    )
    made = inputs(model)
    assert int(made.kwargs["input_ids"].max()) < 99  # none stands for an image
    assert tuple(run_once(model).last_hidden_state.shape) == (1, 128, 16)


def test_a_type_that_has_no_model_without_a_head():
    model = load("transformers:superpoint", seed=0)
    assert type(model.network).__name__ == "SuperPointForKeypointDetection"
    assert inputs(model).shape == "pixel_values=1x3x224x224"


def test_a_trajectory(run_once):
    reference = "transformers:decision_transformer?n_layer=1&hidden_size=16&n_head=2&vocab_size=2"
    model = load(f"{reference}&bos_token_id=1&eos_token_id=1", seed=0)
    made = inputs(model, batch_size=2)
    assert made.shape.startswith("states=2x32x17, actions=2x32x4, rewards=2x32x1")
    assert tuple(run_once(model, batch_size=2).state_preds.shape) == (2, 32, 17)


def test_patches_in_one_row_for_all_images(run_once):
    reference = (
        "transformers:qwen3_vl_vision?depth=1&hidden_size=16&num_heads=2&intermediate_size=16"
        "&out_hidden_size=16&num_position_embeddings=64"
    )
    model = load(reference, seed=0)
    width = 3 * 2 * 16 * 16  # channels, frames, height and width of a patch
    assert inputs(model, batch_size=2).shape == f"hidden_states=128x{width}, grid_thw=2x3"
    assert len(run_once(model, batch_size=2).last_hidden_state) == 2 * len(
        run_once(model).last_hidden_state
    )
    assert inputs(model).kwargs["grid_thw"].tolist() == [[1, 8, 8]]


def test_inputs_that_cannot_be_made_up():
    with pytest.raises(WorkloadError, match="inputs that cannot be made up") as caught:
        load("transformers:gemma3n_audio?hidden_size=64&conf_num_hidden_layers=1", seed=0)
    assert caught.value.kind == "unsupported"


def test_a_network_without_a_forward():
    from inferometer.models.options import Options
    from inferometer.models.sources.transformers_inputs import inputs_of

    class Whole(torch.nn.Module):
        main_input_name, config = "input_ids", None

    with pytest.raises(WorkloadError, match="transformers:whole has no forward") as caught:
        inputs_of(Whole(), Options(), "transformers:whole")
    assert caught.value.kind == "unsupported"


def test_a_damaged_folder(tmp_path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WorkloadError, match="transformers:") as caught:
        load(f"transformers:{tmp_path}", seed=0)
    assert caught.value.kind == "bad_model"
