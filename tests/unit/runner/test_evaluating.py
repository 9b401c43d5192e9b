from inferometer.datasets import open_dataset
from inferometer.runner.workers.evaluating import by_chance


def test_the_first_samples_are_of_all_classes(tmp_path):
    """In the order of its file, the first third of a sorted dataset would be of one class."""
    lines = ["a,b,label", *(f"{n},{n * n},{n // 100}" for n in range(300))]
    (tmp_path / "sorted.csv").write_text("\n".join(lines))
    data = open_dataset(f"{tmp_path}/sorted.csv")
    order = by_chance(data)
    assert sorted(order) == list(range(len(data)))
    first = [data[place].label for place in order[: len(data) // 3]]
    assert {first.count(label) > len(first) / 5 for label in (0, 1, 2)} == {True}
