"""UIR from Python: NumPy in, a dict out, computed by the programs (docs/python.md).

evaluate(features, labels)     how well embeddings tell people apart
compare(a, b, labels)          which of two networks is better, and whether that is decided
embed(images, model)           embeddings of aligned faces
run(program, *arguments)       any program, for all else

The programs are those of the wheel, else those on PATH. An error of theirs is an Error, with their message and exit code.
"""
from ._embed import embed
from ._measure import compare, evaluate
from ._programs import Error, run

__all__ = ["Error", "compare", "embed", "evaluate", "run"]
