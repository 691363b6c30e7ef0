"""InsightFace's networks in PyTorch, written from docs/export.md and the papers' structure alone, with the state-dict keys of
arcface_torch: whatever loads there loads here with strict=True.
"""
import torch
from torch import nn

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3), 200: (6, 26, 60, 6)}


def scaled(channels, width):
    return max(8, 8 * int(channels * width / 8 + 0.5))


class IBasicBlock(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.prelu = nn.PReLU(out)
        self.conv2 = nn.Conv2d(out, out, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample = None
        if stride == 2:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return y + (x if self.downsample is None else self.downsample(x))


class IResNet(nn.Module):
    def __init__(self, depth=50, width=1, embedding_size=512):
        super().__init__()
        channels = scaled(64, width)
        self.conv1 = nn.Conv2d(3, channels, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.prelu = nn.PReLU(channels)
        for stage, count in enumerate(BLOCKS[depth]):
            out, blocks = scaled(64 << stage, width), []
            for block in range(count):
                blocks.append(IBasicBlock(channels, out, 2 if block == 0 else 1))
                channels = out
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.bn2 = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels * 49, embedding_size)
        self.features = nn.BatchNorm1d(embedding_size)

    def forward(self, x):
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.features(self.fc(torch.flatten(self.bn2(x), 1)))


class Layers(nn.Module):
    """A Sequential that is a member named layers."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)


def conv(channels, out, kernel=3, stride=1, padding=1, groups=1):
    return nn.Conv2d(channels, out, kernel, stride, padding, groups=groups, bias=False)


def conv_block(channels, out, **how):
    return Layers(conv(channels, out, **how), nn.BatchNorm2d(out), nn.PReLU(out))


def linear_block(channels, out, **how):
    return Layers(conv(channels, out, **how), nn.BatchNorm2d(out))


POINT = {"kernel": 1, "padding": 0}


class DepthWise(Layers):
    def __init__(self, channels, out, groups, stride):
        super().__init__(conv_block(channels, groups, **POINT),
                         conv_block(groups, groups, stride=stride, groups=groups),
                         linear_block(groups, out, **POINT))
        self.residual = stride == 1

    def forward(self, x):
        return x + self.layers(x) if self.residual else self.layers(x)


def residual(channels, count, groups):
    return Layers(*[DepthWise(channels, channels, groups, 1) for _ in range(count)])


class MobileFaceNet(nn.Module):
    def __init__(self, large=False, width=1, embedding_size=512):
        super().__init__()
        blocks, scale = ((2, 8, 12, 4), 4) if large else ((1, 4, 6, 2), 2)
        narrow, wide, last = (scaled(c, width) for c in (64 * scale, 128 * scale, 512))
        g1, g2, g3 = (scaled(c, width) for c in (128, 256, 512))
        self.layers = nn.ModuleList([
            conv_block(3, narrow, stride=2),
            residual(narrow, blocks[0], g1) if large else conv_block(narrow, narrow, groups=narrow // 2),
            DepthWise(narrow, narrow, g1, 2), residual(narrow, blocks[1], g1),
            DepthWise(narrow, wide, g2, 2), residual(wide, blocks[2], g2),
            DepthWise(wide, wide, g3, 2), residual(wide, blocks[3], g2)])
        self.conv_sep = conv_block(wide, last, **POINT)
        self.features = Layers(linear_block(last, last, kernel=7, padding=0, groups=last), nn.Flatten(),
                               nn.Linear(last, embedding_size, bias=False), nn.BatchNorm1d(embedding_size))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.features(self.conv_sep(x))


def network(architecture):
    """From the JSON that weights carry as their architecture."""
    kinds = {"iresnet": IResNet, "mobilefacenet": MobileFaceNet}
    return kinds[architecture["type"]](**{k: v for k, v in architecture.items() if k != "type"}).eval()
