"""InsightFace's MobileFaceNet in PyTorch, for weights that are made here and read by uir-train and uir-extract.

Written from the published structure and its state-dict keys, not from the C++.
"""

import torch
from torch import nn


def scaled(channels, width):
    return max(8, int(channels * width / 8 + 0.5) * 8)


class Layers(nn.Module):
    def __init__(self, *children):
        super().__init__()
        self.layers = nn.Sequential(*children)

    def forward(self, x):
        return self.layers(x)


def conv_block(cin, cout, kernel=3, stride=1, padding=1, groups=1):
    return Layers(nn.Conv2d(cin, cout, kernel, stride, padding, groups=groups, bias=False), nn.BatchNorm2d(cout), nn.PReLU(cout))


def linear_block(cin, cout, kernel=1, groups=1):
    return Layers(nn.Conv2d(cin, cout, kernel, groups=groups, bias=False), nn.BatchNorm2d(cout))


class DepthWise(Layers):
    def __init__(self, cin, cout, groups, stride):
        super().__init__(conv_block(cin, groups, 1, 1, 0), conv_block(groups, groups, 3, stride, 1, groups), linear_block(groups, cout))
        self.residual = stride == 1

    def forward(self, x):
        return x + self.layers(x) if self.residual else self.layers(x)


def residual(channels, blocks, groups):
    return Layers(*[DepthWise(channels, channels, groups, 1) for _ in range(blocks)])


class MobileFaceNet(nn.Module):
    def __init__(self, width=1.0, embedding_size=512):
        super().__init__()
        c = lambda n: scaled(n, width)
        self.layers = nn.ModuleList([
            conv_block(3, c(128), stride=2),
            conv_block(c(128), c(128), groups=c(128) // 2),
            DepthWise(c(128), c(128), c(128), 2), residual(c(128), 4, c(128)),
            DepthWise(c(128), c(256), c(256), 2), residual(c(256), 6, c(256)),
            DepthWise(c(256), c(256), c(512), 2), residual(c(256), 2, c(256))])
        self.conv_sep = conv_block(c(256), c(512), 1, 1, 0)
        self.features = Layers(linear_block(c(512), c(512), 7, c(512)), nn.Flatten(), nn.Linear(c(512), embedding_size, bias=False),
                               nn.BatchNorm1d(embedding_size))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.features(self.conv_sep(x))


def trained_looking(width, embedding_size, seed=0):
    """A network whose every tensor differs from its initial value, so that none can be forgotten."""
    torch.manual_seed(seed)
    network = MobileFaceNet(width, embedding_size)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_mean"):
                tensor.normal_(0, 0.1)
            elif name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif name.endswith("num_batches_tracked"):
                tensor.fill_(1000)
            elif tensor.dim() == 1:
                tensor.uniform_(0.2, 1.2)
    return network.eval()
