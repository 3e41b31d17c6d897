"""Muon: momentum made orthogonal by Newton-Schulz iterations, for the matrices of the layers."""

import torch

from threads import slow_in_bfloat16

MOMENTUM = 0.95
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration by Keller Jordan
ROUNDS = 5


class Muon:
    """Steps matrices; those of one shape are stacked and done together."""

    def __init__(self, parameters, weight_decay):
        self._weight_decay = weight_decay
        self._by_shape = {}
        for parameter in parameters:
            self._by_shape.setdefault(tuple(parameter.shape), []).append(parameter)
        self._momentum = {
            shape: torch.zeros_like(torch.stack(group)).detach()
            for shape, group in self._by_shape.items()
        }

    def state(self):
        """What `restore` goes on from."""
        return self._momentum

    def restore(self, state):
        """Go on where a run was."""
        for shape, momentum in self._momentum.items():
            momentum.copy_(state[shape])

    @torch.no_grad()
    def step(self, rate):
        """Apply the gradients."""
        for shape, group in self._by_shape.items():
            gradients = torch.stack([parameter.grad for parameter in group])
            momentum = self._momentum[shape]
            momentum.lerp_(gradients, 1 - MOMENTUM)
            updates = orthogonal(gradients.lerp(momentum, MOMENTUM))
            scale = rate * max(1, shape[0] / shape[1]) ** 0.5
            for parameter, update in zip(group, updates):
                parameter.mul_(1 - rate * self._weight_decay)
                parameter.add_(update.float(), alpha=-scale)


def orthogonal(matrices):
    """The nearest orthogonal matrices, roughly, [B, M, N]; in bfloat16 where that is fast."""
    x = matrices if slow_in_bfloat16(matrices.device.type) else matrices.bfloat16()
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.transpose(1, 2)
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(ROUNDS):
        square = x @ x.transpose(1, 2)
        x = a * x + (b * square + c * square @ square) @ x
    return x.transpose(1, 2) if tall else x
