"""CPU kernels that only make training faster; each is compiled on first use, within a minute."""

import functools
from pathlib import Path

from torch.utils.cpp_extension import load

FOLDER = Path(__file__).resolve().parent
FLAGS = ["-Ofast", "-march=native", "-fopenmp", "-mprefer-vector-width=512"]


@functools.cache
def kernel(name):
    """The functions of `name`.cpp."""
    return load(name, [str(FOLDER / f"{name}.cpp")], extra_cflags=FLAGS)
