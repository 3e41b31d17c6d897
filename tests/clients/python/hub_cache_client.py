"""huggingface_hub reads the cache that we write, and we the one that it writes."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from checks import run

# Read when the package is imported.
os.environ["HF_HUB_DISABLE_XET"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

from huggingface_hub import scan_cache_dir, snapshot_download, try_to_load_from_cache  # noqa: E402

SUPPORT = Path(__file__).resolve().parents[2] / "support"
REPOSITORY = "org/tiny"
SHARDS = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
WANTED = ["config.json", "emu3.tiktoken", "vision/config.json", *SHARDS]


def obtain(cache, endpoint):
    """The folder that our downloader answers with."""
    command = ["deno", "run", "-q", "-A", SUPPORT / "obtain_process.ts", REPOSITORY, cache, endpoint]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    outcome = json.loads(lines[-2])
    assert "folder" in outcome, outcome
    return Path(outcome["folder"])


def with_hub(check):
    """Calls `check` with the address of a hub and an empty folder."""
    hub = subprocess.Popen(
        ["deno", "run", "-q", "-A", SUPPORT / "serve_hub.ts"], stdout=subprocess.PIPE, text=True
    )
    try:
        with tempfile.TemporaryDirectory() as cache:
            check(hub.stdout.readline().strip(), cache)
    finally:
        hub.kill()
        hub.wait()


def check_ours(_url):
    """huggingface_hub finds every file of a cache that we wrote"""

    def check(endpoint, cache):
        folder = obtain(cache, endpoint)
        for path in WANTED:
            found = try_to_load_from_cache(REPOSITORY, path, cache_dir=cache)
            assert found == str(folder / path), (found, path)
        info = scan_cache_dir(cache)
        assert not info.warnings, info.warnings
        (repo,) = info.repos
        (revision,) = repo.revisions
        assert repo.repo_id == REPOSITORY and revision.refs == {"main"}, repo
        assert {f.file_name for f in revision.files} >= {Path(p).name for p in WANTED}
        assert repo.size_on_disk == sum(f.size_on_disk for f in revision.files)
        offline = snapshot_download(REPOSITORY, cache_dir=cache, local_files_only=True)
        assert Path(offline) == folder, offline

    with_hub(check)


def check_theirs(_url):
    """a cache that huggingface_hub wrote is taken as it is"""

    def check(endpoint, cache):
        theirs = snapshot_download(
            REPOSITORY, cache_dir=cache, endpoint=endpoint, ignore_patterns=["*.md", "*.bin"]
        )
        # Nobody listens there: what is found is not asked for.
        ours = obtain(cache, "http://127.0.0.1:9")
        assert Path(theirs) == ours, (theirs, ours)

    with_hub(check)


def check_both(_url):
    """what huggingface_hub has left out is added, and it still reads the cache"""

    def check(endpoint, cache):
        snapshot_download(
            REPOSITORY, cache_dir=cache, endpoint=endpoint, allow_patterns=["*.json", SHARDS[0]]
        )
        folder = obtain(cache, endpoint)
        for path in WANTED:
            assert try_to_load_from_cache(REPOSITORY, path, cache_dir=cache) == str(folder / path)
        assert not scan_cache_dir(cache).warnings

    with_hub(check)


if __name__ == "__main__":
    run(check_ours, check_theirs, check_both)
