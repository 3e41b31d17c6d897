"""PSNR and SSIM of scikit-image (0.26.0) for pictures by formula.

    pip install scikit-image==0.26.0
    python tests/golden/fidelity/record.py > tests/golden/fidelity/fidelity.json

The pictures are those of tests/lib/vision/fidelity_test.ts. With these options
`structural_similarity` is Wang et al.'s: an 11 x 11 Gaussian window of sigma
1.5, variances without Bessel's correction; the mean over channels.
"""

import json

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def picture(height, width):
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return (3 * x + 5 * y + 40 * c + (x * y) % 23) % 256


def distorted(levels, strength):
    y, x, c = np.indices(levels.shape)
    noise = (x * x + 7 * y + 3 * c + x * y) % (2 * strength + 1) - strength
    return np.clip(levels + noise, 0, 255)


cases = []
for height, width in [(11, 11), (24, 37), (64, 48)]:
    for strength in [1, 8, 60]:
        a = picture(height, width).astype(np.uint8)
        b = distorted(a.astype(np.int64), strength).astype(np.uint8)
        cases.append({
            "height": height,
            "width": width,
            "strength": strength,
            "psnr": peak_signal_noise_ratio(a, b, data_range=255),
            "ssim": structural_similarity(
                a, b, data_range=255, channel_axis=-1, gaussian_weights=True,
                sigma=1.5, use_sample_covariance=False),
        })
print(json.dumps({"cases": cases}, indent=2))
