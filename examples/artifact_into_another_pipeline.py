"""An artifact of one run as the argument of another pipeline.

It is handed over by its digest: nothing is loaded here, or stored a second time. The step that uses
it runs again only if the artifact is another one.

    $ python examples/artifact_into_another_pipeline.py
    {'a': 0.5, 'b': 0.25, 'c': 0.25}
    0.25
"""

from collections import Counter

from penstock import Client, pipeline, step


@step
def learn(text: str) -> dict[str, float]:
    return {letter: count / len(text) for letter, count in Counter(text).items()}


@step
def look_up(model: dict[str, float], letter: str) -> float:
    return model.get(letter, 0.0)


@pipeline
def training(text: str) -> dict[str, float]:
    return learn(text)


@pipeline
def asking(model: dict[str, float], letter: str) -> float:
    return look_up(model, letter)


if __name__ == "__main__":
    training.run("aabc")
    # From here on it could be another process, or another day.
    model = Client().runs(pipeline="training", limit=1)[0]["learn"].output
    print(model.load())
    print(asking.run(model, letter="c").result())
