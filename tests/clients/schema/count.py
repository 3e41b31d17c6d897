"""Counts what a server answered, by its log, and fails on answers that nobody declared."""

import collections
import json
import re
import sys

DECLARED = {503, 504}

# What follows is a name, often made up.
GENERATED = [
    (r"^((?:/v1)?/(?:models|jobs|predictions|problems))/.+", r"\1/…"),
    (r"^(/v1/workflows/[^/]+)/.+", r"\1/…"),
    (r"^/v2/models/.+?((?:/infer|/ready)?)$", r"/v2/models/…\1"),
]


def pattern_of(path):
    for generated, name in GENERATED:
        path = re.sub(generated, name, path)
    return path


counts = collections.defaultdict(collections.Counter)
for line in open(sys.argv[1], encoding="utf-8"):
    if line.startswith('{"time"'):
        record = json.loads(line)
        if "status" in record:
            counts[pattern_of(record["path"])][record["status"]] += 1

undeclared = 0
for path, statuses in sorted(counts.items()):
    print(path, *(f"{status}: {count}" for status, count in sorted(statuses.items())), sep="  ")
    undeclared += sum(count for status, count in statuses.items() if status >= 500 and status not in DECLARED)
sys.exit(f"{undeclared} answers with a 5xx that is not declared" if undeclared else 0)
