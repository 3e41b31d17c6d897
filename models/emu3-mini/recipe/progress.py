"""How far a training run is, by the wall clock, with running averages and rescue copies."""

import math
import os
import time

import torch


class Progress:
    """A run of so many minutes, or of so many steps if those come first (0: no limit)."""

    def __init__(self, minutes, steps=0, keep=0.97, save_every=180):
        self.step = 0
        self.fraction = 0.0
        self._seconds = minutes * 60
        self._steps = steps
        self._keep = keep
        self._save_every = save_every
        self._averages = {}
        self._start = self._saved = time.time()

    def goes_on(self):
        """Whether there is time for a step; sets `fraction`, 0...1."""
        self.fraction = self.seconds() / self._seconds
        return self.fraction < 1 and not (self._steps and self.step >= self._steps)

    def seconds(self):
        """Seconds since the start."""
        return time.time() - self._start

    def log(self, name, value):
        """Add to the running average of `name`."""
        old = self._averages.get(name, float(value))
        self._averages[name] = self._keep * old + (1 - self._keep) * float(value)

    def report(self, *details):
        """Print the averages."""
        averages = [f"{name}={value:.4g}" for name, value in self._averages.items()]
        start = f"{self.step} f={self.fraction:.3f} t={self.seconds():.0f}"
        print(start, *details, *averages, flush=True)

    def save_now_and_then(self, path, state):
        """Write a copy beside `path` every few minutes, for a run that is cut short."""
        if time.time() - self._saved > self._save_every:
            self._saved = time.time()
            save(f"{path}.tmp", state)


def save(path, state):
    """Write a training state, making its folder."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    torch.save(state, path)


def cosine(fraction):
    """Half a wave from 1 at the start of a run to 0.02 at its end."""
    return 0.02 + 0.49 * (1 + math.cos(math.pi * fraction))


def set_rate(optimizer, rate):
    """Set the learning rate of all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate
