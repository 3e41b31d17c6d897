"""Emu3VisionVQ with the original module names, in plain PyTorch.

A picture goes through the exact 2-D reduction of the temporal layers (four equal frames in, frame 0
out); a clip of 4 frames goes through the full causal 3-D convolutions.
"""

import torch
import torch.nn.functional as F
from torch import nn

from vision_layers import (
    LATENT,
    AttentionBlock,
    CausalConv,
    Downsample,
    GroupNorm,
    ResidualBlock,
    SpatialNorm,
    TemporalDownsample,
    TemporalResidualBlock,
    TemporalUpsample,
    Upsample,
)

CONFIG = {
    "codebook_size": 2048,
    "embed_dim": 4,
    "z_channels": 4,
    "double_z": False,
    "in_channels": 3,
    "out_channels": 3,
    "temporal_downsample_factor": 4,
    "ch": 32,
    "ch_mult": [1, 2, 2, 4],
    "num_res_blocks": 2,
    "attn_resolutions": [3],
    "dropout": 0.0,
}


class Middle(nn.Module):
    """Residual block, attention, residual block."""

    def __init__(self, channels, spatial=False):
        super().__init__()
        self.block_1 = ResidualBlock(channels, channels, spatial)
        self.attn_1 = AttentionBlock(channels, spatial)
        self.block_2 = ResidualBlock(channels, channels, spatial)

    def forward(self, x, zq=None):
        """[B, C, h, w] -> [B, C, h, w]."""
        return self.block_2(self.attn_1(self.block_1(x, zq), zq), zq)


class Level(nn.Module):
    """Residual blocks at one resolution, each with attention where the configuration asks."""

    def __init__(self, inputs, outputs, blocks, attention, spatial=False):
        super().__init__()
        self.block = nn.ModuleList()
        self.attn = nn.ModuleList()
        for i in range(blocks):
            self.block.append(ResidualBlock(inputs if i == 0 else outputs, outputs, spatial))
            if attention:
                self.attn.append(AttentionBlock(outputs, spatial))

    def forward(self, x, zq=None):
        """[B, C, H, W] -> [B, C', H', W'], after the change of resolution if the level has one."""
        for i, block in enumerate(self.block):
            x = block(x, zq)
            if len(self.attn):
                x = self.attn[i](x, zq)
        for change in ("downsample", "upsample"):
            if hasattr(self, change):
                x = getattr(self, change)(x)
        return x


class Encoder(nn.Module):
    """Pixels -> latents before quant_conv."""

    def __init__(self, config):
        super().__init__()
        multipliers = config["ch_mult"]
        channels = config["ch"]
        self.conv_in = nn.Conv2d(3, channels, 3, padding=1)
        self.down = nn.ModuleList()
        for i, multiplier in enumerate(multipliers):
            outputs = config["ch"] * multiplier
            attention = i in config["attn_resolutions"]
            level = Level(channels, outputs, config["num_res_blocks"], attention)
            channels = outputs
            if i != len(multipliers) - 1:
                level.downsample = Downsample(channels)
            self.down.append(level)
        self.mid = Middle(channels)
        self.norm_out = GroupNorm(channels)
        self.conv_out = nn.Conv2d(channels, LATENT, 3, padding=1)
        self.time_conv = nn.ModuleList([TemporalDownsample(), TemporalDownsample()])
        self.time_res_stack = nn.ModuleList([TemporalResidualBlock(), TemporalResidualBlock()])

    def space(self, x):
        """Each frame alone, [B, 3, H, W] -> [B, 4, h, w]."""
        x = self.conv_in(x)
        for level in self.down:
            x = level(x)
        return self.conv_out(F.silu(self.norm_out(self.mid(x))))

    def time(self, x):
        """[B, 4, 4t, h, w] -> [B, 4, t, h, w]; one frame stands for four equal ones."""
        if x.shape[2] == 1:
            x = self._four_equal_frames(x)
        else:
            for layer in self.time_conv:
                x = F.silu(layer(x))
        for block in self.time_res_stack:
            x = block(x)
        return x

    def _four_equal_frames(self, x):
        """Both temporal convolutions on four equal frames, of which frame 0 is kept."""
        first, second = self.time_conv[0].conv, self.time_conv[1].conv
        early = F.silu(first.slices(x, 2, 3))
        late = F.silu(first.slices(x, 0, 1, 2, 3))
        both = torch.cat([early[:, :, 0], late[:, :, 0]], 1)
        weight = second.conv.weight
        weight = torch.cat([weight[:, :, 2], weight[:, :, 3]], 1)
        return F.silu(F.conv2d(both, weight, second.conv.bias, padding=1)).unsqueeze(2)


class PixelDecoder(nn.Module):
    """Latents after post_quant_conv -> pixels, led by the quantized latents."""

    def __init__(self, config):
        super().__init__()
        multipliers = config["ch_mult"]
        channels = config["ch"] * multipliers[-1]
        self.time_res_stack = nn.ModuleList([TemporalResidualBlock(), TemporalResidualBlock()])
        self.time_conv = nn.ModuleList([TemporalUpsample(), TemporalUpsample()])
        self.conv_in = nn.Conv2d(LATENT, channels, 3, padding=1)
        self.mid = Middle(channels, spatial=True)
        levels = []
        for i in reversed(range(len(multipliers))):
            outputs = config["ch"] * multipliers[i]
            attention = i in config["attn_resolutions"]
            level = Level(channels, outputs, config["num_res_blocks"] + 1, attention, spatial=True)
            channels = outputs
            if i != 0:
                level.upsample = Upsample(channels)
            levels.insert(0, level)
        self.up = nn.ModuleList(levels)
        self.norm_out = SpatialNorm(channels)
        self.conv_out = nn.Conv2d(channels, 3, 3, padding=1)

    def time(self, z, zq, image):
        """[B, 4, t, h, w] twice -> [B, 4, T, h, w] twice; T is 1 for an image, else 4t."""
        x = torch.cat([z, zq], 0)
        for block in self.time_res_stack:
            x = block(x)
        for layer in self.time_conv:
            # Frame 0 needs only the last slice of the kernel.
            x = F.silu(layer.conv.slices(x, 2) if image else layer(x))
        return x[: len(z)], x[len(z) :]

    def space(self, x, zq):
        """Each frame alone, [B, 4, h, w] twice -> [B, 3, H, W]."""
        x = self.mid(self.conv_in(x), zq)
        for level in reversed(self.up):
            x = level(x, zq)
        return self.conv_out(F.silu(self.norm_out(x, zq)))


class VisionTokenizer(nn.Module):
    """Pixels <-> codes.  Pixels are -1...1; `amp` runs the 2-D parts in bfloat16."""

    def __init__(self, config=CONFIG):
        super().__init__()
        self.config = config
        self.amp = False
        self.encoder = Encoder(config)
        self.decoder = PixelDecoder(config)
        self.quantize = nn.Module()
        self.quantize.embedding = nn.Embedding(config["codebook_size"], config["embed_dim"])
        self.quant_conv = CausalConv(LATENT, LATENT, (3, 1, 1))
        self.post_quant_conv = CausalConv(LATENT, LATENT, (3, 1, 1))

    def encode(self, x):
        """Image [B, 3, H, W] -> codes [B, h, w]; clip [B, T, 3, H, W] -> codes [B, T/4, h, w]."""
        codes = self.nearest(self.latents(x))
        return codes[:, 0] if x.dim() == 4 else codes

    def decode(self, codes):
        """Codes [B, h, w] -> image [B, 3, H, W]; codes [B, t, h, w] -> clip [B, 4t, 3, H, W]."""
        image = codes.dim() == 3
        return self.decode_latents(self.lookup(codes.unsqueeze(1) if image else codes), image)

    def latents(self, x):
        """Image [B, 3, H, W] or clip [B, T, 3, H, W] -> latents [B, 4, t, h, w]."""
        clip = x.dim() == 5
        frames = x.flatten(0, 1) if clip else x
        frames = frames.contiguous(memory_format=torch.channels_last)
        with self._precision(x):
            z = self.encoder.space(frames)
        z = z.float().contiguous()
        z = z.unflatten(0, x.shape[:2]).transpose(1, 2) if clip else z.unsqueeze(2)
        z = self.encoder.time(z)
        return self.quant_conv.slices(z, 2) if z.shape[2] == 1 else self.quant_conv(z)

    def nearest(self, z):
        """Nearest codebook row, the lowest on ties, [B, 4, t, h, w] -> [B, t, h, w]."""
        z = z.movedim(1, -1)
        flat, rows = z.reshape(-1, z.shape[-1]), self.quantize.embedding.weight
        distances = (flat * flat).sum(1, keepdim=True) + (rows * rows).sum(1)
        distances = distances - 2 * flat @ rows.t()
        return distances.argmin(1).view(z.shape[:-1])

    def lookup(self, codes):
        """Codebook rows, [B, t, h, w] -> [B, 4, t, h, w]."""
        return self.quantize.embedding(codes).movedim(-1, 1)

    def decode_latents(self, zq, image):
        """[B, 4, t, h, w] -> image [B, 3, H, W] (t = 1) or clip [B, 4t, 3, H, W]."""
        one = zq.shape[2] == 1
        z = self.post_quant_conv.slices(zq, 2) if one else self.post_quant_conv(zq)
        z, zq = self.decoder.time(z, zq, image)
        with self._precision(zq):
            out = self.decoder.space(_frames(z), _frames(zq))
        out = out.float()
        return out if image else out.unflatten(0, (-1, z.shape[2]))

    def _precision(self, x):
        return torch.autocast(x.device.type, torch.bfloat16, enabled=self.amp)


def _frames(z):
    """[B, 4, T, h, w] -> [B*T, 4, h, w]."""
    frames = z.transpose(1, 2).flatten(0, 1)
    return frames.contiguous(memory_format=torch.channels_last)
