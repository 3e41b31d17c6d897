"""Train the language model to draw and to answer, together.

The schedule counts steps: the rates rise, stay, and fall in the last steps.  Until they fall a run
may be given more steps when it goes on.
"""

import argparse
import random

import torch

import fast_decoder
import plain_decoder
import world
from language_model import CONFIG, LanguageModel
from muon import Muon
from options import add_run, add_vocabulary
from progress import Progress, load, load_pools, save, set_rate
from resume import Copies
from text_batches import NO_TARGET, TextBatches
from threads import CoreSharing
from tokenizer import TEXT_TOKENS, Tokenizer

SURE = 0.69  # loss of a token that is believed with one half


def main():
    """Train and write the state."""
    options = parse()
    torch.manual_seed(options.seed)
    tokenizer = Tokenizer(options.tiktoken)
    pools = load_pools(options.pool)
    known = world.WORLDS[options.world]
    rng = random.Random(options.seed)
    batches = TextBatches(pools, known, tokenizer, rng, options)
    model = LanguageModel(tokenizer.vocabulary_size).to(options.device)
    decoder = decoder_for(model, options.device)
    optimizers = Optimizers(model, options)
    progress = Progress(options.steps)
    copies = Copies(options.out, progress, rng, options.save_minutes)
    begun = copies.read()
    if begun:
        model.load_state_dict(begun["model"])
        optimizers.restore(begun["optimizers"])
        batches.restore(begun["batches"])
    elif options.init:
        model.load_state_dict(load(options.init)["model"])
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{count} parameters, {len(batches)} scenes, step {progress.step}", flush=True)
    result = {"model": model.state_dict(), "cfg": CONFIG, "vocab": tokenizer.vocabulary_size}

    def everything():
        return {**result, "optimizers": optimizers.state(), "batches": batches.state()}

    cores = CoreSharing(options.threads)
    tokens = 0
    while progress.goes_on():
        if progress.step % 3 == 0:
            cores.adapt()
        batch = batches.batch()
        tokens += len(batch[0])
        batch = [part.to(options.device) for part in batch]
        loss_of(model, decoder, batch, options, progress).backward()
        scale = rate_at(progress.step, options)
        progress.log("gn", optimizers.step(scale))
        progress.step += 1
        if progress.step % 25 == 0:
            speed = tokens / progress.seconds()
            progress.report(f"tok/s={speed:.0f}", f"scale={scale:.3f}")
        copies.write_now_and_then(everything)
    copies.write(everything())
    save(options.out, result)
    print("done", progress.step)


def decoder_for(model, device):
    """The module that runs the network over packed sequences."""
    if device == "cpu":
        fast_decoder.prepare()
        return fast_decoder
    model.forward = torch.compile(model.forward, dynamic=True)
    return plain_decoder


def parse(arguments=None):
    """The options of the command line, or of `arguments`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_run(parser, "work/lm.pt", steps=9000, seed=2)
    add_vocabulary(parser)
    add = parser.add_argument
    add("--pool", default="work/pool.pt", help="results of make_pool.py, with commas between")
    add("--world", choices=world.WORLDS, default="40", help="how many things the model learns")
    add("--init", default="", help="result to start from; without it from nothing")
    add("--lr", type=float, default=3e-3, help="highest learning rate of embedding and head")
    add("--muon", type=float, default=0.02, help="highest learning rate of the layers' matrices")
    add("--wd", type=float, default=0.01, help="weight decay")
    add("--warm", type=int, default=60, help="steps in which the rates rise")
    add("--decay", type=int, default=2500, help="last steps, in which they fall")
    add("--bg", type=int, default=4, help="drawings in a step")
    add("--cg", type=int, default=12, help="drawings of close-ups in a step")
    add("--bu", type=int, default=2, help="pictures with questions in a step")
    add("--cu", type=int, default=2, help="close-ups with questions in a step")
    add("--uw", type=float, default=0.6, help="weight of the answers")
    add("--first", type=float, default=2.0, help="weight of the first two rows of an object")
    add("--outside", type=float, default=0.3, help="weight of tokens outside the objects")
    add("--noisy", type=float, default=0.6, help="share of drawings with wrong codes in view")
    add("--pmin", type=float, default=0.05, help="least share of wrong codes in those")
    add("--pmax", type=float, default=0.85, help="greatest share of wrong codes in those")
    add(
        "--mix",
        type=float,
        nargs=4,
        default=[0.16, 0.46, 0.2, 0.18],
        help="share of scenes with one to four things",
    )
    add("--alike", type=float, default=0.4, help="share of those with 3 and 4 where some are alike")
    return parser.parse_args(arguments)


def rate_at(step, options):
    """Share of the highest rates, 0...1."""
    rise = (step + 1) / options.warm
    fall = (options.steps - step) / options.decay
    return min(1, rise, fall)


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

    def state(self):
        """What `restore` goes on from."""
        return {"adam": self._adam.state_dict(), "muon": self._muon.state()}

    def restore(self, state):
        """Go on where a run was."""
        self._adam.load_state_dict(state["adam"])
        self._muon.restore(state["muon"])


def loss_of(model, decoder, batch, options, progress):
    """Weighted mean loss of drawings plus that of answers."""
    *inputs, targets, answers, weights = batch
    hidden = decoder.packed_hidden(model, *inputs)
    chosen = targets != NO_TARGET
    drawn, said = chosen & (answers == 0), chosen & (answers == 1)
    loss = 0
    if drawn.any():
        # Nothing but codes and what closes rows and pictures follows in a drawing: the rows of
        # the text need not be looked at.
        shares = weights[drawn] / weights[drawn].sum()
        rows = model.lm_head.weight[TEXT_TOKENS:]
        part, losses = decoder.weighted_loss(
            hidden[drawn], rows, targets[drawn] - TEXT_TOKENS, shares
        )
        loss = loss + part
        progress.log("g", losses.mean())
        progress.log("g_obj", losses[weights[drawn] == 1].mean())
        progress.log("g_first", losses[weights[drawn] == options.first].mean())
    if said.any():
        shares = options.uw * weights[said] / weights[said].sum()
        part, losses = decoder.weighted_loss(
            hidden[said], model.lm_head.weight, targets[said], shares
        )
        loss = loss + part
        sure = (losses < SURE).float()
        progress.log("u", losses.mean())
        progress.log("u_acc", sure.mean())
        progress.log("u_looked", sure[weights[said] > 1].mean())
    return loss


if __name__ == "__main__":
    main()
