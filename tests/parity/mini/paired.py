"""Differences between two systems that were asked the same, with a 95 % interval."""

import math
import statistics
from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """Means of both, ours - reference, and the interval of that, all as shares of 1."""

    ours: float
    reference: float
    difference: float
    low: float
    high: float
    count: int


def compare(ours, reference):
    """Compare two lists of one mean for each thing that was asked (a prompt, a picture).

    The interval is Student's over the differences, so that easy and hard prompts cancel out.  One
    pair alone has no interval: it is then everything.
    """
    differences = [a - b for a, b in zip(ours, reference, strict=True)]
    count = len(differences)
    middle = statistics.fmean(differences)
    half = math.inf
    if count > 1:
        half = student(count - 1) * statistics.stdev(differences) / math.sqrt(count)
    return Difference(
        ours=statistics.fmean(ours),
        reference=statistics.fmean(reference),
        difference=middle,
        low=middle - half,
        high=middle + half,
        count=count,
    )


def student(degrees, confidence=CONFIDENCE):
    """Two-sided quantile of Student's t.

    Expansion of Cornish and Fisher (Abramowitz and Stegun 26.7.5), good to 0.1 % from 5 degrees on.
    """
    z = statistics.NormalDist().inv_cdf(0.5 + confidence / 2)
    terms = [
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    ]
    return z + sum(term / degrees ** (i + 1) for i, term in enumerate(terms))
