"""A format for a type of your own. Without one, penstock pickles what it does not know.

Bytes of a format of yours can be read by anything, and load without a signature: they run no code.

    $ python examples/own_materializer.py
    Grid(width=3, cells=b'#.#.#.')
    grid/1, 8 bytes
"""

from collections.abc import Sequence

from penstock import Buffer, Materializer, materializer, pipeline, step


class Grid:
    def __init__(self, width: int, cells: bytes) -> None:
        self.width = width
        self.cells = cells

    def __repr__(self) -> str:
        return f"Grid(width={self.width}, cells={self.cells!r})"


@materializer(Grid)
class GridFormat(Materializer[Grid]):
    format = "grid/1"
    suffix = ".txt"

    def dump(self, value: Grid) -> Sequence[Buffer]:
        return [f"{value.width}\n".encode(), value.cells]

    def load(self, data: Buffer) -> Grid:
        width, _, cells = bytes(data).partition(b"\n")
        return Grid(int(width), cells)


@step
def chessboard(width: int, height: int) -> Grid:
    return Grid(width, bytes(b"#."[n % 2] for n in range(width * height)))


@pipeline
def drawing(width: int = 3, height: int = 2) -> Grid:
    return chessboard(width, height)


if __name__ == "__main__":
    run = drawing.run()
    print(run.result())
    stored = run["chessboard"].output.artifact
    print(f"{stored.format}, {stored.size} bytes")
