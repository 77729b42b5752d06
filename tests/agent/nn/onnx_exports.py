#!/usr/bin/env python3
"""Writes models as exporters other than PyTorch's lay them out, for tests/agent/nn/onnx_models_test.cpp.

    onnx_exports.py FOLDER

Each model is a folder as in ONNX's conformance data; what the expected outputs are is computed with NumPy.
"""

import pathlib
import sys

import numpy as np
from onnx import TensorProto, helper, load, save

from onnx_models import Model, convolved, quantised


class Quantised(Model):
    """A network as ONNX Runtime's quantiser writes it (QDQ): pairs around every operation, weights and biases as integers."""

    def constant_codes(self, codes, kind, scale, axis=None):
        zero = np.zeros_like(scale)
        named = {} if axis is None else {"axis": axis}
        return self.node("DequantizeLinear", [self.constant(codes, kind), self.constant(scale), self.constant(zero, kind)], **named)

    def pair(self, scale, zero):
        s, z = self.constant(scale), self.constant(zero, np.uint8)
        self.at = self.node("DequantizeLinear", [self.node("QuantizeLinear", [self.at, s, z]), s, z])
        self.value = quantised(self.value, scale, zero, 8, signed=False)
        return self

    def conv(self, rng, outputs, before, pad=1):
        """A convolution with one scale for each output, and its ReLU in the codes behind it (zero point 0)."""
        codes = rng.integers(-127, 128, size=(outputs, self.value.shape[1], 3, 3))
        scale = (rng.random(outputs) * 0.01 + 0.002).astype(np.float32)
        bias = rng.integers(-3000, 3000, size=outputs)
        w = self.constant_codes(codes, np.int8, scale, 0)
        b = self.constant_codes(bias, np.int32, scale * np.float32(before), 0)
        answer = convolved(self.value, codes * scale.reshape(-1, 1, 1, 1), bias * (scale * np.float32(before)), pad=pad)
        return self.then("Conv", answer, w, b, pads=[pad] * 4, kernel_shape=[3, 3], strides=[1, 1], dilations=[1, 1], group=1)


def quantised_network(folder, rng, image):
    m = Quantised("onnxruntime_qdq", image)
    m.pair(0.02, 120)
    m.conv(rng, 6, 0.02).pair(0.05, 0)
    m.then("MaxPool", m.value.reshape(3, 6, 3, 2, 3, 2).max(axis=(3, 5)), kernel_shape=[2, 2], strides=[2, 2]).pair(0.05, 0)
    skip, value = m.at, m.value
    m.conv(rng, 6, 0.05).pair(0.06, 100)
    m.at = m.node("Add", [m.at, skip])
    m.value = m.value + value
    m.pair(0.08, 90)
    m.then("GlobalAveragePool", m.value.mean(axis=(2, 3), keepdims=True)).pair(0.04, 90)
    m.then("Flatten", m.value.reshape(3, -1), axis=1).pair(0.04, 90)
    codes = rng.integers(-127, 128, size=(5, 6))
    w = m.constant_codes(codes, np.int8, np.float32(0.01))
    b = m.constant_codes(rng.integers(-500, 500, size=5), np.int32, np.float32(0.0004))
    bias = np.frombuffer(m.tensors[-3].raw_data, np.int32) * np.float32(0.0004)
    m.then("Gemm", m.value @ (codes * 0.01).T + bias, w, b, transB=1)
    m.save(folder)


def old_files(folder, rng, image):
    """Initialisers listed as inputs (IR 3), training's leftovers, constants as nodes."""
    for opset in (6, 7, 9, 11, 13, 17):
        m = Model(f"leftovers_opset{opset}", image, opset)
        w, b = (rng.normal(size=s).astype(np.float32) for s in ((4, 2, 3, 3), (4,)))
        m.then("Conv", convolved(m.value, w, b, pad=1), m.constant(w), m.constant(b), pads=[1] * 4)
        m.then("Identity", m.value)
        m.then("LeakyRelu", np.where(m.value < 0, 0.125 * m.value, m.value), alpha=0.125)
        if opset < 12:
            m.then("Dropout", m.value, ratio=0.5, **({"is_test": 1} if opset == 6 else {}))
        else:
            m.then("Dropout", m.value, m.constant(0.5))
        mean, var, gain, shift = rng.normal(size=4), rng.random(4) + 0.5, rng.random(4) + 0.5, rng.normal(size=4)
        normed = (m.value - mean.reshape(-1, 1, 1)) / np.sqrt(var + 1e-5).reshape(-1, 1, 1) * gain.reshape(-1, 1, 1)
        m.then("BatchNormalization", normed + shift.reshape(-1, 1, 1), *[m.constant(v) for v in (gain, shift, mean, var)],
               **({"is_test": 1} if opset == 6 else {}))
        m.then("GlobalMaxPool", m.value.max(axis=(2, 3), keepdims=True))
        m.then("Flatten", m.value.reshape(3, -1))
        w, b = rng.normal(size=(4, 5)).astype(np.float32), rng.normal(size=5).astype(np.float32)
        m.then("Gemm", m.value @ w + b, m.constant(w), m.constant(b), **({"broadcast": 1} if opset == 6 else {}))
        m.save(folder)
        path = folder / m.name / "model.onnx"
        model = load(str(path))
        if opset < 9:
            model.ir_version = 3
            for tensor in model.graph.initializer:
                model.graph.input.append(helper.make_tensor_value_info(tensor.name, TensorProto.FLOAT, list(tensor.dims)))
        else:
            nodes = [helper.make_node("Constant", [], [t.name], value=t) for t in model.graph.initializer]
            nodes += list(model.graph.node)
            del model.graph.initializer[:], model.graph.node[:]
            model.graph.node.extend(nodes)
        save(model, str(path))


def channels_last(folder, rng, image):
    """As tf2onnx leaves it: a transpose in front, one behind, the padding of TensorFlow, means over axes 2 and 3."""
    m = Model("tensorflow", image.transpose(0, 2, 3, 1), 15)
    m.then("Transpose", image, perm=[0, 3, 1, 2])
    w, scale = rng.normal(size=(4, 2, 3, 3)).astype(np.float32), rng.normal(size=(4, 1, 1)).astype(np.float32)
    padded = np.pad(m.value, ((0, 0), (0, 0), (0, 1), (0, 1)))
    m.then("Conv", convolved(padded, w, stride=2), m.constant(w), auto_pad="SAME_UPPER", strides=[2, 2], kernel_shape=[3, 3])
    m.then("Mul", m.value * scale, m.constant(scale))
    m.then("Relu", np.maximum(m.value, 0))
    m.then("Min", np.minimum(m.value, 6), m.constant(6.0))
    m.then("ReduceMean", m.value.mean(axis=(2, 3)), axes=[2, 3], keepdims=0)
    w = rng.normal(size=(4, 3)).astype(np.float32)
    m.then("MatMul", m.value @ w, m.constant(w))
    m.save(folder)


def computed_shapes(folder, rng, image):
    """Extents worked out from those of a map, as with an image of any size that has been fixed."""
    m = Model("computed_shapes", image)
    w = rng.normal(size=(4, 2, 3, 3)).astype(np.float32)
    m.then("Conv", convolved(m.value, w, pad=1), m.constant(w), pads=[1] * 4)
    shape = m.node("Shape", [m.at])
    one = [m.node("Unsqueeze", [m.node("Gather", [shape, m.constant(i, np.int64)], axis=0), m.constant([0], np.int64)]) for i in range(4)]
    pixels = m.node("Mul", [one[2], one[3]])
    wanted = m.node("Concat", [one[0], m.constant([2], np.int64), m.node("Div", [one[1], m.constant([2], np.int64)]), pixels], axis=0)
    m.then("Reshape", m.value.reshape(3, 2, 2, 36), wanted)
    m.then("Transpose", m.value.transpose(0, 2, 1, 3), perm=[0, 2, 1, 3])
    m.then("Reshape", m.value.reshape(3, 4, 6, 6), shape)
    size = m.node("Mul", [m.node("Slice", [shape, *[m.constant([v], np.int64) for v in (2, 4)]]), m.constant([2], np.int64)])
    both = m.node("Concat", [m.node("Slice", [shape, *[m.constant([v], np.int64) for v in (0, 2)]]), size], axis=0)
    m.then("Resize", m.value.repeat(2, axis=2).repeat(2, axis=3), "", "", both, mode="nearest",
           coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    m.save(folder)


def main(folder):
    rng = np.random.default_rng(11)
    image = rng.normal(size=(3, 2, 6, 6)).astype(np.float32)
    quantised_network(folder, rng, image)
    old_files(folder, rng, image)
    channels_last(folder, rng, image)
    computed_shapes(folder, rng, image)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
