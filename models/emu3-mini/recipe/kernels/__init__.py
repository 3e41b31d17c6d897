"""CPU kernels that only make training faster; each is compiled on first use, within a minute."""

import fcntl
import functools
import os
from pathlib import Path

from torch.utils.cpp_extension import load

FOLDER = Path(__file__).resolve().parent
FLAGS = ["-Ofast", "-march=native", "-fopenmp", "-mprefer-vector-width=512"]
CACHE = Path(os.environ.get("TORCH_EXTENSIONS_DIR", Path.home() / ".cache" / "torch_extensions"))


@functools.cache
def kernel(name):
    """The functions of `name`.cpp."""
    built = CACHE / "emu3_mini" / name
    built.mkdir(parents=True, exist_ok=True)
    with open(built / "process", "w") as file:
        # Ends with its process, unlike torch's own lock: who is killed while it compiles leaves a
        # file for which the next would wait for ever.
        fcntl.flock(file, fcntl.LOCK_EX)
        (built / "lock").unlink(missing_ok=True)
        source = str(FOLDER / f"{name}.cpp")
        return load(name, [source], extra_cflags=FLAGS, build_directory=str(built))
