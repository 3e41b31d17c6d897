"""Building blocks of the vision tokenizer with the original module names, in plain PyTorch.

Shapes: B pictures, C channels, T frames, H x W pixels, h x w codes.
"""

import torch.nn.functional as F
from torch import nn

GROUPS = 32
LATENT = 4  # channels of a latent
EPS = 1e-6


class SpatialNorm(nn.Module):
    """GroupNorm, scaled and shifted by the quantized latents at each place."""

    def __init__(self, channels):
        super().__init__()
        self.norm_layer = nn.GroupNorm(GROUPS, channels, eps=EPS)
        self.conv_y = nn.Conv2d(LATENT, channels, 1)
        self.conv_b = nn.Conv2d(LATENT, channels, 1)

    def forward(self, x, zq, silu=False):
        """[B, C, H, W] and [B, 4, h, w] -> [B, C, H, W]."""
        # A 1x1 convolution commutes with nearest resizing; before it is cheaper.
        scale, shift = self.conv_y(zq), self.conv_b(zq)
        size = x.shape[-2:]
        if size != scale.shape[-2:]:
            scale = F.interpolate(scale, size=size, mode="nearest")
            shift = F.interpolate(shift, size=size, mode="nearest")
        out = self.norm_layer(x) * scale + shift
        return F.silu(out) if silu else out


class GroupNorm(nn.GroupNorm):
    """GroupNorm with the interface of SpatialNorm."""

    def __init__(self, channels):
        super().__init__(GROUPS, channels, eps=EPS)

    def forward(self, x, zq=None, silu=False):
        """[B, C, H, W] -> [B, C, H, W]."""
        out = super().forward(x)
        return F.silu(out) if silu else out


def norm(channels, spatial):
    """The norm of the decoder (`spatial`) or of the encoder."""
    return SpatialNorm(channels) if spatial else GroupNorm(channels)


class ResidualBlock(nn.Module):
    """Two normalized convolutions beside a shortcut."""

    def __init__(self, inputs, outputs, spatial=False):
        super().__init__()
        self.norm1 = norm(inputs, spatial)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2 = norm(outputs, spatial)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        if inputs != outputs:
            self.nin_shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x, zq=None):
        """[B, C, H, W] -> [B, C', H, W]."""
        out = self.conv1(self.norm1(x, zq, silu=True))
        out = self.conv2(self.norm2(out, zq, silu=True))
        return (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x) + out


class AttentionBlock(nn.Module):
    """Self-attention of one head over all places."""

    def __init__(self, channels, spatial=False):
        super().__init__()
        self.norm = norm(channels, spatial)
        self.q = nn.Conv2d(channels, channels, 1)
        self.k = nn.Conv2d(channels, channels, 1)
        self.v = nn.Conv2d(channels, channels, 1)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x, zq=None):
        """[B, C, H, W] -> [B, C, H, W]."""
        normed = self.norm(x, zq)
        q, k, v = (  # [B, 1, H*W, C]
            layer(normed).flatten(2).transpose(1, 2).unsqueeze(1)
            for layer in (self.q, self.k, self.v)
        )
        out = F.scaled_dot_product_attention(q, k, v).squeeze(1)
        return x + self.proj_out(out.transpose(1, 2).reshape(normed.shape))


class Downsample(nn.Module):
    """Half the height and width."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x):
        """[B, C, H, W] -> [B, C, H/2, W/2]."""
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    """Twice the height and width."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        """[B, C, H, W] -> [B, C, 2H, 2W]."""
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class CausalConv(nn.Module):
    """3-D convolution: two zero frames before, "same" in space."""

    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, kernel, stride=stride)
        self._pad = kernel[1] // 2

    def forward(self, x):
        """[B, C, T, H, W] -> [B, C', T', H, W]."""
        pad = self._pad
        return self.conv(F.pad(x, (pad, pad, pad, pad, 2, 0)))

    def slices(self, x, *times):
        """What one frame gives where it stands at these times of the kernel and zeros elsewhere.

        [B, C, 1, H, W] -> [B, C', 1, H, W].
        """
        weight = self.conv.weight[:, :, times[0]]
        for time in times[1:]:
            weight = weight + self.conv.weight[:, :, time]
        return F.conv2d(x[:, :, 0], weight, self.conv.bias, padding=self._pad).unsqueeze(2)


class TemporalResidualBlock(nn.Module):
    """Residual block over latents of several frames."""

    def __init__(self, channels=LATENT):
        super().__init__()
        self.norm1 = nn.BatchNorm3d(channels)
        self.conv1 = CausalConv(channels, channels, (3, 3, 3))
        self.norm2 = nn.BatchNorm3d(channels)
        self.conv2 = CausalConv(channels, channels, (3, 3, 3))

    def forward(self, x):
        """[B, 4, T, h, w] -> [B, 4, T, h, w]."""
        return x + self._conv(self.conv2, self.norm2, self._conv(self.conv1, self.norm1, x))

    @staticmethod
    def _conv(conv, norm_layer, x):
        x = F.silu(norm_layer(x))
        # With one frame only the last slice of the kernel meets no zeros.
        return conv.slices(x, 2) if x.shape[2] == 1 else conv(x)


class TemporalDownsample(nn.Module):
    """Half the frames."""

    def __init__(self):
        super().__init__()
        self.conv = CausalConv(LATENT, LATENT, (4, 3, 3), (2, 1, 1))

    def forward(self, x):
        """[B, 4, T, h, w] -> [B, 4, T/2, h, w]."""
        return self.conv(x)


class TemporalUpsample(nn.Module):
    """Twice the frames."""

    def __init__(self):
        super().__init__()
        self.conv = CausalConv(LATENT, LATENT, (3, 3, 3))

    def forward(self, x):
        """[B, 4, T, h, w] -> [B, 4, 2T, h, w]."""
        return self.conv(x.repeat_interleave(2, 2))
