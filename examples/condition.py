"""A step that runs only if another one says so, and a step where both ways come together.

A step that is skipped gives None to those that may be given None; others are skipped, too.

    $ python examples/condition.py
    published at 0.95
    ['keep_back']
    kept back at 0.75
    ['publish']
"""

from penstock import Status, pipeline, step


@step
def train(rows: int) -> float:
    return 1 - 1 / rows


@step
def is_good(score: float) -> bool:
    return score > 0.9


@step
def publish(score: float) -> str:
    return f"published at {score:.2f}"


@step
def keep_back(score: float) -> str:
    return f"kept back at {score:.2f}"


@step
def report(ways: list[str | None]) -> str:
    return next(way for way in ways if way is not None)


@pipeline
def publishing(rows: int) -> str:
    score = train(rows)
    good = is_good(score)
    return report([publish.when(good)(score), keep_back.unless(good)(score)])


if __name__ == "__main__":
    for rows in (20, 4):
        run = publishing.run(rows)
        print(run.result())
        print([step.id for step in run if step.status is Status.SKIPPED])
