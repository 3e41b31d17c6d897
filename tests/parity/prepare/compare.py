"""Runs the released preparation, and compares its output with that of `task prepare-data`.

    python compare.py input WORK      writes input.json: pictures of all kinds that both can use
    python compare.py released WORK   runs the released script on it
    python compare.py check WORK      compares

The released code is imported from its repository, on the CPU. PYTHONPATH names the repository.
"""

import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[3]
VISION = ROOT / "models/emu3-mini-visiontokenizer"
LANGUAGE = ROOT / "models/emu3-mini"
GOLDEN = ROOT / "tests/golden"

# Pictures of random size beside the golden ones, and the types that they are stored in.
RANDOM = 30
TYPES = ("png", "jpeg", "webp", "gif")
# Types that preparation takes; the released script also reads others, such as BMP.
EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".gif")


def random_pictures(folder: Path) -> None:
    """Writes pictures of blocks, of random sizes, in every type."""
    rng = np.random.default_rng(7)
    for i in range(RANDOM):
        height, width = rng.integers(40, 900, 2)
        width = int(np.clip(width, height // 4, height * 4))
        blocks = rng.integers(0, 256, (height // 24 + 1, width // 24 + 1, 3))
        pixels = np.kron(blocks, np.ones((24, 24, 1)))[:height, :width].astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"random{i}.{TYPES[i % len(TYPES)]}")


def usable(path: Path, processor) -> bool:
    """Returns true if the released script does not fail on a picture."""
    from emu3.train.prepare_data import smart_resize

    try:
        processor(smart_resize(Image.open(path).convert("RGB")))
        return True
    except (ValueError, OSError, SyntaxError):
        return False


def write_input(work: Path) -> None:
    """Writes the list of pictures."""
    from emu3.tokenizer import Emu3VisionVQImageProcessor

    folder = work / "pictures"
    folder.mkdir()
    random_pictures(folder)
    processor = Emu3VisionVQImageProcessor.from_pretrained(VISION)
    paths = [*sorted((GOLDEN / "preprocess").iterdir()), *sorted(folder.iterdir())]
    records = [
        {"name": path.stem, "text": f'a "picture" of {path.stem}, größer', "image": str(path)}
        for path in paths
        if path.suffix in EXTENSIONS and usable(path, processor)
    ]
    (work / "input.json").write_text(json.dumps(records))
    print(f"{len(records)} pictures")


def run_released(work: Path) -> None:
    """Runs the released script, which expects a GPU."""
    from emu3.tokenizer import Emu3VisionVQModel

    load = Emu3VisionVQModel.from_pretrained
    Emu3VisionVQModel.from_pretrained = lambda path, **_: load(path)
    torch.Tensor.cuda = lambda tensor: tensor
    options = {"model-path": VISION, "data-path": work / "input.json", "output-path": work / "out"}
    sys.argv = ["prepare_data"]
    for name, value in options.items():
        sys.argv += [f"--{name}", str(value)]
    runpy.run_module("emu3.train.prepare_data", run_name="__main__")


def datasets(work: Path):
    """Returns the released dataset of both outputs."""
    from emu3.mllm import tokenization_emu3
    from emu3.train.datasets import Emu3FeatureDataset

    config = json.loads((LANGUAGE / "config.json").read_text())
    # The released tokenizer knows one vocabulary; its first special id is that of the padding.
    tokenization_emu3.SPECIAL_START_ID = config["pad_token_id"]
    tokenizer = tokenization_emu3.Emu3Tokenizer.from_pretrained(
        LANGUAGE, model_max_length=config["max_position_embeddings"], padding_side="right"
    )
    arguments = {
        "null_prompt_prob": 0.0,
        "apply_loss_on_only_vision": True,
        "ignore_index": -100,
        "visual_token_pattern": "<|visual token {token_id:0>6d}|>",
        "codebook_size": json.loads((VISION / "config.json").read_text())["codebook_size"],
    }
    return [
        Emu3FeatureDataset(
            SimpleNamespace(data_path=work / folder / "list/train.json", **arguments), tokenizer
        )
        for folder in ("emu3", "out")
    ]


def check(work: Path) -> None:
    """Compares the files and what the released dataset makes of them."""
    grids, texts = check_files(work)
    load = torch.load
    ours, theirs = datasets(work)
    assert len(ours) == len(theirs) == len(grids)
    for i in range(len(ours)):
        mine = ours[i]
        # The released files hold arrays, which the default of torch.load refuses.
        torch.load = lambda path: load(path, weights_only=False)
        released = theirs[i]
        torch.load = load
        assert mine.keys() == released.keys()
        for key, value in released.items():
            assert torch.equal(mine[key], value), (i, key)
        assert (mine["labels"] != -100).sum() == grids[i].size
    print(f"released dataset: {len(ours)} samples with equal ids, masks and labels")
    check_parquet(work, grids, texts)
    check_webdataset(work, grids, texts)


def check_files(work: Path):
    """Compares each .pth; returns the grids and texts."""
    lists = [json.loads((work / f / "list/train.json").read_text()) for f in ("emu3", "out")]
    names = [listed["path_list"] for listed in lists]
    assert names[0] == names[1], "the lists differ"
    grids, texts, differing = [], [], 0
    for name in names[0]:
        mine = torch.load(work / "emu3/feature" / name)
        mapped = torch.load(work / "emu3/feature" / name, mmap=True, weights_only=False)
        released = torch.load(work / "out/feature" / name, weights_only=False)
        assert mine.keys() == released.keys()
        assert (mine["name"], mine["texts"]) == (released["name"], released["texts"])
        assert torch.equal(mine["images"], mapped["images"])
        assert mine["images"].dtype == torch.int64
        assert mine["images"].shape == released["images"].shape, name
        wrong = int((mine["images"].numpy() != released["images"]).sum())
        if wrong:
            print(f"{name}: {wrong} of {released['images'].size} codes differ")
        differing += wrong
        grids.append(released["images"])
        texts.append(released["texts"])
    assert differing == 0, f"{differing} codes differ"
    print(f"{len(grids)} .pth files with equal names, texts and {sum(g.size for g in grids)} codes")
    return grids, texts


def check_parquet(work: Path, grids, texts) -> None:
    """Compares what pyarrow reads."""
    import pyarrow.parquet as pq

    rows = [
        row
        for path in sorted((work / "parquet").glob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    assert [row["text"] for row in rows] == texts
    for row, grid in zip(rows, grids, strict=True):
        codes = np.frombuffer(row["codes"], "<u2").reshape(row["height"], row["width"])
        assert np.array_equal(codes, grid)
    print(f"pyarrow: {len(rows)} rows")


def check_webdataset(work: Path, grids, texts) -> None:
    """Compares what webdataset reads."""
    import webdataset

    shards = [str(path) for path in sorted((work / "webdataset").glob("*.tar"))]
    samples = list(webdataset.WebDataset(shards, shardshuffle=False).decode())
    assert [sample["txt"] for sample in samples] == texts
    for sample, grid in zip(samples, grids, strict=True):
        assert sample["npy"].dtype == np.uint16
        assert np.array_equal(sample["npy"], grid)
        assert sample["json"]["key"] == sample["__key__"]
    print(f"webdataset: {len(samples)} samples")


if __name__ == "__main__":
    {"input": write_input, "released": run_released, "check": check}[sys.argv[1]](Path(sys.argv[2]))
