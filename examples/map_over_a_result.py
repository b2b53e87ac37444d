"""One call for each item of a list that another step makes: nobody knows before how many it has.

Each call has its own entry in the cache. Run it again with one more word at the end of the text:
only the call for the last line runs.

    $ python examples/map_over_a_result.py
    ['lines', 'count', 'count.0', 'count.1', 'count.2', 'longest']
    the longest line has 9 words
"""

from penstock import pipeline, step

TEXT = """All happy families are alike
Call me Ishmael
It was a dark and stormy night and cold"""


@step
def lines(text: str) -> list[str]:
    return text.splitlines()


@step
def count(line: str) -> int:
    return len(line.split())


@step
def longest(counts: list[int]) -> int:
    return max(counts)


@pipeline
def counting(text: str) -> int:
    return longest(count.map(lines(text)))


if __name__ == "__main__":
    run = counting.run(TEXT)
    print([step.id for step in run])
    print("the longest line has", run.result(), "words")
