"""Use both cores when they are free, one when somebody else uses the other (a shared machine)."""

import os
import time

import torch

SECONDS_BETWEEN = 1.5
BUSY_CORES = 0.45  # of others


class CoreSharing:
    """Sets the threads of torch from the load that others make, read from /proc.

    With a fixed number of `threads` it leaves them so, and sums come out the same each time.
    """

    def __init__(self, threads=0):
        self._fixed = bool(threads)
        self._last = None
        torch.set_num_threads(threads or 1)

    def adapt(self):
        """Look again if some time has passed."""
        if self._fixed:
            return
        now = self._read()
        if self._last is None:
            self._last = now
            return
        seconds, busy, own = (new - old for new, old in zip(now, self._last))
        if seconds < SECONDS_BETWEEN:
            return
        self._last = now
        others = (busy - own) / (seconds * os.sysconf("SC_CLK_TCK"))
        threads = 1 if others > BUSY_CORES else 2
        if threads != torch.get_num_threads():
            torch.set_num_threads(threads)
            print(f"  others use {others:.2f} cores -> {threads} threads", flush=True)

    @staticmethod
    def _read():
        """Time in seconds, busy ticks of the machine, busy ticks of this process."""
        with open("/proc/stat") as file:
            ticks = [int(field) for field in file.readline().split()[1:9]]
        with open("/proc/self/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        idle = ticks[3] + ticks[4]
        return time.time(), sum(ticks) - idle, int(fields[11]) + int(fields[12])


def slow_in_bfloat16(device):
    """Whether products in bfloat16 are slower than in float32: on CPUs without instructions."""
    return device == "cpu" and not torch.ops.mkldnn._is_mkldnn_bf16_supported()
