"""Kedro: nodes of one pipeline in the sequential runner, every result a pickle in a folder.

Without a Kedro project around them. Nothing is recorded of the run itself.
"""

import sys

from kedro.io import DataCatalog
from kedro.pipeline import node, pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.pickle import PickleDataset


def zero() -> int:
    return 0


def following(number: int) -> int:
    return number + 1


def main(length: int) -> None:
    nodes = [node(zero, None, "number-0", name="step-0")]
    for i in range(1, length):
        nodes.append(node(following, f"number-{i - 1}", f"number-{i}", name=f"step-{i}"))
    files = {f"number-{i}": PickleDataset(filepath=f"data/{i}.pickle") for i in range(length)}
    catalog = DataCatalog(files)
    SequentialRunner().run(pipeline(nodes), catalog)
    assert catalog.load(f"number-{length - 1}") == length - 1


if __name__ == "__main__":
    main(int(sys.argv[1]))
