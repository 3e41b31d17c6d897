"""JSON files, and files with one JSON object a line."""

import json
from pathlib import Path


def read_json(path):
    """The content of a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_json(path, value, indent=2):
    """Write a JSON file that ends with a newline."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def read_json_lines(path):
    """The objects of a file with one JSON object a line."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def write_json_lines(path, values):
    """Write one JSON object a line."""
    lines = [json.dumps(value) + "\n" for value in values]
    Path(path).write_text("".join(lines), encoding="utf-8")
