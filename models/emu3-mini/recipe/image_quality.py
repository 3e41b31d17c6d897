"""How near a decoded picture is to the original, uint8 [H, W, 3] or frames of it."""

import math

import numpy as np
import torch
import torch.nn.functional as F

WINDOW, SIGMA = 11, 1.5  # of SSIM, in pixels
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr(one, other):
    """Peak signal-to-noise ratio in dB."""
    error = ((one.astype(np.float64) - other) ** 2).mean()
    return 10 * math.log10(255**2 / max(1e-9, error))


def ssim(one, other):
    """Structural similarity, mean over pixels and channels (Wang et al. 2004)."""
    x, y = (
        torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[:, None]
        for image in (one, other)
    )
    mean_x, mean_y = _blurred(x), _blurred(y)
    variance_x = _blurred(x * x) - mean_x * mean_x
    variance_y = _blurred(y * y) - mean_y * mean_y
    covariance = _blurred(x * y) - mean_x * mean_y
    similarity = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    limit = (mean_x * mean_x + mean_y * mean_y + C1) * (variance_x + variance_y + C2)
    return float((similarity / limit).mean())


def _blurred(x):
    """Gaussian mean without borders, [B, 1, H, W]."""
    offsets = torch.arange(float(WINDOW)) - WINDOW // 2
    row = torch.exp(-(offsets**2) / (2 * SIGMA**2))
    row = row / row.sum()
    return F.conv2d(x, (row[:, None] * row[None])[None, None])
