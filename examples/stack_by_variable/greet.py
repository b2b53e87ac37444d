"""The stack is chosen outside of the code: by penstock.yaml, by `penstock stack set`, or here by
PENSTOCK_STACK, which wins over both.

    $ cd examples/stack_by_variable
    $ python greet.py
    hello from default
    $ PENSTOCK_STACK=careful python greet.py
    hello from careful
"""

from penstock import pipeline, step


@step
def greeting(word: str) -> str:
    return f"{word} from"


@pipeline
def greet(word: str = "hello") -> str:
    return greeting(word)


if __name__ == "__main__":
    run = greet.run()
    print(run.result(), run.stack)
