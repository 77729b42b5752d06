#!/usr/bin/env python3
"""Writes ONNX models with inputs and expected outputs, for tests/agent/nn/onnx_models_test.cpp.

    onnx_models.py FOLDER plain    with python3-onnx and NumPy: what the expected outputs are is computed here, by definition
    onnx_models.py FOLDER torch    with PyTorch's exporter: what PyTorch computes

Each model is a folder as in ONNX's conformance data: model.onnx, test_data_set_0/input_0.pb and output_0.pb.
"""

import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"


def save_case(folder, name, image, answer):
    data = folder / name / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    for file, array in (("input_0.pb", image), ("output_0.pb", answer)):
        (data / file).write_bytes(numpy_helper.from_array(np.ascontiguousarray(array, dtype=np.float32)).SerializeToString())


class Model:
    """A chain of nodes, each computed as it is added."""

    def __init__(self, name, image, opset=13):
        self.name, self.image, self.opset = name, image.astype(np.float32), opset
        self.nodes, self.tensors = [], []
        self.value, self.at, self.count = self.image, "image", 0

    def constant(self, array, dtype=np.float32):
        name = f"c{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.asarray(array, dtype=dtype), name))
        return name

    def node(self, op, inputs, domain="", outputs=1, **attributes):
        names = [f"t{self.count + i}" for i in range(outputs)]
        self.count += outputs
        self.nodes.append(helper.make_node(op, inputs, names, name=f"{op}_{len(self.nodes)}", domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def then(self, op, value, *others, domain="", **attributes):
        self.at = self.node(op, [self.at, *others], domain, **attributes)
        self.value = np.asarray(value, dtype=np.float32)
        return self

    def save(self, folder, external=False):
        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes, self.name, [info("image", TensorProto.FLOAT, ["N", *self.image.shape[1:]])],
            [info(self.at, TensorProto.FLOAT, None)], self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset), helper.make_opsetid(QONNX, 1)])
        path = folder / self.name
        path.mkdir(parents=True, exist_ok=True)
        onnx.save_model(model, str(path / "model.onnx"), save_as_external_data=external, location="weights.bin", size_threshold=0)
        save_case(folder, self.name, self.image, self.value)


def convolved(x, w, b=None, stride=1, pad=0):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad))).astype(np.float64)
    n, _, h, v = x.shape
    o, _, k, _ = w.shape
    out = np.zeros((n, o, (h - k) // stride + 1, (v - k) // stride + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            window = x[:, :, i * stride:i * stride + k, j * stride:j * stride + k]
            out[:, :, i, j] = np.tensordot(window, w.astype(np.float64), axes=([1, 2, 3], [1, 2, 3]))
    return out + (0 if b is None else b.reshape(1, -1, 1, 1))


def quantised(x, scale, zero, bits, signed=True, narrow=False, rounding=np.round):
    low = (-2**(bits - 1) + narrow) if signed else 0
    high = 2**(bits - 1) - 1 if signed else 2**bits - 1 - narrow
    scale = np.asarray(scale, dtype=np.float32)
    code = np.clip(rounding(x.astype(np.float32) / scale) + zero, low, high)
    return ((code - zero) * scale).astype(np.float32)


def plain(folder):
    rng = np.random.default_rng(5)
    real = lambda *shape: rng.normal(size=shape).astype(np.float32)
    image = real(3, 2, 6, 6)

    def quant(model, value, scale, zero, bits, name="Quant", **how):
        attributes = {"signed": int(how.get("signed", True)), "narrow": int(how.get("narrow", False)), "rounding_mode": "ROUND"}
        inputs = [model.constant(scale), model.constant(zero), model.constant(float(bits))]
        return model.then(name, value, *inputs, domain=QONNX, **attributes)

    # QONNX: per-channel weights, activations signed and not, with a zero point.
    for name, op, bits in (("qonnx_quant", "Quant", 4), ("qonnx_intquant", "IntQuant", 3)):
        m = Model(name, image)
        quant(m, quantised(m.value, 0.11, 0, bits), 0.11, 0.0, bits, op)
        w, scale = real(4, 2, 3, 3), np.abs(real(4, 1, 1, 1)) * 0.1 + 0.05
        wq = m.node(op, [m.constant(w), m.constant(scale), m.constant(0.0), m.constant(float(bits))], QONNX,
                    signed=1, narrow=1, rounding_mode="ROUND")
        m.then("Conv", convolved(m.value, quantised(w, scale, 0, bits, narrow=True), pad=1), wq, pads=[1, 1, 1, 1])
        m.then("Relu", np.maximum(m.value, 0))
        quant(m, quantised(m.value, 0.2, 2, bits, signed=False), 0.2, 2.0, bits, op, signed=False)
        m.then("MaxPool", m.value.reshape(3, 4, 3, 2, 3, 2).max(axis=(3, 5)), kernel_shape=[2, 2], strides=[2, 2])
        m.then("Flatten", m.value.reshape(3, -1))
        w, scale = real(5, 36), 0.07
        wq = m.node(op, [m.constant(w), m.constant(scale), m.constant(0.0), m.constant(float(bits))], QONNX,
                    signed=1, narrow=0, rounding_mode="ROUND")
        wt = m.node("Transpose", [wq], perm=[1, 0])
        m.then("MatMul", m.value @ quantised(w, scale, 0, bits).T, wt)
        m.save(folder)

    # Bipolar weights.
    m = Model("qonnx_bipolar", image)
    quant(m, quantised(m.value, 0.3, 0, 2), 0.3, 0.0, 2)
    w = real(4, 2, 3, 3)
    wq = m.node("BipolarQuant", [m.constant(w), m.constant(0.25)], QONNX)
    m.then("Conv", convolved(m.value, np.where(w >= 0, 0.25, -0.25)), wq)
    m.save(folder)

    # Trunc behind a sum of four pixels.
    m = Model("qonnx_trunc", np.abs(image))
    quant(m, quantised(m.value, 0.125, 0, 5, signed=False), 0.125, 0.0, 5, signed=False)
    total = m.value.reshape(3, 2, 3, 2, 3, 2).sum(axis=(3, 5))
    m.then("AveragePool", total / 4, kernel_shape=[2, 2], strides=[2, 2])
    m.then("Mul", total, m.constant(4.0))
    codes = np.floor(np.round(total / 0.125) / 4)
    m.then("Trunc", codes * 0.125, m.constant(0.125), m.constant(0.0), m.constant(7.0), m.constant(5.0),
           domain=QONNX, rounding_mode="FLOOR")
    w = real(3, 2, 1, 1)
    m.then("Conv", convolved(m.value, w), m.constant(w))
    m.save(folder)

    # QCDQ: a Clip between QuantizeLinear and DequantizeLinear sets the bits; weights as integers.
    m = Model("qcdq", image)

    def qcdq(m, scale, zero, bits, signed):
        kind = np.int8 if signed else np.uint8
        low, high = (-2**(bits - 1), 2**(bits - 1) - 1) if signed else (0, 2**bits - 1)
        value = quantised(m.value, scale, zero, bits, signed)
        s, z = m.constant(scale), m.constant(zero, kind)
        m.at = m.node("QuantizeLinear", [m.at, s, z])
        m.at = m.node("Clip", [m.at, m.constant(low, kind), m.constant(high, kind)])
        m.at = m.node("DequantizeLinear", [m.at, s, z])
        m.value = value

    qcdq(m, 0.09, 0, 4, True)
    codes, scale = rng.integers(-3, 4, size=(4, 2, 3, 3)), np.abs(real(4)) * 0.1 + 0.05
    wc = m.node("Clip", [m.constant(codes, np.int8), m.constant(-3, np.int8), m.constant(3, np.int8)])
    wd = m.node("DequantizeLinear", [wc, m.constant(scale), m.constant(np.zeros(4), np.int8)], axis=0)
    b = m.node("DequantizeLinear", [m.constant([5, -7, 100, 0], np.int32), m.constant(0.01)])
    m.then("Conv", convolved(m.value, codes * scale.reshape(4, 1, 1, 1), np.array([0.05, -0.07, 1.0, 0.0])), wd, b)
    m.then("Relu", np.maximum(m.value, 0))
    qcdq(m, 0.15, 3, 5, False)
    m.save(folder)

    # Unsigned weights around the middle.
    m = Model("qdq_uint8_weights", image)
    codes = rng.integers(0, 256, size=(4, 2, 3, 3))
    wd = m.node("DequantizeLinear", [m.constant(codes, np.uint8), m.constant(0.01), m.constant(128, np.uint8)])
    qcdq(m, 0.02, 120, 8, False)
    m.then("Conv", convolved(m.value, (codes - 128) * 0.01), wd)
    m.save(folder)

    # Data beside the model; bytes of every layout.
    m = Model("external_data", image)
    w, b = real(3, 2, 3, 3), real(3)
    m.then("Conv", convolved(m.value, w, b), m.constant(w), m.constant(b))
    m.save(folder, external=True)

    # Channels last, as TensorFlow's exporter writes it.
    m = Model("channels_last", image.transpose(0, 2, 3, 1))
    m.then("Transpose", image, perm=[0, 3, 1, 2])
    w = real(4, 2, 3, 3)
    pads = m.constant([0, 0, 0, 0, 0, 0, 1, 1], np.int64)
    m.then("Pad", np.pad(m.value, ((0, 0), (0, 0), (0, 1), (0, 1))), pads)
    m.then("Conv", convolved(m.value, w, stride=2), m.constant(w), strides=[2, 2])
    m.then("Clip", np.clip(m.value, 0, 6), m.constant(0.0), m.constant(6.0))
    m.then("Transpose", m.value.transpose(0, 2, 3, 1), perm=[0, 2, 3, 1])
    w = real(4, 5)
    m.then("MatMul", m.value @ w, m.constant(w))
    m.then("Add", m.value + np.arange(5), m.constant(np.arange(5)))
    m.save(folder)

    # Arithmetic with constants before, between and behind layers.
    m = Model("arithmetic", image)
    mean, dev = real(1, 2, 1, 1), np.abs(real(1, 2, 1, 1)) + 0.5
    m.then("Sub", m.value - mean, m.constant(mean))
    m.then("Div", m.value / dev, m.constant(dev))
    w = real(4, 2, 1, 1)
    m.then("Conv", convolved(m.value, w), m.constant(w))
    scale = real(4, 1, 1)
    m.then("Mul", m.value * scale, m.constant(scale))
    m.at, m.value = m.node("Sub", [m.constant(1.5), m.at]), 1.5 - m.value
    plane = real(6, 6)
    m.then("Add", m.value + plane, m.constant(plane))
    m.then("Neg", -m.value)
    m.save(folder)

    # Split, Slice, Concat and a channel shuffle.
    m = Model("shuffle", real(2, 4, 5, 5))
    one, two = m.node("Split", [m.at, m.constant([1, 3], np.int64)], outputs=2, axis=1)
    m.at = m.node("Concat", [two, one], axis=1)
    m.value = np.concatenate([m.value[:, 1:], m.value[:, :1]], axis=1)
    m.then("Reshape", m.value.reshape(2, 2, 2, 5, 5), m.constant([0, 2, 2, 5, 5], np.int64))
    m.then("Transpose", m.value.transpose(0, 2, 1, 3, 4), perm=[0, 2, 1, 3, 4])
    m.then("Reshape", m.value.reshape(2, 4, 5, 5), m.constant([0, -1, 5, 5], np.int64))
    m.then("Slice", m.value[:, :, 1:5:2, :-1], *[m.constant(v, np.int64) for v in ([1, 0], [9, -1], [2, 3], [2, 1])])
    m.save(folder)

    # Opsets beyond what Debian's libonnx knows.
    for opset in (18, 19, 20, 21):
        m = Model(f"opset_{opset}", image, opset)
        w = real(4, 2, 3, 3)
        m.then("Conv", convolved(m.value, w, pad=1), m.constant(w), pads=[1, 1, 1, 1])
        m.then("Relu", np.maximum(m.value, 0))
        m.then("Pad", np.pad(m.value, ((0, 0), (0, 0), (1, 0), (0, 2)), mode="edge"), m.constant([1, 0, 0, 2], np.int64), "",
               m.constant([2, 3], np.int64), mode="edge")
        m.then("ReduceMean", m.value.mean(axis=(2, 3), keepdims=True), m.constant([2, 3], np.int64))
        m.then("Reshape", m.value.reshape(3, 4), m.constant([-1, 4], np.int64))
        m.save(folder)


def torch_models(folder):
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.manual_seed(3)

    def norm(channels):
        layer = nn.BatchNorm2d(channels)
        with torch.no_grad():
            layer.running_mean.uniform_(-0.3, 0.3)
            layer.running_var.uniform_(0.5, 1.5)
            layer.weight.uniform_(0.5, 1.2)
            layer.bias.uniform_(-0.3, 0.3)
        return layer

    def conv(i, o, k, stride=1, groups=1, pad=None, act=nn.ReLU):
        parts = [nn.Conv2d(i, o, k, stride, k // 2 if pad is None else pad, groups=groups, bias=False), norm(o)]
        return nn.Sequential(*parts, *([act()] if act else []))

    class Block(nn.Module):
        def __init__(self, i, o, stride, bottleneck):
            super().__init__()
            out = o * 4 if bottleneck else o
            self.body = nn.Sequential(conv(i, o, 1), conv(o, o, 3, stride), conv(o, out, 1, act=None)) if bottleneck else \
                nn.Sequential(conv(i, o, 3, stride), conv(o, o, 3, act=None))
            self.skip = conv(i, out, 1, stride, act=None) if stride != 1 or i != out else nn.Identity()

        def forward(self, x):
            return F.relu(self.body(x) + self.skip(x))

    def resnet(counts, bottleneck, width=8):
        layers, i = [conv(3, width, 7, 2), nn.MaxPool2d(3, 2, 1)], width
        for stage, count in enumerate(counts):
            for n in range(count):
                layers.append(Block(i, width << stage, 2 if stage and not n else 1, bottleneck))
                i = (width << stage) * (4 if bottleneck else 1)
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(i, 10))

    def mobilenet_v1():
        layers, i = [conv(3, 8, 3, 2)], 8
        for o, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1)):
            layers += [conv(i, i, 3, stride, groups=i, act=nn.ReLU6), conv(i, o, 1, act=nn.ReLU6)]
            i = o
        return nn.Sequential(*layers, nn.AvgPool2d(4), nn.Flatten(), nn.Dropout(), nn.Linear(i, 10))

    class Inverted(nn.Module):
        def __init__(self, i, o, stride, expand):
            super().__init__()
            h = i * expand
            self.body = nn.Sequential(conv(i, h, 1, act=nn.ReLU6), conv(h, h, 3, stride, groups=h, act=nn.ReLU6),
                                      conv(h, o, 1, act=None))
            self.add = stride == 1 and i == o

        def forward(self, x):
            return x + self.body(x) if self.add else self.body(x)

    class MobileNetV2(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(conv(3, 8, 3, 2, act=nn.ReLU6), Inverted(8, 8, 1, 2), Inverted(8, 12, 2, 4),
                                      Inverted(12, 12, 1, 4), conv(12, 40, 1, act=nn.ReLU6))
            self.head = nn.Linear(40, 10)

        def forward(self, x):
            return self.head(self.body(x).mean([2, 3]))

    def vgg():
        layers, i = [], 3
        for o in (8, "M", 16, "M", 24, 24, "M"):
            layers += [nn.MaxPool2d(2, 2)] if o == "M" else [nn.Conv2d(i, o, 3, padding=1), nn.ReLU(inplace=True)]
            i = i if o == "M" else o
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d((4, 4)), nn.Flatten(), nn.Linear(24 * 16, 32), nn.ReLU(True),
                             nn.Dropout(), nn.Linear(32, 10))

    class Fire(nn.Module):
        def __init__(self, i, s, e):
            super().__init__()
            self.squeeze, self.one, self.three = nn.Conv2d(i, s, 1), nn.Conv2d(s, e, 1), nn.Conv2d(s, e, 3, padding=1)

        def forward(self, x):
            x = F.relu(self.squeeze(x))
            return torch.cat([F.relu(self.one(x)), F.relu(self.three(x))], 1)

    def squeezenet():
        return nn.Sequential(nn.Conv2d(3, 16, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(16, 4, 8),
                             Fire(16, 4, 12), nn.MaxPool2d(3, 2, ceil_mode=True), nn.Conv2d(24, 10, 1), nn.ReLU(),
                             nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(10, 10))

    class Inception(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = conv(3, 8, 3, 2)
            self.a, self.b = conv(8, 4, 1), nn.Sequential(conv(8, 4, 1), conv(4, 6, 5))
            self.c, self.d = nn.Conv2d(8, 4, (1, 7), padding=(0, 3)), nn.Conv2d(8, 3, (7, 1), padding=(3, 0))
            self.e, self.head = conv(8, 4, 1), nn.Linear(21, 10)

        def forward(self, x):
            x = self.stem(x)
            pooled = self.e(F.avg_pool2d(x, 3, 1, 1))
            x = torch.cat([self.a(x), self.b(x), F.relu(self.c(x)), F.relu(self.d(x)), pooled], 1)
            x = F.adaptive_avg_pool2d(x, 1)
            return self.head(torch.flatten(x, 1))

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.three = conv(3, 8, 3), conv(8, 16, 3), conv(24, 8, 3)
            self.last = nn.Conv2d(8, 2, 1)

        def forward(self, x):
            a = self.one(x)
            b = self.two(F.max_pool2d(a, 2))
            up = F.interpolate(b, scale_factor=2, mode="nearest")
            return self.last(self.three(torch.cat([a, up], 1)))

    class Shuffle(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = conv(3, 8, 3, 2), conv(4, 4, 3, groups=4)
            self.head = nn.Linear(8, 10)

        def forward(self, x):
            a, b = self.one(x).chunk(2, dim=1)
            x = torch.cat((a, self.two(b)), 1)
            n, c, h, w = x.size()
            x = x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, -1, h, w)
            return self.head(x.mean([2, 3]))

    class Views(nn.Module):
        """Flattened with shapes that are computed from the image's."""
        def __init__(self):
            super().__init__()
            self.body, self.head = conv(3, 4, 3, 2), nn.Linear(4 * 16 * 16, 10)
            self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]).view(1, 3, 1, 1))

        def forward(self, x):
            x = self.body((x - self.mean) / 0.25)
            return self.head(x.view(x.size(0), -1))

    class PreAct(nn.Module):
        """Batch norms that stand before their layers, ReLU of a skip, option A shortcuts."""
        def __init__(self):
            super().__init__()
            self.stem, self.bn, self.conv = nn.Conv2d(3, 6, 3, padding=1), norm(6), nn.Conv2d(6, 10, 3, 2, 1)
            self.head = nn.Linear(10, 10)

        def forward(self, x):
            x = self.stem(x)
            y = self.conv(F.relu(self.bn(x)))
            y = y + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2))
            return self.head(F.relu(y).mean((2, 3)))

    models = {"resnet18": resnet([2, 2, 2, 2], False), "resnet50": resnet([3, 4, 6, 3], True), "mobilenet_v1": mobilenet_v1(),
              "mobilenet_v2": MobileNetV2(), "vgg": vgg(), "squeezenet": squeezenet(), "inception": Inception(), "unet": UNet(),
              "shufflenet": Shuffle(), "views": Views(), "preact": PreAct(),
              "mlp": nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 20), nn.BatchNorm1d(20), nn.ReLU(), nn.Linear(20, 10))}
    pads = {"reflect": nn.ReflectionPad2d((1, 2, 0, 1)), "replicate": nn.ReplicationPad2d(2), "zero": nn.ZeroPad2d((1, 0, 2, 1))}
    for name, pad in pads.items():
        models[f"pad_{name}"] = nn.Sequential(pad, nn.Conv2d(3, 4, 3))
    models |= {
        "conv_dilated": nn.Conv2d(3, 4, 3, dilation=2, padding=(1, 2)), "conv_groups": nn.Conv2d(3, 6, 3, groups=3, stride=(2, 1)),
        "conv_nobias": nn.Conv2d(3, 4, (1, 3), bias=False), "hardtanh": nn.Sequential(nn.Conv2d(3, 4, 3), nn.Hardtanh(-0.5, 0.75)),
        "avgpool_pad": nn.Sequential(nn.Conv2d(3, 4, 1), nn.AvgPool2d(3, 2, 1)),
        "avgpool_nopad": nn.Sequential(nn.Conv2d(3, 4, 1), nn.AvgPool2d(3, 2, 1, count_include_pad=False)),
        "maxpool_dilated": nn.Sequential(nn.Conv2d(3, 4, 1), nn.MaxPool2d(3, 2, 1, dilation=2)),
        "maxpool_global": nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveMaxPool2d(1)),
        "pixelshuffle": nn.Sequential(nn.Conv2d(3, 8, 1), nn.PixelShuffle(2)),
        "linear_4d": nn.Linear(32, 7)}
    image = torch.rand(2, 3, 32, 32)
    for name, model in models.items():
        model.eval()
        (folder / name).mkdir(parents=True, exist_ok=True)
        for opset in ((9, 11, 17) if name in ("resnet18", "views", "preact", "shufflenet") else (13,)):
            case = name if opset == 13 else f"{name}_opset{opset}"
            if name == "preact" and opset == 9:  # the exporter has no slices with steps there
                continue
            (folder / case).mkdir(parents=True, exist_ok=True)
            # With batch norms of their own, as far as the exporter leaves them.
            training = torch.onnx.TrainingMode.PRESERVE if opset == 11 else torch.onnx.TrainingMode.EVAL
            torch.onnx.export(model, image[:1], str(folder / case / "model.onnx"), opset_version=opset, input_names=["image"],
                              training=training, do_constant_folding=opset != 11, dynamic_axes={"image": {0: "batch"}} if opset == 17 else None)
            batch = image if opset == 17 else image[:1]
            with torch.no_grad():
                save_case(folder, case, batch.numpy(), model(batch).numpy())


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    {"plain": plain, "torch": torch_models}[sys.argv[2]](target)
