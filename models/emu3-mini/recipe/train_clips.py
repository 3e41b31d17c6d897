"""Train the language model to draw clips, from the weights that draw pictures.

The schedule counts steps, as in train_lm.py.
"""

import argparse
import random

import torch

import causal_decoder
import clip_scenes
import world
from clip_batches import ClipBatches
from clip_hints import HintLosses
from language_model import CONFIG, LanguageModel
from options import add_run, add_vocabulary
from progress import Progress, load, save
from resume import Copies
from text_batches import NO_TARGET
from threads import CoreSharing
from tokenizer import TEXT_TOKENS, Tokenizer
from train_lm import Optimizers, rate_at

HINT_RATE = 0.003  # of the layers that read places


def main():
    """Train and write the state."""
    options = parse()
    torch.manual_seed(options.seed)
    tokenizer = Tokenizer(options.tiktoken)
    rng = random.Random(options.seed)
    pool = load(options.pool, weights_only=False)
    batches = ClipBatches(pool, world.WORLDS[options.world], tokenizer, rng, options)
    model = LanguageModel(tokenizer.vocabulary_size).to(options.device)
    grid = world.size_of(clip_scenes.RATIOS[0], clip_scenes.CLIP_AREA)
    hints = HintLosses(CONFIG["hidden_size"], *grid).to(options.device)
    reader = torch.optim.Adam(hints.parameters(), lr=HINT_RATE)
    optimizers = Optimizers(model, options)
    progress = Progress(options.steps)
    copies = Copies(options.out, progress, rng, options.save_minutes)
    begun = copies.read()
    if begun:
        model.load_state_dict(begun["model"])
        optimizers.restore(begun["optimizers"])
        hints.load_state_dict(begun["hints"])
        reader.load_state_dict(begun["reader"])
    elif options.init:
        model.load_state_dict(load(options.init)["model"])
    result = {"model": model.state_dict(), "cfg": CONFIG, "vocab": tokenizer.vocabulary_size}

    def everything():
        state = {"hints": hints.state_dict(), "reader": reader.state_dict()}
        return {**result, **state, "optimizers": optimizers.state()}

    cores = CoreSharing(options.threads)
    tokens = 0
    while progress.goes_on():
        if progress.step % 3 == 0:
            cores.adapt()
        batch, told = batches.batch()
        tokens += len(batch[0])
        batch = [part.to(options.device) for part in batch]
        hints.begin([part.to(options.device) for part in told], batch[2])
        loss = loss_of(model, batch, hints, options, progress)
        (loss + options.hints * hints.total()).backward()
        scale = rate_at(progress.step, options)
        reader.step()
        reader.zero_grad()
        progress.log("gn", optimizers.step(scale))
        progress.step += 1
        if progress.step % 10 == 0:
            speed = tokens / progress.seconds()
            progress.report(f"tok/s={speed:.0f}", f"scale={scale:.3f}")
        copies.write_now_and_then(everything)
    copies.write(everything())
    save(options.out, result)
    print("done", progress.step)


def parse(arguments=None):
    """The options of the command line, or of `arguments`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_run(parser, "work/clips.pt", steps=4380, seed=3)
    add_vocabulary(parser)
    add = parser.add_argument
    add("--pool", default="work/clip_pool.pt", help="result of make_clip_pool.py")
    add("--world", choices=world.WORLDS, default="40", help="how many things the model learns")
    add("--init", default="work/lm.pt", help="result to start from; without it from nothing")
    add("--lr", type=float, default=2e-3, help="highest learning rate of embedding and head")
    add("--muon", type=float, default=0.015, help="highest learning rate of the layers' matrices")
    add("--wd", type=float, default=0.01, help="weight decay")
    add("--warm", type=int, default=40, help="steps in which the rates rise")
    add("--decay", type=int, default=670, help="last steps, in which they fall")
    add("--tokens", type=int, default=3000, help="least tokens of a step")
    add("--stills", type=float, default=0.05, help="share of pictures among the sequences")
    add("--whole", type=float, default=0.25, help="share of clips that are learned from whole")
    add("--single", type=float, default=0.5, help="share of clips of which one frame is learned")
    add("--growing", type=float, default=0.15, help="share of clips with a size in each frame")
    add("--hints", type=float, default=0.3, help="weight of the losses of clip_hints.py")
    add("--first", type=float, default=3.0, help="weight of a thing's first rows where it appears")
    add("--opening", type=float, default=1.5, help="weight of its other rows there")
    add("--grown", type=float, default=2.0, help="weight of a thing in another size than before")
    add("--early", type=float, default=0.5, help="weight of background in the first frame")
    add("--outside", type=float, default=0.4, help="weight of background in later frames")
    add("--noisy", type=float, default=0.5, help="share of clips with wrong codes in view")
    add("--pmax", type=float, default=0.5, help="greatest share of wrong codes in the first frame")
    add("--plater", type=float, default=0.2, help="the same in later frames")
    return parser.parse_args(arguments)


def loss_of(model, batch, hints, options, progress):
    """Weighted mean loss of the codes."""
    *inputs, targets, _answers, weights = batch
    hidden = causal_decoder.packed_hidden(model, *inputs, watch=hints)
    drawn = (targets != NO_TARGET) & (weights > 0)
    chosen = weights[drawn]
    rows = model.lm_head.weight[TEXT_TOKENS:]
    loss, losses = causal_decoder.weighted_loss(
        hidden[drawn], rows, targets[drawn] - TEXT_TOKENS, chosen / chosen.sum()
    )
    named = {"thing": 1, "first": options.first, "opening": options.opening}
    named |= {"grown": options.grown, "early": options.early}
    for name, weight in named.items():
        if (chosen == weight).any():
            progress.log(name, losses[chosen == weight].mean())
    progress.log("out", losses[chosen == options.outside].mean())
    for name, value in hints.losses.items():
        progress.log(name, value.detach())
    return loss


if __name__ == "__main__":
    main()
