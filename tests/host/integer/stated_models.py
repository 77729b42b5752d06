#!/usr/bin/env python3
"""Writes quantised ONNX models with an image and what they answer, for tests/host/integer/stated_models_test.cpp.

    stated_models.py FOLDER

Each model is a folder with model.onnx, image.bin (bytes, which stand for value / 255) and answer.txt (a number a line), computed
here by the definitions of the operations, in double precision and with NumPy alone.
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"


def windows(x, kernel, stride, pads, fill):
    top, left, bottom, right = pads
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    height = (x.shape[2] - kernel) // stride + 1
    width = (x.shape[3] - kernel) // stride + 1
    return np.stack([x[:, :, i:i + stride * height:stride, j:j + stride * width:stride]
                     for i in range(kernel) for j in range(kernel)], axis=-1)


def convolved(x, w, stride, pads, groups):
    parts = windows(x, w.shape[2], stride, pads, 0.0)
    each_in, each_out = x.shape[1] // groups, w.shape[0] // groups
    out = []
    for g in range(groups):
        part = parts[:, g * each_in:(g + 1) * each_in]
        filters = w[g * each_out:(g + 1) * each_out].reshape(each_out, each_in, -1)
        out.append(np.einsum("nchwk,ock->nohw", part, filters))
    return np.concatenate(out, axis=1)


def limits(bits, signed, narrow):
    if signed:
        return -2**(bits - 1) + narrow, 2**(bits - 1) - 1
    return 0, 2**bits - 1 - narrow


def quantised(x, scale, zero, bits, signed, narrow):
    low, high = limits(bits, signed, narrow)
    position = (x.astype(np.float32) / np.float32(scale)).astype(np.float64)
    return (np.clip(np.round(position) + zero, low, high) - zero) * np.asarray(scale, np.float32).astype(np.float64)


class Model:
    """A chain of nodes, each computed as it is added."""

    def __init__(self, name, image, seed):
        self.name, self.image, self.rng = name, image, np.random.default_rng(seed)
        self.value = (image.astype(np.float32) * np.float32(1 / 255)).astype(np.float64)
        self.nodes, self.tensors, self.at, self.count = [], [], "image", 0

    def constant(self, array, dtype=np.float32):
        name = f"c{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.asarray(array, dtype=dtype), name))
        return name

    def node(self, op, *inputs, domain="", **attributes):
        name = f"t{self.count}"
        self.count += 1
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=f"{op}_{self.count}", domain=domain, **attributes))
        return name

    def shaped(self, values, axis, rank):
        shape = [1] * rank
        if np.size(values) > 1:
            shape[axis] = np.size(values)
        return np.reshape(np.asarray(values, np.float32), shape if np.size(values) > 1 else [])

    # Quantisers of maps: QONNX's, and QuantizeLinear, Clip and DequantizeLinear.

    def quant(self, scale, bits, signed=True, narrow=False, zero=0.0):
        s, z = self.shaped(scale, 1, self.value.ndim), np.float32(zero)
        self.value = quantised(self.value, s, z, bits, signed, narrow)
        self.at = self.node("Quant", self.at, self.constant(s), self.constant(z), self.constant(float(bits)), domain=QONNX,
                            signed=int(signed), narrow=int(narrow), rounding_mode="ROUND")
        return self

    def bipolar(self, scale):
        self.value = np.where(self.value >= 0, 1.0, -1.0) * float(np.float32(scale))
        self.at = self.node("BipolarQuant", self.at, self.constant(scale), domain=QONNX)
        return self

    def qdq(self, scale, zero, kind=np.uint8, clip=None):
        info = np.iinfo(kind)
        low, high = clip if clip else (info.min, info.max)
        position = (self.value.astype(np.float32) / np.float32(scale)).astype(np.float64)
        codes = np.clip(np.clip(np.round(position) + zero, info.min, info.max), low, high)
        self.value = (codes - zero) * float(np.float32(scale))
        s, z = self.constant(scale), self.constant(zero, kind)
        self.at = self.node("QuantizeLinear", self.at, s, z)
        if clip:
            self.at = self.node("Clip", self.at, self.constant(low, kind), self.constant(high, kind))
        self.at = self.node("DequantizeLinear", self.at, s, z)
        return self

    def trunc(self, scale, before, after):
        self.value = np.floor(np.round(self.value / scale) / 2**(before - after)) * scale
        self.at = self.node("Trunc", self.at, self.constant(scale), self.constant(0.0), self.constant(float(before)),
                            self.constant(float(after)), domain=QONNX, rounding_mode="FLOOR")
        return self

    # Weights: name of the tensor in the graph, and its values.

    def weights(self, shape, kind, scale):
        w = self.rng.normal(0, 0.5, shape)
        if kind == "bipolar":
            name = self.node("BipolarQuant", self.constant(w), self.constant(scale), domain=QONNX)
            return name, np.where(w.astype(np.float32) >= 0, 1.0, -1.0) * float(np.float32(scale))
        if kind == "qcdq":
            # Codes as bytes around a zero point that is not their middle.
            codes = self.rng.integers(0, 256, shape).astype(np.uint8)
            s, z = self.constant(scale), self.constant(100, np.uint8)
            return self.node("DequantizeLinear", self.constant(codes, np.uint8), s, z), \
                (codes.astype(np.float64) - 100) * float(np.float32(scale))
        bits = int(kind)
        s = self.shaped(scale, 0, len(shape))
        name = self.node("Quant", self.constant(w), self.constant(s), self.constant(0.0), self.constant(float(bits)),
                         domain=QONNX, signed=1, narrow=1, rounding_mode="ROUND")
        return name, quantised(w, s, 0.0, bits, True, True)

    def conv(self, out, kernel, kind, scale, stride=1, pads=(0, 0, 0, 0), groups=1):
        name, w = self.weights((out, self.value.shape[1] // groups, kernel, kernel), kind, scale)
        self.value = convolved(self.value, w, stride, pads, groups)
        self.at = self.node("Conv", self.at, name, kernel_shape=[kernel, kernel], strides=[stride, stride], pads=list(pads),
                            group=groups)
        return self

    def matmul(self, out, kind, scale):
        name, w = self.weights((self.value.shape[1], out), kind, scale)
        self.value = self.value @ w
        self.at = self.node("MatMul", self.at, name)
        return self

    # What stands between.

    def norm(self):
        channels = self.value.shape[1]
        gain = self.rng.normal(0, 1, channels).astype(np.float32)  # of both signs
        shift, mean = (self.rng.normal(0, 0.5, channels).astype(np.float32) for _ in range(2))
        variance = self.rng.uniform(0.5, 2, channels).astype(np.float32)
        spread = (1, -1) + (1,) * (self.value.ndim - 2)
        def wide(v):
            return v.astype(np.float64).reshape(spread)
        self.value = (self.value - wide(mean)) / np.sqrt(wide(variance) + 1e-5) * wide(gain) + wide(shift)
        self.at = self.node("BatchNormalization", self.at, *(self.constant(v) for v in (gain, shift, mean, variance)), epsilon=1e-5)
        return self

    def relu(self):
        self.value, self.at = np.maximum(self.value, 0), self.node("Relu", self.at)
        return self

    def max_pool(self, kernel, stride):
        self.value = windows(self.value, kernel, stride, (0, 0, 0, 0), 0).max(axis=-1)
        self.at = self.node("MaxPool", self.at, kernel_shape=[kernel, kernel], strides=[stride, stride])
        return self

    def average(self):
        self.value, self.at = self.value.mean(axis=(2, 3), keepdims=True), self.node("GlobalAveragePool", self.at)
        return self

    def flatten(self):
        self.value, self.at = self.value.reshape(1, -1), self.node("Flatten", self.at, axis=1)
        return self

    def affine(self, factor, shift):
        self.value = self.value * float(np.float32(factor)) + float(np.float32(shift))
        self.at = self.node("Add", self.node("Mul", self.at, self.constant(factor)), self.constant(shift))
        return self

    def add_of(self, branches):
        start, value, names, values = self.at, self.value, [], []
        for branch in branches:
            self.at, self.value = start, value
            branch(self)
            names.append(self.at)
            values.append(self.value)
        self.value, self.at = values[0] + values[1], self.node("Add", *names)
        return self

    def save(self, folder):
        info = helper.make_tensor_value_info
        graph = helper.make_graph(self.nodes, self.name, [info("image", TensorProto.FLOAT, [1, *self.image.shape[1:]])],
                                  [info(self.at, TensorProto.FLOAT, None)], self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid(QONNX, 1)])
        path = folder / self.name
        path.mkdir(parents=True)
        onnx.save_model(model, str(path / "model.onnx"))
        (path / "image.bin").write_bytes(self.image.astype(np.uint8).tobytes())
        (path / "answer.txt").write_text("".join(f"{v!r}\n" for v in self.value.reshape(-1).tolist()))


def cnv(name, image, weight, activation, seed):
    """Six convolutions, two poolings and three products, as FINN's CNV has them, with few channels."""
    m = Model(name, image, seed).affine(2.0, -1.0).quant(2.0**-7, 8)
    for block, channels in enumerate((4, 6, 8)):
        for _ in range(2):
            activation(m.conv(channels, 3, weight, 0.25).norm())
        if block < 2:
            m.max_pool(2, 2)
    m.flatten()
    for _ in range(2):
        activation(m.matmul(10, weight, 0.5).norm())
    return m.matmul(5, weight, 1.0).affine(0.125, -0.25)


def main():
    folder = pathlib.Path(sys.argv[1])
    rng = np.random.default_rng(5)
    colour, grey = rng.integers(0, 256, (1, 3, 32, 32)), rng.integers(0, 256, (1, 1, 10, 12))
    cnv("cnv_w1a1", colour, "bipolar", lambda m: m.bipolar(1.0), 1).save(folder)
    cnv("cnv_w1a2", colour, "bipolar", lambda m: m.quant(1.0, 2, narrow=True), 2).save(folder)
    cnv("cnv_w2a2", colour, "2", lambda m: m.relu().quant(0.5, 2, signed=False), 3).save(folder)
    # Max pooling before the quantiser, behind batch norms that turn some channels round.
    (Model("pool_first", grey, 4).quant(0.25, 3, signed=False).conv(4, 3, "3", 0.125, pads=(1, 1, 1, 1)).norm().max_pool(2, 2)
     .quant(0.25, 4).flatten().matmul(5, "4", 0.1)).save(folder)
    # Depthwise with scales of channels, an average whose last bits are dropped.
    (Model("mobile", grey, 5).quant(1 / 255, 8, signed=False).conv(3, 3, "4", [0.1, 0.2, 0.3], stride=2, pads=(0, 0, 1, 1)).norm()
     .relu().quant([0.25, 0.5, 0.125], 4, signed=False).conv(6, 3, "4", [0.1, 0.2, 0.3, 0.1, 0.2, 0.3], pads=(1, 1, 1, 1), groups=3)
     .norm().relu().quant(0.25, 4, signed=False).average().trunc(0.25 / 32, 9, 6).flatten().matmul(4, "4", 0.1)).save(folder)
    # Shortcuts: codes of one scale, and of two.
    (Model("shortcut", grey, 6).quant(0.125, 4, signed=False).conv(4, 1, "4", 0.25).norm().relu().quant(0.25, 4, signed=False)
     .add_of([lambda m: m.conv(4, 3, "4", 0.25, pads=(1, 1, 1, 1)).norm().quant(0.25, 4), lambda m: m]).relu()
     .quant(0.25, 5, signed=False)
     .add_of([lambda m: m.conv(4, 3, "4", 0.25, pads=(1, 1, 1, 1)).norm(), lambda m: m]).relu().quant(0.3, 5, signed=False)
     .average().quant(0.1, 5, signed=False).flatten().matmul(5, "4", 0.1)).save(folder)
    # QCDQ: zero points of both operands, padding, codes that a Clip cuts to fewer bits.
    (Model("qcdq", grey, 7).qdq(1 / 255, 0).conv(4, 3, "qcdq", 0.01, pads=(1, 1, 1, 1)).norm().qdq(0.05, 117)
     .conv(4, 3, "qcdq", 0.01, stride=2, pads=(1, 0, 1, 2)).relu().qdq(0.2, 0, np.int8, (0, 7)).max_pool(2, 2)
     .flatten().matmul(5, "qcdq", 0.02)).save(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
