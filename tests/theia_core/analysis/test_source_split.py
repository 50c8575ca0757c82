"""Training and test images never share a source."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theia_core.analysis.source_split import check_classes, split_by_source
from theia_core.errors import TheiaError


def images(**sources_of_class):
    """Labels and sources: two images of each source."""
    labels = [label for label, names in sources_of_class.items() for _ in names for _ in range(2)]
    return labels, [name for names in sources_of_class.values() for name in names for _ in range(2)]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(2, 12), min_size=2, max_size=5),
    st.floats(0.05, 0.95),
    st.integers(0, 5),
    st.booleans(),
)
def test_every_class_is_on_both_sides_and_no_source_is(counts, share, seed, joint):
    classes = {
        f"c{index}": [f"s{n}" if joint else f"c{index}s{n}" for n in range(count)]
        for index, count in enumerate(counts)
    }
    labels, sources = images(**classes)
    test = split_by_source(labels, sources, share, seed)
    held = {source for source, is_test in zip(sources, test, strict=True) if is_test}
    assert held.isdisjoint({source for source, is_test in zip(sources, test, strict=True) if not is_test})
    for label in classes:
        sides = {bool(is_test) for name, is_test in zip(labels, test, strict=True) if name == label}
        assert sides == {True, False}


def test_the_share_of_sources_is_kept_in_each_class():
    labels, sources = images(a=[f"a{n}" for n in range(10)], b=[f"b{n}" for n in range(20)])
    test = split_by_source(labels, sources, 0.3, 0)
    assert [int(test[np.array(labels) == label].sum()) for label in "ab"] == [6, 12]


def test_a_seed_gives_one_split_and_another_seed_another():
    labels, sources = images(a=[f"a{n}" for n in range(10)], b=[f"b{n}" for n in range(10)])
    first, again, other = (split_by_source(labels, sources, 0.3, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_one_class_or_a_class_of_one_source_is_refused_by_name():
    with pytest.raises(TheiaError, match="1 class"):
        check_classes(*images(a=["x", "y"]))
    with pytest.raises(TheiaError, match="all images of lonely come from one source"):
        check_classes(*images(a=["x", "y"], lonely=["z"]))


def test_a_share_that_leaves_a_side_empty_is_refused():
    with pytest.raises(TheiaError, match=r"test share is 1\.0"):
        split_by_source(*images(a=["x", "y"], b=["z", "w"]), 1.0, 0)
