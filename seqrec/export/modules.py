"""Torch's small modules as nodes of a graph."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from seqrec.export.graph import Graph


def array(weight: Tensor) -> np.ndarray:
    """Return a module's weight as NumPy's float32."""
    return weight.detach().cpu().float().numpy()


def add_linear(graph: Graph, linear: nn.Linear, values: str) -> str:
    """Run a linear layer over the last axis."""
    product = graph.add("MatMul", values, graph.constant(array(linear.weight.T)))
    return graph.add("Add", product, graph.constant(array(linear.bias)))


def add_layer_norm(graph: Graph, norm: nn.LayerNorm, values: str) -> str:
    """Normalise over the last axes."""
    scale, shift = graph.constant(array(norm.weight)), graph.constant(array(norm.bias))
    return graph.add("LayerNormalization", values, scale, shift, axis=-len(norm.normalized_shape), epsilon=norm.eps)


def scale_and_shift(norm: nn.BatchNorm1d) -> tuple[np.ndarray, np.ndarray]:
    """Return what a batch norm multiplies each channel by in evaluation, and adds to it, in float64."""
    weights = (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    mean, variance, gain, bias = (weight.detach().cpu().double().numpy() for weight in weights)  # type: ignore[union-attr]
    scale = gain / np.sqrt(variance + norm.eps)
    return scale, bias - mean * scale
