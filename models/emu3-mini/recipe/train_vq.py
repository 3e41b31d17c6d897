"""Train the vision tokenizer.

Schedule, by fractions of the steps: plain autoencoder on crops, k-means codebook, then
quantized (moving-average codebook, dead codes restarted) on crops, then whole scenes and clips with
a consistency term that makes an object's latents independent of its neighbors and its place.
"""

import argparse
import random

import torch

import fast_group_norm
import vision_batches
import vision_layers
from codebook import Codebook
from options import add_run
from progress import Progress, cosine, load, save, set_rate
from resume import Copies
from threads import CoreSharing
from vision_tokenizer import CONFIG, VisionTokenizer

NOISE = 0.05  # of the autoencoder, in standard deviations of the latents
KEPT_BATCHES = 40  # for k-means
COMMIT = 0.25  # weight of the commitment
LAST_RESTART = 0.8  # fraction of the time after which dead codes stay
EDGES = 0.5  # weight of differences between neighboring pixels
SQUARES = 2.0  # weight of squared errors


def main():
    """Train and write the state."""
    options = parse()
    rng = random.Random(options.seed)
    torch.manual_seed(options.seed)
    if options.device == "cpu":
        fast_group_norm.install()
    training = Training(options, rng)
    cores = CoreSharing(options.threads)
    progress = Progress(options.steps, keep=0.95)
    copies = Copies(options.out, progress, rng, options.save_minutes)
    begun = copies.read()
    if begun:
        training.restore(begun)
    while progress.goes_on():
        if progress.step % 3 == 0:
            cores.adapt()
        rate = training.step(progress)
        if progress.step % 50 == 0 or progress.step < 4:
            details = f"lr={rate:.2e}", f"var={training.variance:.4f}"
            progress.report(*details, f"live={training.codebook.live()}")
        copies.write_now_and_then(training.everything)
    copies.write(training.everything())
    save(options.out, training.state())
    print("done", progress.step)


def parse():
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_run(parser, "work/vq.pt", steps=3000, seed=1)
    add = parser.add_argument
    add("--init", default="", help="result to start from; it is quantized from the start")
    add("--lr", type=float, default=1.5e-3, help="highest learning rate")
    add("--batch", type=int, default=16, help="crops in a step")
    add("--ae", type=float, default=0.12, help="fraction of the steps as a plain autoencoder")
    add("--full", type=float, default=0.55, help="fraction of the steps on crops")
    add("--cons", type=float, default=0.3, help="weight of the consistency term")
    add("--cycle", type=float, default=0.0, help="weight of the re-encoding term")
    return parser.parse_args()


class Training:
    """The network, its codebook and the optimizer."""

    def __init__(self, options, rng):
        self.options = options
        self.rng = rng
        self.model = VisionTokenizer().train()
        self.model.amp = True
        initialize(self.model)
        if options.init:
            self.model.load_state_dict(load(options.init)["model"])
        self.model.to(options.device)
        channels_last(self.model)
        rows = self.model.quantize.embedding.weight
        rows.requires_grad_(False)
        self.codebook = Codebook(rows)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=options.lr, betas=(0.9, 0.97), weight_decay=1e-4
        )
        self.quantized = bool(options.init)
        self.kept = []  # latents for k-means
        self.variance = None  # running variance of the latents

    def state(self):
        """What is written."""
        return {"model": self.model.state_dict(), "cfg": CONFIG}

    def everything(self):
        """What `restore` goes on from."""
        return {
            **self.state(),
            "optimizer": self.optimizer.state_dict(),
            "codebook": self.codebook.state(),
            "quantized": self.quantized,
            "kept": self.kept,
            "variance": self.variance,
        }

    def restore(self, state):
        """Go on where a run was."""
        device = self.options.device
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.codebook.restore(state["codebook"])
        self.quantized = state["quantized"]
        self.kept = [latents.to(device) for latents in state["kept"]]
        self.variance = None if state["variance"] is None else state["variance"].to(device)

    def step(self, progress):
        """One step; gives the learning rate."""
        options, fraction = self.options, progress.fraction
        rate = options.lr * min(1, (progress.step + 1) / 100) * cosine(fraction)
        set_rate(self.optimizer, rate)
        x, boxes = self.batch(progress)
        x = x.to(options.device)
        image = x.dim() == 4
        z = self.model.latents(x)
        flat = z.movedim(1, -1).reshape(-1, 4)
        variance = flat.detach().var(0).mean()
        if self.variance is None:
            self.variance = variance
        else:
            self.variance = 0.98 * self.variance + 0.02 * variance
        if self.quantized:
            codes, rows, decoded, loss = self.quantize(z, flat, boxes, progress)
        else:
            loss = 1e-3 * (flat * flat).mean()
            decoded = z + NOISE * self.variance.sqrt() * torch.randn_like(z)
            self.collect(flat, progress)
        y = self.model.decode_latents(decoded, image)
        loss = loss + reconstruction_loss(y, x)
        if options.cycle and boxes and progress.step % 2:
            loss = loss + options.cycle * self.cycle(y, codes, rows, progress)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        still = boxes or (fraction < options.full and image)
        progress.log("psnr" if still else "psnr_clip", psnr(y, x))
        progress.log("gn", norm)
        progress.step += 1
        return rate

    def batch(self, progress):
        """Pictures or clips, and boxes of shared objects where there are any."""
        options, fraction, step = self.options, progress.fraction, progress.step
        if fraction >= options.full:
            if step % 4 == 0:
                return vision_batches.clips(self.rng, 2), []
            return vision_batches.pairs(self.rng, 3)
        # Drawn in each step, so that the stream does not depend on where clips begin.
        crops = vision_batches.crops(self.rng, options.batch)
        if fraction > options.ae * 0.5 and step % 8 == 0:
            return vision_batches.clips(self.rng, 2, 8, 8), []
        return crops, []

    def collect(self, flat, progress):
        """Keep latents [N, 4] and make the codebook of them when the time has come."""
        self.kept = [*self.kept, flat.detach()][-KEPT_BATCHES:]
        if progress.fraction > self.options.ae:
            self.codebook.kmeans(torch.cat(self.kept))
            self.quantized = True
            self.kept = []
            print(f"k-means at step {progress.step}", flush=True)

    def quantize(self, z, flat, boxes, progress):
        """Codes, their rows, those with the gradient of z, and the loss of both terms on z."""
        codes = self.model.nearest(z.detach())
        rows = self.model.lookup(codes)
        decoded = z + (rows - z).detach()
        commit = ((z - rows) ** 2).mean() / self.variance
        progress.log("commit", commit.detach())
        loss = COMMIT * commit
        restart = progress.fraction < LAST_RESTART
        restarted = self.codebook.update(flat.detach(), codes.flatten(), restart)
        if restarted:
            progress.log("restarted", restarted)
        if boxes:
            consistency, same = compare_twins(z, codes, boxes)
            consistency = consistency / self.variance
            loss = loss + self.options.cons * consistency
            progress.log("cons", consistency.detach())
            progress.log("same", same)
        return codes, rows, decoded, loss

    def cycle(self, y, codes, rows, progress):
        """Codes should survive decode and encode."""
        again = self.model.latents(y.detach().clamp(-1, 1))
        loss = ((again - rows.detach()) ** 2).mean() / self.variance
        progress.log("cyc", loss.detach())
        kept = self.model.nearest(again.detach()) == codes
        progress.log("recode", kept.float().mean())
        return loss


def compare_twins(z, codes, boxes):
    """Squared difference of the latents of shared objects, and the share of equal codes."""
    squares, same = [], []
    for i, (y, x, twin_y, twin_x, edge) in enumerate(boxes):
        rows, columns = slice(y, y + edge), slice(x, x + edge)
        twin_rows, twin_columns = slice(twin_y, twin_y + edge), slice(twin_x, twin_x + edge)
        one, twin = (2 * i, 0, rows, columns), (2 * i + 1, 0, twin_rows, twin_columns)
        z_one, z_twin = z[2 * i, :, 0, rows, columns], z[2 * i + 1, :, 0, twin_rows, twin_columns]
        squares.append(((z_one - z_twin) ** 2).mean())
        same.append((codes[one] == codes[twin]).float().mean())
    return sum(squares) / len(boxes), sum(same) / len(boxes)


def reconstruction_loss(y, x, squares=SQUARES, edges=EDGES):
    """Absolute and squared error, and the error of differences between neighboring pixels."""
    d = y - x
    dx, dy = d[..., :, 1:] - d[..., :, :-1], d[..., 1:, :] - d[..., :-1, :]
    return d.abs().mean() + squares * (d * d).mean() + edges * (dx.abs().mean() + dy.abs().mean())


@torch.no_grad()
def psnr(y, x):
    """Mean peak signal-to-noise ratio of pictures -1...1, in dB."""
    errors = ((y.clamp(-1, 1) - x) ** 2).flatten(1).mean(1).clamp(min=1e-6)
    return 10 * torch.log10(4 / errors).mean()


def channels_last(model):
    """Lay out the 2-D convolutions for the CPU."""
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            weight = module.weight.data
            module.weight.data = weight.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def initialize(model):
    """Let signals pass the narrow temporal layers almost linearly; spatial norms start plain."""
    encoder, decoder = model.encoder, model.decoder
    encoder.conv_out.weight.mul_(2.5)
    encoder.conv_out.bias.zero_()
    # The biases keep SiLU in its nearly linear part and undo each other.
    _pass_through(encoder.time_conv[0].conv, (2, 3), 1.5)
    _pass_through(encoder.time_conv[1].conv, (2, 3), 0.274)
    _pass_through(decoder.time_conv[0].conv, (2,), 1.5)
    _pass_through(decoder.time_conv[1].conv, (2,), 0.274)
    _pass_through(model.quant_conv, (2,), -1.226)
    _pass_through(model.post_quant_conv, (2,), 0.0)
    for block in [*encoder.time_res_stack, *decoder.time_res_stack]:
        block.conv2.conv.weight.mul_(0.1)
        block.conv2.conv.bias.zero_()
    for module in model.modules():
        if isinstance(module, vision_layers.SpatialNorm):
            module.conv_y.weight.mul_(0.3)
            module.conv_y.bias.fill_(1.0)
            module.conv_b.weight.mul_(0.3)
            module.conv_b.bias.zero_()


def _pass_through(causal, times, bias):
    """Make a convolution the mean of these slices of time, but for a little noise."""
    weight = causal.conv.weight
    weight.normal_(0, 0.02)
    channels, middle = range(vision_layers.LATENT), weight.shape[-1] // 2
    for time in times:
        weight[channels, channels, time, middle, middle] += 1 / len(times)
    causal.conv.bias.fill_(bias)


if __name__ == "__main__":
    main()
