"""Writes files of codes as PyTorch saves them: one with a NumPy array, one with a tensor."""

from pathlib import Path

import numpy as np
import torch

here = Path(__file__).parent
codes = np.array([[7, 300, 0], [32767, 1, 2]], dtype=np.int64)
record = {"name": "größe/1", "texts": "a cat"}
torch.save({"name": record["name"], "images": codes, "texts": record["texts"]}, here / "array.pth")
torch.save(
    {"name": record["name"], "images": torch.from_numpy(codes), "texts": record["texts"]},
    here / "tensor.pth",
)
torch.save(
    {"name": record["name"], "images": torch.from_numpy(codes.T.astype(np.int32)).T, "texts": "turned"},
    here / "transposed.pth",
)
torch.save({"name": "x", "images": codes.astype(np.float32), "texts": ""}, here / "floats.pth")
