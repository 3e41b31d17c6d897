"""How far a training run is, how long it will take, and running averages."""

import math
import os
import time

import torch


class Progress:
    """A run of so many steps.  Only what is printed and when copies are written knows the clock."""

    def __init__(self, steps, keep=0.97):
        self.step = 0
        self._steps = steps
        self._keep = keep
        self._averages = {}
        self._first = 0
        self._start = time.time()
        self._marks = {}

    def go_on_from(self, step):
        """The run has done so many steps before."""
        self.step = self._first = step

    @property
    def fraction(self):
        """How much of the run is done, 0...1."""
        return self.step / self._steps

    def goes_on(self):
        """Whether there is a step to do."""
        return self.step < self._steps

    def seconds(self):
        """Seconds since the start."""
        return time.time() - self._start

    def seconds_since(self, name):
        """Seconds since `mark` of this name, or since the start."""
        return time.time() - self._marks.get(name, self._start)

    def mark(self, name):
        """Something has been done."""
        self._marks[name] = time.time()

    def log(self, name, value):
        """Add to the running average of `name`."""
        old = self._averages.get(name, float(value))
        self._averages[name] = self._keep * old + (1 - self._keep) * float(value)

    def report(self, *details):
        """Print how far the run is, how long it will take, and the averages."""
        averages = [f"{name}={value:.4g}" for name, value in self._averages.items()]
        pace = self.seconds() / max(1, self.step - self._first)
        left = pace * (self._steps - self.step) / 60
        start = f"{self.step}/{self._steps} {pace:.2f} s/step {left:.0f} min left"
        print(start, *details, *averages, flush=True)


def save(path, state):
    """Write a training state, making its folder; what was there stays until it is complete."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    torch.save(state, f"{path}.new")
    os.replace(f"{path}.new", path)


def load(path, weights_only=True):
    """Read a training state onto the CPU; a pool holds more than weights."""
    return torch.load(path, map_location="cpu", weights_only=weights_only)


def load_pools(paths):
    """What make_pool.py wrote into these files, with commas between."""
    return [load(path, weights_only=False) for path in paths.split(",")]


def cosine(fraction):
    """Half a wave from 1 at the start of a run to 0.02 at its end."""
    return 0.02 + 0.49 * (1 + math.cos(math.pi * fraction))


def set_rate(optimizer, rate):
    """Set the learning rate of all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate
