"""One call for each item of a list, and one step that takes all the results.

The calls are independent: the local orchestrator runs them side by side. Each has its own entry in
the cache, so a fourth text costs one call and not four.

    $ python examples/map.py
    ['count.0', 'count.1', 'count.2', 'most']
    the longest has 9 words
"""

from penstock import pipeline, step

TEXTS = [
    "All happy families are alike",
    "Call me Ishmael",
    "It was a dark and stormy night and cold",
]


@step
def count(text: str, apart: str) -> int:
    return len(text.split(apart))


@step
def most(counts: list[int]) -> int:
    return max(counts)


@pipeline
def counting(texts: list[str]) -> int:
    return most(count.map(texts, apart=" "))


if __name__ == "__main__":
    run = counting.run(TEXTS)
    print([step.id for step in run])
    print("the longest has", run.result(), "words")
