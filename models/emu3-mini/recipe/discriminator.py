"""A small network that tells real pictures from decoded ones, patch by patch.

The decoder learns to look real to it.  It is not published.
"""

import torch
import torch.nn.functional as F
from torch import nn

CHANNELS = 32
GROUPS = 8


class Discriminator(nn.Module):
    """Pictures [B, 3, H, W] -> how real each patch looks, [B, 1, H/8, W/8]."""

    def __init__(self):
        super().__init__()
        layers, inputs = [], 3
        for outputs in (CHANNELS, 2 * CHANNELS, 4 * CHANNELS):
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
            if inputs != 3:
                layers.insert(-1, nn.GroupNorm(GROUPS, outputs))
            inputs = outputs
        self.layers = nn.Sequential(*layers, nn.Conv2d(inputs, 1, 3, padding=1))

    def forward(self, x):
        """[B, 3, H, W] -> [B, 1, H/8, W/8]."""
        with torch.autocast(x.device.type, torch.bfloat16):
            out = self.layers(x)
        return out.float()


class Critic:
    """The discriminator and its optimizer."""

    def __init__(self, device, rate):
        self.network = Discriminator().to(device)
        self._optimizer = torch.optim.AdamW(self.network.parameters(), lr=rate, betas=(0.5, 0.9))

    def blame(self, decoded):
        """What the decoder is to make small: how false its pictures look."""
        self.network.requires_grad_(False)
        loss = -self.network(decoded).mean()
        self.network.requires_grad_(True)
        return loss

    def learn(self, real, decoded):
        """One step on real and decoded pictures, hinge loss; gives it."""
        truth, guess = self.network(real), self.network(decoded.detach())
        loss = (F.relu(1 - truth) + F.relu(1 + guess)).mean()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        return loss.detach()

    def state(self):
        """What `restore` goes on from."""
        return {"network": self.network.state_dict(), "optimizer": self._optimizer.state_dict()}

    def restore(self, state):
        """Go on where a run was."""
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
