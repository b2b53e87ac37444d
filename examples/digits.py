"""Handwritten digits: load, split, train three models side by side, compare, report.

The images are scikit-learn's own 1,797, so nothing is downloaded. Run it twice: the second run
takes every result out of the store, and scikit-learn is not even imported.
"""

import logging
import os
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock import Client, pipeline, step

MODELS = ["logistic regression", "nearest neighbours", "support vectors"]


class Digits(NamedTuple):
    images: NDArray[np.float64]
    """A row for each image: 8 × 8 grey values from 0 to 1."""
    labels: NDArray[np.int64]


class Split(NamedTuple):
    train_images: NDArray[np.float64]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float64]
    test_labels: NDArray[np.int64]


class Report(NamedTuple):
    picture: Path
    metrics: dict[str, Any]


@step
def load() -> Digits:
    from sklearn.datasets import load_digits  # here, because a cached run does not need it

    digits = load_digits()
    return Digits(digits.data / 16, digits.target)


@step
def split(images: NDArray[np.float64], labels: NDArray[np.int64], test_share: float) -> Split:
    order = np.random.default_rng(seed=0).permutation(len(images))
    test, train = np.split(order, [round(test_share * len(images))])
    return Split(images[train], labels[train], images[test], labels[test])


@step
def train(kind: str, images: NDArray[np.float64], labels: NDArray[np.int64]) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    if kind == "logistic regression":
        model = LogisticRegression(C=1.0, max_iter=1000)
    elif kind == "nearest neighbours":
        model = KNeighborsClassifier(n_neighbors=3)
    else:
        model = SVC(C=1.0, gamma=0.25)
    return model.fit(images, labels)


@step
def compare(
    kinds: list[str], models: list[Any], images: NDArray[np.float64], labels: NDArray[np.int64]
) -> dict[str, float]:
    """The share of the test images that each model reads right."""
    right = [model.predict(images) == labels for model in models]
    return {kind: float(each.mean()) for kind, each in zip(kinds, right, strict=True)}


@step
def report(
    accuracy: dict[str, float],
    models: list[Any],
    images: NDArray[np.float64],
    labels: NDArray[np.int64],
) -> Report:
    """The best model's confusion matrix as a picture, and all figures."""
    best, model = max(zip(accuracy, models, strict=True), key=lambda pair: accuracy[pair[0]])
    confusion = np.zeros((10, 10), dtype=int)
    np.add.at(confusion, (labels, model.predict(images)), 1)
    metrics = {
        "best": best,
        "accuracy": accuracy,
        "test_images": len(images),
        "confusion": confusion.tolist(),
    }
    return Report(draw(confusion, f"{best}: {accuracy[best]:.1%} right"), metrics)


def draw(confusion: NDArray[np.int64], title: str) -> Path:
    # Where its cache cannot be written, matplotlib says so at length.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from matplotlib.figure import Figure  # not pyplot, whose state all threads share

    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(confusion, cmap="Blues")
    axes.set(title=title, xlabel="read as", ylabel="is", xticks=range(10), yticks=range(10))
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            colour = "white" if count > confusion.max() / 2 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
    picture = Path(tempfile.mkdtemp(), "confusion.png")
    figure.savefig(picture, dpi=150)
    return picture


@pipeline
def digits(test_share: float = 0.25) -> Report:
    images, labels = load()
    parts = split(images, labels, test_share)
    models = train.map(MODELS, parts.train_images, parts.train_labels)
    accuracy = compare(MODELS, models, parts.test_images, parts.test_labels)
    return report(accuracy, models, parts.test_images, parts.test_labels)


if __name__ == "__main__":
    run = digits.run()
    print()
    for kind, share in run.result().metrics["accuracy"].items():
        print(f"  {kind:22}{share:.1%}")
    program = os.path.join(os.path.dirname(sys.executable), "penstock")
    penstock = shlex.quote(min(program, os.path.relpath(program), key=len))
    print(f"""
Artifacts: {Client().active_stack.artifact_store.path}
To look around, type:
  {penstock} run show last
  {penstock} artifact show last/report/metrics
  {penstock} artifact export last/report/picture confusion.png
""")
