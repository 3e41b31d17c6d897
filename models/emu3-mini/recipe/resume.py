"""What a run needs beside its networks to go on as if it had never stopped."""

from pathlib import Path

import torch

from progress import load, save


class Copies:
    """The copy of a run, at FILE.run beside its result FILE."""

    def __init__(self, out, progress, rng, minutes):
        self._path = Path(f"{out}.run")
        self._progress, self._rng, self._every = progress, rng, minutes * 60

    def read(self):
        """The state of a run that was begun, or None; sets the step and the random numbers."""
        if not self._path.exists():
            return None
        # Written by `write` on this machine, so unpickling is safe.
        state = load(self._path, weights_only=False)
        self._progress.go_on_from(state["step"])
        self._rng.setstate(state["random"])
        torch.set_rng_state(state["torch"])
        if torch.cuda.is_available() and state["cuda"]:
            torch.cuda.set_rng_state_all(state["cuda"])
        print(f"going on from step {state['step']}", flush=True)
        return state

    def write_now_and_then(self, make_state):
        """Write a copy if it is time."""
        if self._progress.seconds_since("copy") > self._every:
            self.write(make_state())

    def write(self, state):
        """Write a copy of a state, with the step and the random numbers."""
        self._progress.mark("copy")
        more = {
            "step": self._progress.step,
            "random": self._rng.getstate(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        save(self._path, {**state, **more})
