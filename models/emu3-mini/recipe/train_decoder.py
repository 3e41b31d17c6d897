"""Sharpen the pixel decoder with the encoder and the codebook frozen.

Codes stay what they are, and so the language model stays valid.
"""

import argparse
import random

import numpy as np
import torch

import fast_group_norm
import vision_batches
from checkpoint import to_input
from drawing import render
from progress import Progress, cosine, save, set_rate
from threads import CoreSharing
from train_vq import channels_last, psnr, reconstruction_loss
from vision_tokenizer import CONFIG, VisionTokenizer

EDGES = 0.7  # weight of differences between neighboring pixels
SQUARES = 3.0  # weight of squared errors
CLIP_EVERY = 5  # steps


def main():
    """Train and write the state."""
    options = parse()
    rng = random.Random(options.seed)
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    fast_group_norm.install()
    pool = Pool(torch.load(options.pool, weights_only=False), rng)
    model = VisionTokenizer()
    model.load_state_dict(torch.load(options.vq)["model"])
    model.train()
    model.amp = True
    parameters = freeze_all_but_decoder(model)
    channels_last(model)
    optimizer = torch.optim.AdamW(parameters, lr=options.lr, betas=(0.9, 0.97), weight_decay=1e-5)
    state = {"model": model.state_dict(), "cfg": CONFIG}
    cores = CoreSharing()
    progress = Progress(options.minutes, options.steps, save_every=120)
    while progress.goes_on():
        if progress.step % 3 == 0:
            cores.adapt()
        rate = options.lr * min(1, (progress.step + 1) / 60) * cosine(progress.fraction)
        set_rate(optimizer, rate)
        image = progress.step % CLIP_EVERY != 0
        if image:
            x, codes = pool.batch(options.batch)
        else:
            x = vision_batches.simple_clips(rng, 2)
            with torch.no_grad():
                codes = model.nearest(model.latents(x))
        y = model.decode_latents(model.lookup(codes), image)
        loss = reconstruction_loss(y, x, squares=SQUARES, edges=EDGES)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        progress.step += 1
        progress.log("psnr" if image else "psnr_clip", psnr(y, x))
        if progress.step % 50 == 0 or progress.step < 4:
            progress.report(f"lr={rate:.2e}")
        progress.save_now_and_then(options.out, state)
    save(options.out, state)
    print("done", progress.step)


def parse():
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--vq", default="work/vq.pt", help="result of train_vq.py")
    add("--pool", default="work/pool.pt", help="result of make_pool.py with it")
    add("--out", default="work/vq_final.pt", help="file for the result")
    add("--minutes", type=float, default=10, help="time to train")
    add("--steps", type=int, default=0, help="stop after so many steps (0: by time alone)")
    add("--seed", type=int, default=5)
    add("--lr", type=float, default=7e-4, help="highest learning rate")
    add("--batch", type=int, default=6, help="pictures in a step")
    return parser.parse_args()


class Pool:
    """Scenes with their codes, drawn by size."""

    def __init__(self, pool, rng):
        self._scenes, self._codes, self._rng = pool["scenes"], pool["codes"], rng
        self._by_size = {}
        for i, scene in enumerate(self._scenes):
            self._by_size.setdefault((scene["h"], scene["w"]), []).append(i)

    def batch(self, count):
        """Pictures [B, 3, H, W] of one size and their codes [B, 1, h, w]."""
        sizes = list(self._by_size)
        shares = [len(self._by_size[size]) for size in sizes]
        numbers = self._by_size[self._rng.choices(sizes, shares)[0]]
        chosen = [self._rng.choice(numbers) for _ in range(count)]
        pictures = np.stack([render(self._scenes[i]) for i in chosen])
        codes = np.stack([self._codes[i] for i in chosen]).astype(np.int64)
        return to_input(pictures), torch.from_numpy(codes)[:, None]


def freeze_all_but_decoder(model):
    """The parameters that train."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    model.encoder.eval()
    parameters = [*model.decoder.parameters(), *model.post_quant_conv.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(True)
    return parameters


if __name__ == "__main__":
    main()
