"""Collecting what encoders predict of a teacher, and the truth, over the analysed images."""

from collections.abc import Mapping, Sequence

import numpy as np

from theia_core.analysis.encoder_views import ShownImage
from theia_core.analysis.teacher_views import TRUE, TeacherView, compare
from theia_core.errors import TheiaError
from theia_training.analysis.analysed_images import AnalysedImage
from theia_training.features.statistics import Moments
from theia_training.teachers import Teacher


class PredictionStudy:
    """One teacher and the encoders that predict it.

    Attributes:
        name: the teacher's name.
        labels: of the encoders.
    """

    def __init__(
        self,
        name: str,
        labels: Sequence[str],
        teacher: Teacher | None,
        grid: tuple[int, int],
        moments: Moments | None,
    ) -> None:
        """Prepare a study.

        Args:
            name: the teacher's name.
            labels: of the encoders that predict it.
            teacher: gives true features where an image has none, and decodes; None if the images have them.
            grid: (h, w) of the features.
            moments: mean and deviation of the training set by which the encoders' targets were normalised;
                if None, they are taken from the analysed images.
        """
        self.name, self.labels = name, tuple(labels)
        self._teacher, self._grid, self._moments = teacher, grid, moments
        self._true: list[np.ndarray] = []
        self._predicted: dict[str, list[np.ndarray]] = {label: [] for label in labels}

    def add(self, image: AnalysedImage, predicted: Mapping[str, np.ndarray]) -> None:
        """Take in an image and its predictions, label -> (N, C).

        Raises:
            TheiaError: if a prediction has another shape than the teacher's features.
        """
        true = image.true.get(self.name)
        if true is None:
            assert self._teacher is not None
            spatial = self._teacher.run(image.pixels[None]).spatial[0]
            true = np.ascontiguousarray(spatial.reshape(len(spatial), -1).T)
        self._true.append(true)
        for label, features in predicted.items():
            if features.shape != true.shape:
                raise TheiaError(
                    f"{label} predicts {features.shape} features of {self.name}, which has {true.shape}; it "
                    "was distilled from another version of this teacher"
                )
            self._predicted[label].append(features)

    def view(self, shown: Sequence[ShownImage]) -> TeacherView:
        """Everything that a page shows of this teacher."""
        if self._moments is None:
            moments = Moments.empty(self._true[0].shape[1])
            for features in self._true:
                moments.update(features)
            by = (
                "features are normalised by mean and deviation over the analysed images, since no feature "
                "store with those of the training set was given"
            )
        else:
            moments, by = self._moments, "features are normalised by mean and deviation of the training set"
        mean, std = moments.mean.astype(np.float32), moments.std.astype(np.float32)
        true = (np.stack(self._true) - mean) / std
        predictions = {label: compare(np.stack(parts), true) for label, parts in self._predicted.items()}
        places = [image.place for image in shown]
        maps = {TRUE: true[places] * std + mean}
        maps |= {label: p.features[places] * std + mean for label, p in predictions.items()}
        return TeacherView(self.name, self._grid, by, true, predictions, self._decoded(maps))

    def _decoded(self, maps: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
        """Pictures that the teacher makes of features (S, N, C): title -> label -> pictures."""
        titles: dict[str, dict[str, np.ndarray]] = {}
        if self._teacher is None:
            return titles
        for label, tokens in maps.items():
            features = tokens.transpose(0, 2, 1).reshape(len(tokens), -1, *self._grid)
            for title, pictures in (self._teacher.decode(features) or {}).items():
                titles.setdefault(title, {})[label] = pictures
        return titles
