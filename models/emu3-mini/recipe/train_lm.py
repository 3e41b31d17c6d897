"""Train the language model to draw and to answer, together."""

import argparse
import random

import torch

from fast_decoder import FusedLoss, packed_hidden
from kernels import kernel
from language_model import CONFIG, LanguageModel
from muon import Muon
from progress import Progress, save, set_rate
from text_batches import NO_TARGET, TextBatches
from threads import CoreSharing
from tokenizer import Tokenizer

SURE = 0.69  # loss of a token that is believed with one half


def main():
    """Train and write the state."""
    options = parse()
    rng = random.Random(options.seed)
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    tokenizer = Tokenizer(options.tiktoken)
    pools = [torch.load(path, weights_only=False) for path in options.pool.split(",")]
    batches = TextBatches(pools, tokenizer, rng, options)
    model = LanguageModel(tokenizer.vocabulary_size)
    if options.init:
        model.load_state_dict(torch.load(options.init)["model"])
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{count} parameters, {len(batches)} scenes", flush=True)
    state = {
        "model": model.state_dict(),
        "cfg": CONFIG,
        "vocab": tokenizer.vocabulary_size,
    }
    optimizers = Optimizers(model, options)
    kernel("decoder")  # compiled before the clock starts
    cores = CoreSharing()
    progress = Progress(options.minutes, options.steps)
    tokens = 0
    while progress.goes_on():
        if progress.step % 3 == 0:
            cores.adapt()
        warm = min(1, (progress.step + 1) / options.warm)
        scale = warm * min(1, (1 - progress.fraction) / options.decay)
        batch = batches.batch(options.bg, options.bu)
        tokens += len(batch[0])
        loss_of(model, batch, options, progress).backward()
        progress.log("gn", optimizers.step(scale))
        progress.step += 1
        if progress.step % 50 == 0 or progress.step in (1, 5, 20):
            speed = tokens / progress.seconds()
            progress.report(f"tok/s={speed:.0f}", f"scale={scale:.3f}")
        progress.save_now_and_then(options.out, state)
    save(options.out, state)
    print("done", progress.step)


def parse():
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--pool", default="work/pool.pt", help="results of make_pool.py, with commas between")
    add("--tiktoken", default="emu3.tiktoken", help="vocabulary of Emu3")
    add("--init", default="", help="result to go on from")
    add("--out", default="work/lm.pt", help="file for the result")
    add("--minutes", type=float, default=45, help="time to train")
    add("--steps", type=int, default=0, help="stop after so many steps (0: by time alone)")
    add("--seed", type=int, default=2)
    add("--lr", type=float, default=3e-3, help="highest learning rate of embedding and head")
    add("--muon", type=float, default=0.02, help="highest learning rate of the layers' matrices")
    add("--wd", type=float, default=0.01, help="weight decay")
    add("--warm", type=int, default=60, help="steps in which the rates rise")
    add("--decay", type=float, default=0.5, help="last fraction of the time, in which they fall")
    add("--bg", type=int, default=16, help="drawings in a step")
    add("--bu", type=int, default=4, help="pictures with questions in a step")
    add("--uw", type=float, default=0.5, help="weight of the answers")
    add("--first", type=float, default=3.0, help="weight of the first two rows of an object")
    add("--outside", type=float, default=0.3, help="weight of tokens outside the objects")
    add("--noisy", type=float, default=0.5, help="share of drawings with wrong codes in view")
    add("--pmin", type=float, default=0.15, help="least share of wrong codes in those")
    add("--pmax", type=float, default=0.9, help="greatest share of wrong codes in those")
    add(
        "--mix",
        type=float,
        nargs=4,
        default=[0.4, 0.36, 0.14, 0.1],
        help="share of scenes with one to four things",
    )
    return parser.parse_args()


class Optimizers:
    """Muon for the matrices of the layers, AdamW for everything else."""

    def __init__(self, model, options):
        self._options, self._model = options, model
        named = list(model.named_parameters())
        hidden = [p for name, p in named if p.dim() == 2 and "layers" in name]
        self._rest = [p for name, p in named if not (p.dim() == 2 and "layers" in name)]
        groups = [
            {"params": [p for p in self._rest if p.dim() == 2], "weight_decay": options.wd},
            {"params": [p for p in self._rest if p.dim() == 1], "weight_decay": 0.0},
        ]
        self._adam = torch.optim.AdamW(groups, lr=options.lr, betas=(0.9, 0.98), eps=1e-9)
        self._muon = Muon(hidden, 2 * options.wd)

    def step(self, scale):
        """Apply and clear the gradients, at this share of the highest rates; gives their norm."""
        set_rate(self._adam, self._options.lr * scale)
        norm = torch.nn.utils.clip_grad_norm_(self._rest, 1.0)
        self._adam.step()
        self._muon.step(self._options.muon * scale)
        self._model.zero_grad(set_to_none=True)
        return norm


def loss_of(model, batch, options, progress):
    """Mean loss of drawings plus weighted mean loss of answers."""
    *inputs, targets, answers, weights = batch
    hidden = packed_hidden(model, *inputs)
    chosen = targets != NO_TARGET
    targets, weights, answers = targets[chosen], weights[chosen], answers[chosen] == 1
    drawings = ~answers
    of_drawings = weights / weights[drawings].sum().clamp(min=1)
    of_answers = options.uw / answers.sum().clamp(min=1)
    shares = torch.where(drawings, of_drawings, of_answers).float()
    loss, losses = FusedLoss.apply(hidden[chosen], model.lm_head.weight, targets, shares)
    losses = losses.detach()
    if options.bg:
        progress.log("g", losses[drawings].mean())
        progress.log("g_obj", losses[drawings & (weights == 1)].mean())
        progress.log("g_first", losses[drawings & (weights == options.first)].mean())
    if options.bu:
        progress.log("u", losses[answers].mean())
        progress.log("u_acc", (losses[answers] < SURE).float().mean())
    return loss


if __name__ == "__main__":
    main()
