"""Shares with the interval that holds the true share 95 times of 100."""

import math

Z = 1.959964  # of the normal distribution, for 95 %


def share(hits):
    """Share of the true ones among booleans, its Wilson interval, and how many there are."""
    hits = list(hits)
    n = len(hits)
    if n == 0:
        return {"share": 0.0, "low": 0.0, "high": 1.0, "n": 0}
    p = sum(map(bool, hits)) / n
    center = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    reach = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    low, high = max(0.0, center - reach), min(1.0, center + reach)
    return {"share": round(p, 4), "low": round(low, 4), "high": round(high, 4), "n": n}


def mean(values):
    """Mean of numbers, its normal interval, and how many there are."""
    values = [float(value) for value in values]
    n = len(values)
    middle = sum(values) / n
    spread = math.sqrt(sum((value - middle) ** 2 for value in values) / max(1, n - 1))
    reach = Z * spread / math.sqrt(n)
    low, high = round(middle - reach, 4), round(middle + reach, 4)
    return {"mean": round(middle, 4), "low": low, "high": high, "n": n}
