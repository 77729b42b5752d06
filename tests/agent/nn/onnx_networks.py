#!/usr/bin/env python3
"""Exports networks as people build them from PyTorch, for tests/agent/nn/onnx_models_test.cpp.

    onnx_networks.py FOLDER

Each network is a folder as in ONNX's conformance data, with what PyTorch computes. Where Bittern has to refuse it, the file
refusal.txt in the folder holds words of the message.
"""

import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

from onnx_models import save_case


def unit(i, o, k, stride=1, groups=1, act=nn.ReLU):
    parts = [nn.Conv2d(i, o, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*parts, *([act()] if act else []))


def head(channels):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


class Of(nn.Module):
    """A network with parts, as a function says what is computed with them."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.computed = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.computed(self, x)


def dense(channels, growth, count):
    def forward(m, x):
        maps = [x]
        for layer in m.layers:
            maps.append(layer(torch.cat(maps, 1)))
        return torch.cat(maps, 1)

    layers = []
    for i in range(channels, channels + count * growth, growth):
        layers.append(nn.Sequential(nn.BatchNorm2d(i), nn.ReLU(), nn.Conv2d(i, 4 * growth, 1, bias=False),
                                    nn.BatchNorm2d(4 * growth), nn.ReLU(), nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)))
    return Of(forward, layers=nn.ModuleList(layers))


def densenet():
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), dense(8, 4, 3), nn.BatchNorm2d(20), nn.ReLU(), nn.Conv2d(20, 10, 1), nn.AvgPool2d(2),
                         dense(10, 4, 2), nn.BatchNorm2d(18), nn.ReLU(), head(18))


def shuffled(x, groups):
    n, c, h, w = x.size()
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


def shufflenet_v1():
    def forward(m, x):
        x = m.stem(x)
        y = m.last(m.depthwise(shuffled(m.first(x), 3)))
        return m.head(F.relu(torch.cat([F.avg_pool2d(x, 3, 2, 1), y], 1)))

    return Of(forward, stem=unit(3, 12, 3, 2), first=unit(12, 12, 1, groups=3), depthwise=unit(12, 12, 3, 2, 12, None),
              last=unit(12, 12, 1, groups=3, act=None), head=head(24))


def shufflenet_v2():
    def forward(m, x):
        a, b = m.stem(x).chunk(2, 1)
        return m.head(shuffled(torch.cat((a, m.branch(b)), 1), 2))

    branch = nn.Sequential(unit(4, 4, 1), unit(4, 4, 3, 1, 4, None), unit(4, 4, 1))
    return Of(forward, stem=unit(3, 8, 3, 2), branch=branch, head=head(8))


def fpn():
    """A pyramid whose levels are made as large as one another by the size of a map."""
    def forward(m, x):
        a = m.one(x)
        return m.out(a + F.interpolate(m.side(m.two(a)), size=a.shape[2:], mode="nearest"))

    return Of(forward, one=unit(3, 8, 3, 2), two=unit(8, 16, 3, 2), side=nn.Conv2d(16, 8, 1), out=nn.Conv2d(8, 4, 3, padding=1))


def unet(up):
    def forward(m, x):
        a = m.one(x)
        return m.out(m.last(torch.cat([a, m.up(m.two(F.max_pool2d(a, 2)))], 1)))

    return Of(forward, one=unit(3, 8, 3), two=unit(8, 16, 3), up=up, last=unit(16, 8, 3), out=nn.Conv2d(8, 2, 1))


def bilinear(channels, factor, corners=False):
    def forward(m, x):
        return F.interpolate(m.conv(x), scale_factor=factor, mode="bilinear", align_corners=corners)

    return Of(forward, conv=nn.Conv2d(channels, 8, 1))


def yolo():
    def leaky():
        return nn.LeakyReLU(0.1)

    def forward(m, x):
        x = m.two(m.one(x))
        y = x + m.four(m.three(x))
        return m.out(F.max_pool2d(F.pad(y, (0, 1, 0, 1)), 2, 1))

    return Of(forward, one=unit(3, 8, 3, act=leaky), two=unit(8, 16, 3, 2, act=leaky), three=unit(16, 8, 1, act=leaky),
              four=unit(8, 16, 3, act=leaky), out=nn.Conv2d(16, 6, 1))


def spp():
    """Pools of several sizes side by side, and an answer with pixels as its rows."""
    def forward(m, x):
        x = m.stem(x)
        pools = [F.max_pool2d(x, k, 1, k // 2) for k in (5, 9, 13)]
        return m.out(torch.cat([x, *pools], 1)).flatten(2).permute(0, 2, 1)

    return Of(forward, stem=unit(3, 8, 3, 2), out=nn.Conv2d(32, 5, 1))


def focus():
    def forward(m, x):
        return m.conv(torch.cat([x[..., a::2, b::2] for b in (0, 1) for a in (0, 1)], 1))

    return Of(forward, conv=unit(12, 8, 3))


def flip():
    return Of(lambda m, x: m.conv(x[:, [2, 1, 0]]).flip(3), conv=nn.Conv2d(3, 4, 3))


def views():
    def forward(m, x):
        x = m.body(x)
        return m.head(x.reshape(x.shape[0], x.shape[1] * x.shape[2] * x.shape[3]))

    return Of(forward, body=unit(3, 4, 3, 2), head=nn.Linear(4 * 16 * 16, 10))


def two_pools():
    def forward(m, x):
        x = m.body(x)
        return m.head(torch.cat([x.amax((2, 3)), x.mean((2, 3)), x.sum((2, 3)) / 256, x.amin((2, 3))], 1))

    return Of(forward, body=unit(3, 8, 3, 2, act=None), head=nn.Linear(32, 10))


def maxout():
    def forward(m, x):
        a, b = m.conv(x).chunk(2, 1)
        return torch.max(a, b) - torch.min(a, torch.abs(b))

    return Of(forward, conv=nn.Conv2d(3, 8, 3))


def squeeze_excite(act, gate):
    def forward(m, x):
        x = m.body(x)
        return m.head(x * m.gate(m.two(F.relu(m.one(F.adaptive_avg_pool2d(x, 1))))))

    return Of(forward, body=unit(3, 8, 3, 2, act=act), one=nn.Conv2d(8, 4, 1), two=nn.Conv2d(4, 8, 1), gate=gate(), head=head(8))


def behind_conv(*layers):
    return nn.Sequential(nn.Conv2d(3, 4, 3), *layers)


def networks():
    """Name -> network; those that are exported at several opsets; words of the refusal of the others."""
    transposed = nn.ConvTranspose2d
    one = {"densenet": densenet(), "shufflenet_v1": shufflenet_v1(), "unet_transposed": unet(transposed(16, 8, 2, 2)),
           "unet_transposed_4": unet(transposed(16, 8, 4, 2, 1)), "unet_transposed_groups": unet(transposed(16, 8, 4, 2, 1, groups=4)),
           "unet_transposed_odd": unet(transposed(16, 8, 3, 2, 1, output_padding=1)),
           "transposed_stride_1": behind_conv(transposed(4, 3, 3, 1, 1)),
           "transposed_dilated": behind_conv(transposed(4, 3, (3, 2), (3, 1), (2, 0), dilation=2)),
           "bilinear_3": bilinear(3, 3), "bilinear_4": bilinear(3, 4), "bilinear_half": bilinear(3, 0.5), "maxout": maxout(),
           "prelu": behind_conv(nn.PReLU(4), head(4)), "hardsigmoid": behind_conv(nn.Hardsigmoid()),
           "adaptive_pool": behind_conv(nn.AdaptiveAvgPool2d(5)), "dropout": behind_conv(nn.Dropout2d(), head(4))}
    several = {"shufflenet_v2": shufflenet_v2(), "fpn": fpn(), "unet_bilinear": unet(bilinear(16, 2)), "yolo": yolo(), "spp": spp(),
               "focus": focus(), "flip": flip(), "views": views(), "two_pools": two_pools()}
    products = "products of two activations are not computed"
    refused = {"mobilenet_v3": (squeeze_excite(nn.Hardswish, nn.Hardsigmoid), products),
               "squeeze_excite": (squeeze_excite(nn.ReLU, nn.Hardsigmoid), products),
               "efficientnet": (squeeze_excite(nn.SiLU, nn.Sigmoid), "only piecewise linear activations"),
               "gelu": (behind_conv(nn.GELU()), "only piecewise linear activations"),
               "group_norm": (behind_conv(nn.GroupNorm(2, 4)), "train with batch normalisation"),
               "instance_norm": (behind_conv(nn.InstanceNorm2d(4)), "train with batch normalisation"),
               "align_corners": (unet(bilinear(16, 2, True)), "align_corners=False")}
    return one, several, refused


def main(folder):
    torch.manual_seed(4)
    one, several, refused = networks()
    image = torch.rand(2, 3, 32, 32)

    def export(name, model, opset, open_batch, words=""):
        model.eval()
        for part in model.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.uniform_(-0.3, 0.3)
                part.running_var.uniform_(0.5, 1.5)
        (folder / name).mkdir(parents=True, exist_ok=True)
        torch.onnx.export(model, image[:1], str(folder / name / "model.onnx"), opset_version=opset, input_names=["image"],
                          dynamic_axes={"image": {0: "batch"}} if open_batch else None)
        batch = image if open_batch else image[:1]
        with torch.no_grad():
            save_case(folder, name, batch.numpy(), model(batch).numpy())
        if words:
            (folder / name / "refusal.txt").write_text(words)

    for name, model in one.items():
        export(name, model, 13, True)
    for name, model in several.items():
        for opset in (9, 11, 16):
            # The exporter has no slices with steps there, and another bilinear resize than PyTorch's.
            if opset == 9 and name in ("focus", "flip", "unet_bilinear"):
                continue
            export(f"{name}_opset{opset}", model, opset, opset != 9)
    for name, (model, words) in refused.items():
        export(name, model, 14, False, words)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
