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
from discriminator import Critic
from drawing import render
from options import add_run
from progress import Progress, cosine, load, load_pools, save, set_rate
from resume import Copies
from threads import CoreSharing
from train_vq import channels_last, psnr, reconstruction_loss
from vision_tokenizer import CONFIG, VisionTokenizer

EDGES = 0.7  # weight of differences between neighboring pixels
SQUARES = 3.0  # weight of squared errors
CROPS, CLIPS = 16, 2  # in a step
PERIOD = 10  # steps, in which the shares of crops and clips are kept
CRITIC_BEGINS = 0.3  # fraction of the steps without the discriminator


def main():
    """Train and write the state."""
    options = parse()
    rng = random.Random(options.seed)
    torch.manual_seed(options.seed)
    if options.device == "cpu":
        fast_group_norm.install()
    pool = Pool(load_pools(options.pool), rng)
    training = Training(options, pool, rng)
    cores = CoreSharing(options.threads)
    progress = Progress(options.steps)
    copies = Copies(options.out, progress, rng, options.save_minutes)
    begun = copies.read()
    if begun:
        training.restore(begun)
    while progress.goes_on():
        if progress.step % 3 == 0:
            cores.adapt()
        rate = training.step(progress)
        if progress.step % 50 == 0 or progress.step < 4:
            progress.report(f"lr={rate:.2e}")
        copies.write_now_and_then(training.everything)
    copies.write(training.everything())
    save(options.out, training.state())
    print("done", progress.step)


def parse():
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_run(parser, "work/vq_final.pt", steps=4000, seed=5)
    add = parser.add_argument
    add("--vq", default="work/vq.pt", help="result of train_vq.py")
    add("--pool", default="work/pool.pt", help="results of make_pool.py with it, with commas")
    add("--lr", type=float, default=7e-4, help="highest learning rate")
    add("--batch", type=int, default=6, help="scenes in a step")
    add("--crops", type=float, default=0.2, help="share of the steps on things anywhere")
    add("--clips", type=float, default=0.4, help="share of the steps on clips")
    add("--sharp", type=float, default=0.0, help="weight of what the discriminator says")
    return parser.parse_args()


class Training:
    """The network, its optimizer and the discriminator."""

    def __init__(self, options, pool, rng):
        self.options, self.pool, self.rng = options, pool, rng
        self.model = VisionTokenizer()
        self.model.load_state_dict(load(options.vq)["model"])
        self.model.train().to(options.device)
        self.model.amp = True
        self.parameters = freeze_all_but_decoder(self.model)
        channels_last(self.model)
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=options.lr, betas=(0.9, 0.97), weight_decay=1e-5
        )
        self.critic = Critic(options.device, options.lr) if options.sharp else None

    def state(self):
        """What is written."""
        return {"model": self.model.state_dict(), "cfg": CONFIG}

    def everything(self):
        """What `restore` goes on from."""
        critic = self.critic.state() if self.critic else None
        return {**self.state(), "optimizer": self.optimizer.state_dict(), "critic": critic}

    def restore(self, state):
        """Go on where a run was."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.critic:
            self.critic.restore(state["critic"])

    def step(self, progress):
        """One step; gives the learning rate."""
        rate = self.options.lr * min(1, (progress.step + 1) / 60) * cosine(progress.fraction)
        set_rate(self.optimizer, rate)
        kind, x, codes = self.batch(progress.step % PERIOD)
        image = kind != "clips"
        y = self.model.decode_latents(self.model.lookup(codes), image)
        loss = reconstruction_loss(y, x, squares=SQUARES, edges=EDGES)
        if self.critic and progress.fraction >= CRITIC_BEGINS:
            decoded, real = (frames if image else frames.flatten(0, 1) for frames in (y, x))
            progress.log("critic", self.critic.learn(real, decoded))
            loss = loss + self.options.sharp * self.critic.blame(decoded)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        progress.step += 1
        progress.log(f"psnr_{kind}", psnr(y, x))
        return rate

    def batch(self, turn):
        """Which kind comes at this place of the period, pixels, and codes [B, t, h, w].

        Crops keep the decoder good at what scenes do not show: things of any kind and size that
        do not lie on the grid of tokens.
        """
        options, device = self.options, self.options.device
        clips, crops = round(PERIOD * options.clips), round(PERIOD * options.crops)
        if turn >= clips + crops:
            x, codes = self.pool.batch(options.batch)
            return "scenes", x.to(device), codes.to(device)
        if turn < clips:
            kind, x = "clips", vision_batches.simple_clips(self.rng, CLIPS)
        else:
            kind, x = "crops", vision_batches.crops(self.rng, CROPS)
        x = x.to(device)
        with torch.no_grad():
            return kind, x, self.model.nearest(self.model.latents(x))


class Pool:
    """Scenes with their codes, drawn by size."""

    def __init__(self, pools, rng):
        self._scenes = [scene for pool in pools for scene in pool["scenes"]]
        self._codes = [codes for pool in pools for codes in pool["codes"]]
        self._rng = rng
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
