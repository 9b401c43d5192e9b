"""Models and labelled data that a test can judge by a plain loop."""

import numpy as np


def data():
    """Pictures of noise whose class is the brightest of four quarters; every fifth is mislabelled."""
    rng = np.random.default_rng(0)
    pictures = rng.random((230, 1, 8, 8)).astype(np.float32)
    quarters = pictures.reshape(230, 2, 4, 2, 4).mean(axis=(2, 4)).reshape(230, 4)
    labels = quarters.argmax(axis=1)
    labels[::5] = (labels[::5] + 1) % 4
    return pictures, labels


def network():
    """Means of the quarters, which say the class."""
    import torch

    class Quarters(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(()))

        def forward(self, x):
            return x.reshape(-1, 2, 4, 2, 4).mean(dim=(2, 4)).reshape(-1, 4) * self.scale

    return Quarters(), torch.rand(1, 1, 8, 8)


def rounded():
    """The same, of coarser means."""
    import torch

    network_, inputs = network()

    class Rounded(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network_

        def forward(self, x):
            return (self.inner(x) * 8).round()

    return Rounded(), inputs


def function():
    """A plain function on arrays."""

    def call(x):
        return np.asarray(x).reshape(-1, 2, 4, 2, 4).mean(axis=(2, 4)).reshape(-1, 4)

    return call, np.zeros((1, 1, 8, 8), np.float32)


def two_classes():
    """A head that does not fit the data."""
    import torch

    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2)), torch.rand(1, 1, 8, 8)


def dies_on_data():
    """A model that ends its process once it sees what is no synthetic input."""
    import os

    import torch

    class Dies(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(64, 4))
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            if self.calls > 1 and bool((x[..., 0, 0] != 0.5).any()):
                os._exit(3)
            return x.flatten(1) @ self.weight

    return Dies(), torch.full((1, 1, 8, 8), 0.5)


def distance(output, label):
    """A measure of the user's: how far the highest score is above that of the label."""
    return float(output.max() - output[label])


distance.higher_is_better = False
