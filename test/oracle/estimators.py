"""Means with their standard errors, and the growth laws."""

import math
from typing import Any

import numpy as np

PerDocument = list[np.ndarray]  # one value for each token of each document


def mean(values: PerDocument) -> float:
    return float(np.concatenate(values).mean())


def standard_error(values: PerDocument) -> float:
    """Of the pooled mean r: over documents, as a ratio of sums; over tokens if there is only one.

    √( Σ_n (s_n − r c_n)² · D/(D−1) ) / Σ_n c_n, document n having sum s_n and c_n tokens.
    """
    # A document of one token predicts nothing: it has no losses to scatter.
    informative = [v for v in values if v.size > 0]
    pooled = np.concatenate(informative)
    documents = len(informative)
    if documents == 1:
        return float(pooled.std(ddof=1) / math.sqrt(pooled.size))
    ratio = pooled.mean()
    residuals = np.array([v.sum() - ratio * v.size for v in informative])
    return float(math.sqrt((residuals**2).sum() * documents / (documents - 1)) / pooled.size)


def token_statistics(values: PerDocument) -> dict[str, float]:
    return {
        "mean": mean(values),
        "standardError": standard_error(values),
        "median": float(np.median(np.concatenate(values))),
        "meanWithoutFirstToken": mean([v[1:] for v in values]),
    }


def growth(variances: list[float]) -> dict[str, dict[str, float]]:
    """Least squares of log σ² on the layer index i (exponential) and on log(i + 1) (power)."""
    index = np.arange(len(variances), dtype=np.float64)
    log_variance = np.log(np.array(variances))
    return {
        "exponential": fit(index, log_variance, "rate"),
        "power": fit(np.log(index + 1), log_variance, "exponent"),
    }


def fit(x: np.ndarray, y: np.ndarray, slope_name: str) -> dict[str, float]:
    design = np.stack([x, np.ones_like(x)], axis=1)
    (slope, intercept), *_ = np.linalg.lstsq(design, y, rcond=None)
    residual = y - design @ np.array([slope, intercept])
    r2 = 1 - (residual**2).sum() / ((y - y.mean()) ** 2).sum()
    return {slope_name: float(slope), "intercept": float(intercept), "r2": float(r2)}


def rounded(value: Any, digits: int = 10) -> Any:
    """Ten significant digits: far below every tolerance, far above float64 noise between CPUs."""
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item, digits) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    return value
