import ast
import gc
import sys
import threading

import pytest

from penstock.runtime.fingerprints import syntax

DEEP = "\n".join(
    f"def f{n}(a, b=[1, (2, {{3: [4 + {n}]}})]): return a + (b * (a - (b + 1)))" for n in range(300)
)


def listen(phase: str, info: dict[str, int]) -> None:
    for _ in range(50):
        pass


def test_threads_that_read_source_at_the_same_time_all_get_trees() -> None:
    # As in a process with a collector that somebody listens to: then another thread has its turn in
    # the midst of a tree.
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    wrong: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(12):
                assert len(syntax.module(DEEP, "deep.py").body) == 300
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    sys.setswitchinterval(1e-6)
    gc.set_threshold(50)
    gc.callbacks.append(listen)
    try:
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    finally:
        gc.callbacks.remove(listen)
        gc.set_threshold(*threshold)
        sys.setswitchinterval(interval)

    assert wrong == []


def test_an_expression_is_its_tree() -> None:
    assert ast.unparse(syntax.expression("list[int] | None")) == "list[int] | None"
    with pytest.raises(SyntaxError):
        syntax.expression("a b")
