import pytest

from inferometer.core.preprocessing import Preprocessing
from inferometer.models import load

pytest.importorskip("torch")

FILE = """
import torch
from inferometer.core.preprocessing import Preprocessing

def says():
    network = torch.nn.Flatten()
    network.preprocessing = Preprocessing(size=8, mean=(0.0,), std=(1.0,), channels=1)
    return network, torch.rand(1, 1, 8, 8)

def says_something_else():
    network = torch.nn.Flatten()
    network.preprocessing = "resize"
    return network, torch.rand(1, 1, 8, 8)

def function():
    def call(x):
        return x
    call.preprocessing = Preprocessing(fit="natural")
    return call, torch.rand(1, 1, 8, 8)
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("says", Preprocessing(size=8, mean=(0.0,), std=(1.0,), channels=1)),
        ("says_something_else", None),
        ("function", Preprocessing(fit="natural")),
    ],
)
def test_a_model_of_the_users_may_say_what_its_pictures_go_through(tmp_path, name, said):
    (tmp_path / "nets.py").write_text(FILE)
    assert load(f"{tmp_path}/nets.py:{name}", seed=0).preprocessing == said
