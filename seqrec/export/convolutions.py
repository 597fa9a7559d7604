"""Convolutional fronts as parts of a graph; padding is zero before each layer and behind it, as in torch.

Inside, frames are planes (B, C, T) or (B, C, T, F), as convolutions want them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from seqrec.encoders.convolution import ConvolutionLayer, FrontLayer, MaxPooling
from seqrec.encoders.convolutional import ConvolutionalEncoder
from seqrec.encoders.deepspeech import DeepSpeechEncoder
from seqrec.encoders.tds import TDSBlock, Widening
from seqrec.encoders.valid_frames import FrameBatchNorm
from seqrec.export.frames import frame_mask, rounded_up, size_of, zero_padding
from seqrec.export.graph import Frames, Graph
from seqrec.export.modules import add_layer_norm, add_linear, array, scale_and_shift
from seqrec.export.recurrent import Steps, add_layer, add_stack, clear_padding, to_frames, to_steps


@dataclass(frozen=True)
class Planes:
    """Names in the graph of frames, channels first."""

    values: str  # (B, C, T) or (B, C, T, F) float32, zero in the padding
    lengths: str  # (B,) int64


def add_convolutional(graph: Graph, encoder: ConvolutionalEncoder, frames: Frames) -> Frames:
    """Add a front of convolutions and the recurrent stack behind it."""
    steps = to_steps(graph, _add_front(graph, encoder.front, frames))  # type: ignore[arg-type]
    return to_frames(graph, add_stack(graph, encoder.recurrent, steps))


def add_deepspeech(graph: Graph, encoder: DeepSpeechEncoder, frames: Frames) -> Frames:
    """Add two convolutions, then recurrent layers with batch norms."""
    steps = to_steps(graph, _add_front(graph, encoder.front, frames))  # type: ignore[arg-type]
    for layer, norm in zip(encoder.layers, encoder.norms, strict=True):
        steps = add_layer(graph, layer, steps)  # type: ignore[arg-type]
        scale, shift = (graph.constant(part.astype(np.float32)) for part in scale_and_shift(norm))  # type: ignore[arg-type]
        values = graph.add("Add", graph.add("Mul", steps.values, scale), shift)
        steps = Steps(clear_padding(graph, values, steps.lengths), steps.lengths)
    return to_frames(graph, steps)


def _add_front(graph: Graph, front: Iterable[FrontLayer], frames: Frames) -> Frames:
    layers = list(front)
    if len(layers[0].shape) == 1:
        values = graph.add("Transpose", frames.values, perm=(0, 2, 1))  # (B, T, C) -> (B, C, T)
    else:
        values = graph.add("Unsqueeze", frames.values, graph.integers(1))  # (B, T, F) -> (B, 1, T, F)
    planes = Planes(values, frames.lengths)
    for layer in layers:
        planes = LAYERS[type(layer)](graph, layer, planes)
    values = _exchange(graph, planes.values, layers[-1].output_shape)
    return Frames(graph.add("Reshape", values, graph.integers(0, 0, -1)), planes.lengths)


def _add_convolution(graph: Graph, layer: ConvolutionLayer, planes: Planes) -> Planes:
    return _masked(graph, layer, _convolve(graph, layer, planes.values), planes.lengths)


def _add_widening(graph: Graph, layer: Widening, planes: Planes) -> Planes:
    values = _convolve(graph, layer, planes.values)
    return _masked(graph, layer, _norm_frames(graph, layer.last_norm, values), planes.lengths)


def _add_tds_block(graph: Graph, layer: TDSBlock, planes: Planes) -> Planes:
    values = graph.add("Add", planes.values, _convolve(graph, layer.convolution, planes.values))
    values = add_layer_norm(graph, layer.convolution_norm, _exchange(graph, values, layer.shape))  # (B, T, C, F)
    values = graph.add("Reshape", values, graph.integers(0, 0, -1))
    first, _, _, second, _ = layer.mixing
    mixed = add_linear(graph, second, graph.add("Relu", add_linear(graph, first, values)))  # type: ignore[arg-type]
    values = add_layer_norm(graph, layer.mixing_norm, graph.add("Add", values, mixed))
    values = graph.add("Reshape", values, graph.integers(0, 0, *layer.shape))
    return _masked(graph, layer, _exchange(graph, values, layer.shape), planes.lengths)


def _add_pooling(graph: Graph, layer: MaxPooling, planes: Planes) -> Planes:
    """Pool over valid frames alone: the others, and what the last windows lack, count as -inf."""
    time, features = layer.pool
    inside = frame_mask(graph, planes.lengths, size_of(graph, planes.values, 2), axes=(1, 3))
    values = graph.add("Where", inside, planes.values, graph.number(-np.inf))
    pads = (0, 0, time - 1, features - 1)
    values = graph.add("MaxPool", values, kernel_shape=layer.pool, strides=layer.pool, pads=pads)
    lengths = rounded_up(graph, planes.lengths, layer.time_stride)
    outside = frame_mask(graph, lengths, size_of(graph, values, 2), axes=(1, 3))
    return Planes(graph.add("Where", outside, values, graph.number(0.0)), lengths)


LAYERS: Mapping[type[FrontLayer], Callable[[Graph, Any, Planes], Planes]] = {
    ConvolutionLayer: _add_convolution,
    Widening: _add_widening,
    TDSBlock: _add_tds_block,
    MaxPooling: _add_pooling,
}


def _convolve(graph: Graph, layer: ConvolutionLayer, values: str) -> str:
    """Add convolution, norm and activation; a batch norm goes into the convolution's weights."""
    convolution = layer.convolution
    weight = array(convolution.weight)
    if isinstance(layer.norm, FrameBatchNorm):
        scale, shift = scale_and_shift(layer.norm)
        weight, bias = weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), shift
    else:
        bias = array(convolution.bias)  # type: ignore[arg-type]
    parts = [graph.constant(part.astype(np.float32)) for part in (weight, bias)]
    pads = [*convolution.padding, *convolution.padding]
    values = graph.add("Conv", values, *parts, strides=convolution.stride, pads=pads)
    if isinstance(layer.norm, nn.LayerNorm):
        values = _norm_frames(graph, layer.norm, values)
    return _activate(graph, layer.activation, values)


def _activate(graph: Graph, activation: nn.Module, values: str) -> str:
    if isinstance(activation, nn.Hardtanh):
        return graph.add("Clip", values, graph.number(activation.min_val), graph.number(activation.max_val))
    if isinstance(activation, nn.GELU):  # x / 2 * (1 + erf(x / sqrt(2))); opset 20 has it as one node
        error = graph.add("Erf", graph.add("Mul", values, graph.number(np.sqrt(0.5))))
        half = graph.add("Mul", values, graph.number(0.5))
        return graph.add("Mul", half, graph.add("Add", error, graph.number(1.0)))
    return graph.add("Relu", values)


def _norm_frames(graph: Graph, norm: nn.LayerNorm, values: str) -> str:
    """Normalise each frame of planes over channels and features."""
    shape = norm.normalized_shape
    return _exchange(graph, add_layer_norm(graph, norm, _exchange(graph, values, shape)), shape)


def _exchange(graph: Graph, values: str, shape: tuple[int, ...]) -> str:
    """Turn planes (B, C, T, ...) to frames (B, T, C, ...), or back, where a frame is of `shape` (C, ...)."""
    return graph.add("Transpose", values, perm=(0, 2, 1, 3)[: 2 + len(shape)])


def _masked(graph: Graph, layer: FrontLayer, values: str, lengths: str) -> Planes:
    """Return what a layer gives for frames of `lengths` that enter, zero in the padding."""
    lengths = rounded_up(graph, lengths, layer.time_stride)
    axes = (1, 3) if len(layer.output_shape) == 2 else (1,)
    mask = frame_mask(graph, lengths, size_of(graph, values, 2), axes)
    return Planes(zero_padding(graph, values, mask), lengths)
