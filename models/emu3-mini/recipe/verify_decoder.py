"""Compare fast_decoder.py with plain_decoder.py: hidden states, losses and gradients."""

import argparse
import random

import torch

import fast_decoder
import plain_decoder
import train_lm
import world
from language_model import LanguageModel
from options import add_vocabulary
from progress import Progress, load
from text_batches import TextBatches
from tokenizer import Tokenizer

ALLOWED = 0.03  # relative to the norm of the whole; both round to bfloat16


def main():
    """Print the differences; exits 1 if one is too great."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_vocabulary(parser)
    add = parser.add_argument
    add("--pool", default="work/pool.pt", help="result of make_pool.py")
    named = parser.parse_args()
    options = train_lm.parse([])
    torch.manual_seed(0)
    tokenizer = Tokenizer(named.tiktoken)
    pool = load(named.pool, weights_only=False)
    known, rng = world.WHOLE, random.Random(0)
    batch = TextBatches([pool], known, tokenizer, rng, options).batch()
    model = LanguageModel(tokenizer.vocabulary_size)
    fast = gradients(model, fast_decoder, batch, options)
    plain = gradients(model, plain_decoder, batch, options)
    worst = max(_difference(fast[name], plain[name]) for name in fast)
    print(f"greatest relative difference {worst:.4f}")
    if worst > ALLOWED:
        raise SystemExit("Cannot trust the kernels: they differ from plain PyTorch")


def gradients(model, decoder, batch, options):
    """The loss and the gradient of each parameter, by name."""
    model.zero_grad(set_to_none=True)
    loss = train_lm.loss_of(model, decoder, batch, options, Progress(1))
    loss.backward()
    of_parameters = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {"loss": loss.detach(), **of_parameters}


def _difference(one, other):
    return float((one - other).norm() / other.norm().clamp(min=1e-12))


if __name__ == "__main__":
    main()
