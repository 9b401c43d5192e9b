from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from inferometer.core.dataset import ROLES
from inferometer.core.errors import DatasetError
from inferometer.datasets.roles import (
    BUILT_IN_SHARES,
    USER_SHARES,
    Entry,
    by_role,
    role_of,
    sampled,
    shares_of,
)


def contents(count):
    return [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in range(count)]


def entries(count, *, part="", classes=2):
    return [
        Entry(str(number), str(number), content, str(number % classes), number % classes, part)
        for number, content in enumerate(contents(count))
    ]


@pytest.mark.parametrize(
    ("defaults", "given", "expected"),
    [
        (USER_SHARES, {}, (0, 0.1, 0.1, 0.8)),
        (BUILT_IN_SHARES, {}, (0.5, 0.1, 0.1, 0.3)),
        (USER_SHARES, {"calibration": 0.3}, (0, 0.3, 0.1, 0.6)),
        (USER_SHARES, {"test": 1.0}, (0, 0, 0, 1)),
        (USER_SHARES, {"test": 0.5}, (0.3, 0.1, 0.1, 0.5)),
        (USER_SHARES, {"training": 0.9}, (0.9, 0.05, 0.05, 0)),
        (BUILT_IN_SHARES, {"training": 0.2, "test": 0.6}, (0.2, 0.1, 0.1, 0.6)),
    ],
)
def test_shares(defaults, given, expected):
    found = shares_of(defaults, given)
    assert [found[role] for role in ROLES] == pytest.approx(expected)


@pytest.mark.parametrize(
    "given",
    [
        {"test": 0.8, "calibration": 0.3},
        {"training": 0.7, "validation": 0.7},
        {"training": 0.1, "calibration": 0.1, "validation": 0.1, "test": 0.1},
    ],
)
def test_shares_that_are_not_all_together(given):
    with pytest.raises(DatasetError, match="not 1 together"):
        shares_of(USER_SHARES, given)


def test_roles_have_their_shares():
    shares = shares_of(BUILT_IN_SHARES, {})
    found = Counter(role_of(content, shares) for content in contents(20_000))
    for role, share in shares.items():
        assert found[role] / 20_000 == pytest.approx(share, abs=0.015)


def test_what_calibrates_a_dataset_of_ours_is_in_no_test_of_a_users():
    for content in contents(2_000):
        roles = {role_of(content, shares_of(one, {})) for one in (BUILT_IN_SHARES, USER_SHARES)}
        assert len(roles) == 1 or roles == {"training", "test"}


def test_each_content_is_in_one_role_once():
    every = entries(100)
    roles, left_out = by_role([*every, *every[:10]], shares_of(USER_SHARES, {}))
    numbers = [number for found in roles.values() for number in found]
    assert sorted(numbers) == list(range(100))
    assert [skipped.why for _, skipped in left_out] == [
        f"the same content as {number}" for number in range(10)
    ]


def test_another_label_of_a_content_is_told():
    one = entries(1)[0]
    other = Entry("again", "again", one.content, "another", 1)
    _, left_out = by_role([one, other], shares_of(USER_SHARES, {}))
    assert left_out[0][1].why == "the same content as 0, with another label"


def test_a_test_split_is_the_test_and_holds_nothing_of_the_training():
    training = entries(200, part="train")
    judged = entries(220, part="test")[150:]
    roles, left_out = by_role([*judged, *training], shares_of(USER_SHARES, {}))
    assert len(roles["test"]) == 20
    assert sum(map(len, roles.values())) == 220
    assert all(map(len, roles.values()))
    assert [role for role, _ in left_out] == ["test"] * 50
    assert "which is for " in left_out[0][1].why


def test_a_limit_takes_from_all_classes_alike():
    every = entries(300, classes=3)
    chosen = sampled(range(300), every, 31, 0)
    counts = Counter(every[number].stratum for number in chosen)
    assert chosen == sorted(chosen)
    assert len(chosen) == 31
    assert max(counts.values()) - min(counts.values()) <= 1


def test_a_limit_keeps_the_shares_of_classes():
    strata = [0] * 900 + [1] * 100
    every = [
        Entry(str(at), str(at), content, "", stratum)
        for at, (content, stratum) in enumerate(zip(contents(1000), strata, strict=True))
    ]
    chosen = sampled(range(1000), every, 100, 0)
    assert Counter(strata[number] for number in chosen) == {0: 90, 1: 10}


def test_a_limit_takes_the_same_whatever_the_order():
    every = entries(50)
    backwards = every[::-1]
    one = {every[number].content for number in sampled(range(50), every, 10, 3)}
    other = {backwards[number].content for number in sampled(range(50), backwards, 10, 3)}
    assert one == other
    assert one != {every[number].content for number in sampled(range(50), every, 10, 4)}
