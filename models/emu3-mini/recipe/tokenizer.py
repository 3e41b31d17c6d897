"""The text tokenizer of emu3-mini and the prompt layouts of Emu3.

The first ranks of `emu3.tiktoken`, then the special tokens in the original order, then the codes.
"""

import base64
import unicodedata

import tiktoken

TEXT_TOKENS = 4096
CODES = 2048
EXTRA_TOKENS = 205
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SYSTEM = "You are a helpful assistant. USER: "
ASSISTANT = ". ASSISTANT:"
CACHED_TEXTS = 200_000


def special_tokens(text_tokens=TEXT_TOKENS, codes=CODES):
    """Ids of the special tokens and of the codes, by name."""
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    names += [f"<|extra_{i}|>" for i in range(EXTRA_TOKENS)]
    names += vision_tokens(codes)
    return {name: text_tokens + i for i, name in enumerate(names)}


def vision_tokens(codes=CODES):
    """The lines of `emu3_vision_tokens.txt`."""
    frame = ["<|image token|>", "<|image start|>", "<|image end|>"]
    return frame + [f"<|visual token {i:06d}|>" for i in range(codes)]


def read_ranks(path, count=TEXT_TOKENS):
    """The first `count` ranks of a tiktoken file, {bytes: rank}."""
    with open(path, "rb") as file:
        pairs = [line.split() for line in file]
    return {base64.b64decode(token): int(rank) for token, rank in pairs if int(rank) < count}


class Tokenizer:
    """Text <-> tokens, and grids of codes -> tokens.

    Special tokens spelled out in a text are text.
    """

    def __init__(self, path, text_tokens=TEXT_TOKENS, codes=CODES):
        special = special_tokens(text_tokens, codes)
        self._encoding = tiktoken.Encoding(
            "emu3-mini",
            pat_str=PATTERN,
            mergeable_ranks=read_ranks(path, text_tokens),
            special_tokens=special,
        )
        self._text_tokens = text_tokens
        self._cache = {}
        self.pad = special["<|endoftext|>"]
        self.eol, self.eof = special["<|extra_200|>"], special["<|extra_201|>"]
        self.bos, self.eos = special["<|extra_203|>"], special["<|extra_204|>"]
        self.img, self.boi = special["<|image token|>"], special["<|image start|>"]
        self.eoi = special["<|image end|>"]
        self.first_code = special["<|visual token 000000|>"]
        self.vocabulary_size = self.first_code + codes

    def encode(self, text):
        """Tokens of a text, after NFC."""
        if text not in self._cache:
            if len(self._cache) > CACHED_TEXTS:
                self._cache.clear()
            normalized = unicodedata.normalize("NFC", text)
            self._cache[text] = self._encoding.encode(normalized, disallowed_special=())
        return self._cache[text]

    def decode(self, tokens):
        """Text of tokens; special tokens are dropped."""
        return self._encoding.decode([token for token in tokens if token < self._text_tokens])

    def rows(self, codes):
        """Tokens of a grid of codes [h, w], EOL after every row."""
        out = []
        for row in codes:
            out += [int(code) + self.first_code for code in row] + [self.eol]
        return out

    def image_prompt(self, caption, height, width):
        """Tokens before the codes of a picture of `height` x `width` codes."""
        return [self.bos, *self.encode(caption), *self._image_start(height, width)]

    def image_end(self):
        """Tokens after the codes of a picture that is drawn."""
        return [self.eof, self.eoi, self.eos]

    def clip_prompt(self, caption, frames, height, width):
        """Tokens before the codes of a clip of `frames` frames in all, drawn or given."""
        size = self.encode(f"{frames}*{height}*{width}")
        return [self.bos, *self.encode(caption), self.boi, *size, self.img]

    def clip_frames(self, codes):
        """Tokens of frames of codes [T, h, w], EOF after every frame."""
        out = []
        for frame in codes:
            out += [int(code) + self.first_code for row in frame for code in row] + [self.eof]
        return out

    def clip_end(self):
        """Tokens after the last frame of a clip."""
        return [self.eoi, self.eos]

    def chat_prefix(self, codes):
        """Tokens of a chat up to its picture, a grid of codes [h, w]."""
        start = self._image_start(len(codes), len(codes[0]))
        picture = [*start, *self.rows(codes), self.eof, self.eoi]
        return [self.bos, *self.encode(SYSTEM), *picture]

    def chat_question(self, question, suffix=ASSISTANT):
        """Tokens of a question after the picture."""
        return self.encode(question + suffix)

    def chat_answer(self, answer):
        """Tokens of an answer, with its end."""
        return [*self.encode(" " + answer), self.eos]

    def _image_start(self, height, width):
        return [self.boi, *self.encode(f"{height}*{width}"), self.img]
