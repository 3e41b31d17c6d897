"""Answers about pictures that equal the expected sentence, by kind of question."""

import random

import sampling
from captions import names, nouns_of
from checkpoint import open_language_model, open_tokenizer, open_vision_tokenizer, to_input
from drawing import render
from free_questions import free_questions
from intervals import share
from questions import questions_about
from scenes import held_scenes
from threads import CoreSharing

WRONG_SHOWN = 40


def measure_answers(options, known, seed):
    """Greedy answers to all questions about each picture."""
    model, tokenizer = open_language_model(options.models), open_tokenizer(options.models)
    vision = open_vision_tokenizer(options.models)
    rng, free = random.Random(seed + 7), random.Random(seed + 8)
    cores = CoreSharing(options.threads)
    right, wrong, named = {}, [], []
    for scene in held_scenes(random.Random(seed + 6), options.pictures, known):
        cores.adapt()
        codes = vision.encode(to_input(render(scene))[None])[0].tolist()
        asked = questions_about(scene, rng, known) + free_questions(scene, free, known)
        questions = [tokenizer.chat_question(question) for _, question, _ in asked]
        prefix = tokenizer.chat_prefix(codes)
        texts = sampling.answer(model, tokenizer, questions, prefix=prefix)
        for (kind, question, expected), text in zip(asked, texts):
            good = _plain(text) == _plain(expected)
            right.setdefault(kind, []).append(good)
            if not good:
                wrong.append({"kind": kind, "question": question, "got": text, "truth": expected})
            if kind == "describe":
                named += [names(text, noun) for noun in nouns_of(scene)]
    return {
        "kinds": {kind: share(values) for kind, values in sorted(right.items())},
        "all": share(good for values in right.values() for good in values),
        "named": share(named),
        "wrong": wrong[:WRONG_SHOWN],
    }


def _plain(text):
    return text.strip().rstrip(".").lower()
