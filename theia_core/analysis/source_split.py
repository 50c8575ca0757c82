"""Splitting labelled images into training and test images that never share a source."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from theia_core.errors import TheiaError


def check_classes(labels: Sequence[str], sources: Sequence[str]) -> None:
    """Refuse labelled images that cannot be split.

    Args:
        labels: class of each image.
        sources: photograph or scene that each image was cut from.

    Raises:
        TheiaError: if there are fewer than two classes, or a class whose images come from one source.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for label, source in zip(labels, sources, strict=True):
        found[label].add(source)
    if len(found) < 2:
        raise TheiaError(
            f"the labelled images are of {len(found)} class ({', '.join(found) or 'none'}); give a folder "
            "with one subfolder of images per class, two at least"
        )
    if single := sorted(label for label, group in found.items() if len(group) < 2):
        raise TheiaError(
            f"all images of {', '.join(single)} come from one source, so they cannot be split into training "
            "and test images; add images of another source, or remove the class"
        )


def split_by_source(
    labels: Sequence[str], sources: Sequence[str], test_share: float, seed: int
) -> np.ndarray:
    """Which images are test images.

    In each class about `test_share` of the sources are drawn, at least one and never all; a source that is in
    several classes goes to one side with all of them.

    Args:
        labels: class of each image.
        sources: photograph or scene that each image was cut from.
        test_share: share of each class's sources, between 0 and 1.
        seed: of the draw.

    Returns:
        (B,) bool.

    Raises:
        TheiaError: if the images cannot be split (`check_classes`), or sources overlap so that no draw leaves
            every class on both sides.
    """
    if not 0 < test_share < 1:
        raise TheiaError(f"the test share is {test_share}; give a share between 0 and 1, such as 0.3")
    check_classes(labels, sources)
    groups: dict[str, set[str]] = defaultdict(set)
    for label, source in zip(labels, sources, strict=True):
        groups[label].add(source)
    random = np.random.default_rng(seed)
    for _ in range(100):
        test = _draw(groups, test_share, random)
        if all(group & test and group - test for group in groups.values()):
            return np.array([source in test for source in sources])
    raise TheiaError(
        "no split leaves every class among both training and test images, because classes share sources; "
        "add sources to the small classes"
    )


def _draw(groups: dict[str, set[str]], share: float, random: np.random.Generator) -> set[str]:
    """Test sources, class by class, the class of fewest sources first."""
    test: set[str] = set()
    decided: set[str] = set()
    for group in sorted(groups.values(), key=lambda group: (len(group), sorted(group))):
        wanted = min(max(1, round(share * len(group))), len(group) - 1)
        free = random.permutation(sorted(group - decided)).tolist()
        test |= set(free[: max(0, wanted - len(group & test))])
        decided |= group
    return test
