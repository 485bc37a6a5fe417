"""MANO (multipole attention neural operator) restated in PyTorch.

Colagrande et al., arXiv 2507.02748. Written from the formulas, parameter names of the state_dict as third parties
copied it. Windowed attention with the same weights on every level of a hierarchy of grids:

  x_0 = x, x_l = down(x_{l-1});  A_l = attention in K x K windows at stride S, averaged where windows overlap
  R = A_{L-1};  R = A_{L-2-j} + up(R) / (j + 1) for j = 0..L-2
"""
import math

import torch
from torch import nn
from torch.nn import functional as F


class WindowAttention(nn.Module):
    """tokens of one window [.., K K, C]; the last map is absent for one head of full width"""

    def __init__(self, dim, heads, width):
        super().__init__()
        self.heads, self.width, inner = heads, width, heads * width
        self.norm = nn.LayerNorm(dim)
        self.to_qkv = nn.Linear(dim, 3 * inner, bias=False)
        self.to_out = nn.Identity() if heads == 1 and width == dim else nn.Sequential(nn.Linear(inner, dim))

    def forward(self, x):
        b, n, _ = x.shape
        q, k, v = (t.reshape(b, n, self.heads, self.width).transpose(1, 2)
                   for t in self.to_qkv(self.norm(x)).chunk(3, dim=-1))
        a = torch.softmax(torch.matmul(q, k.transpose(-1, -2)) * self.width ** -0.5, dim=-1)
        return self.to_out(torch.matmul(a, v).transpose(1, 2).flatten(2))


class LocalAttention(nn.Module):
    """[B, X, Y, C] -> the same, attention within windows cut out by unfold and put back by fold"""

    def __init__(self, dim, heads, width, window, stride):
        super().__init__()
        self.window, self.stride, self.tiled = window, stride, False
        self.norm = nn.LayerNorm(dim)
        self.Attention = WindowAttention(dim, heads, width)

    def forward(self, x):
        b, nx, ny, c = x.shape
        if self.tiled:
            return self.on_tiles(x)
        shape, k = (nx, ny), self.window
        cut = F.unfold(x.permute(0, 3, 1, 2), k, stride=self.stride)  # [B, C K K, windows]
        count = cut.shape[-1]
        tokens = cut.reshape(b, c, k * k, count).permute(0, 3, 2, 1).reshape(b * count, k * k, c)
        y = self.Attention(self.norm(tokens))
        y = y.reshape(b, count, k * k, c).permute(0, 3, 2, 1).reshape(b, c * k * k, count)
        ones = torch.ones(1, k * k, count, dtype=x.dtype)
        y = F.fold(y, shape, k, stride=self.stride) / F.fold(ones, shape, k, stride=self.stride)
        return y.permute(0, 2, 3, 1)

    def on_tiles(self, x):
        """the same for windows side by side, without unfold, which exports wrongly"""
        b, nx, ny, c = x.shape
        k = self.window
        tokens = x.reshape(b, nx // k, k, ny // k, k, c).transpose(2, 3).reshape(-1, k * k, c)
        y = self.Attention(self.norm(tokens))
        return y.reshape(b, nx // k, ny // k, k, k, c).transpose(2, 3).reshape(b, nx, ny, c)


class ToChannelsFirst(nn.Module):
    def forward(self, x):
        return x.permute(0, 3, 1, 2)


class ToChannelsLast(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1)


def channels_first(layer):
    """index 1 carries the weights"""
    return nn.Sequential(ToChannelsFirst(), layer, ToChannelsLast())


class MultipoleAttention(nn.Module):
    def __init__(self, a, levels):
        super().__init__()
        dim, rate = a["dim"], a["att_sampling_rate"]
        self.levels = levels
        self.Attention = LocalAttention(dim, a["heads"], a["dim_head"], a["local_attention_span"],
                                        a["local_attention_stride"])
        learned = a["att_sampling"] == "conv"
        self.down = channels_first(nn.Conv2d(dim, dim, rate, rate, bias=False) if learned else nn.AvgPool2d(rate))
        self.up = channels_first(nn.ConvTranspose2d(dim, dim, rate, rate, bias=False) if learned else
                                 nn.Upsample(scale_factor=rate, mode="nearest"))

    def forward(self, x):
        grids = [x]
        for _ in range(self.levels - 1):
            grids.append(self.down(grids[-1]))
        found = [self.Attention(grid) for grid in grids]
        r = found.pop()
        for j, finer in enumerate(reversed(found)):
            r = finer + self.up(r) / (j + 1)
        return r


class FeedForward(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.net = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, hidden), nn.GELU(), nn.Identity(),
                                 nn.Linear(hidden, dim))

    def forward(self, x):
        return self.net(x)


class Transformer(nn.Module):
    def __init__(self, a, levels):
        super().__init__()
        self.norm = nn.LayerNorm(a["dim"])
        self.layers = nn.ModuleList([nn.ModuleList([MultipoleAttention(a, levels),
                                                    FeedForward(a["dim"], a["mlp_dim"])]) for _ in range(a["depth"])])

    def forward(self, x):
        for attention, feed_forward in self.layers:
            x = x + attention(x)
            x = x + feed_forward(x)
        return self.norm(x)


class Mano(nn.Module):
    """x [B, channels, X, Y] -> the same (variant recovered) or one channel (recovered_half_head)"""

    def __init__(self, a):
        super().__init__()
        dim, half = a["dim"], a["variant"] == "recovered_half_head"
        self.linear_p = nn.Linear(a["channels"], dim)
        self.transformer = Transformer(a, level_count(a["image_size"], a["att_sampling_rate"]))
        self.linear_q = nn.Linear(dim, dim // 2 if half else dim)
        self.output_layer = nn.Linear(self.linear_q.out_features, 1 if half else a["channels"])

    def forward(self, x):
        y = self.transformer(self.linear_p(x.permute(0, 2, 3, 1)))
        return self.output_layer(torch.tanh(self.linear_q(y))).permute(0, 3, 1, 2)


def level_count(size, rate):
    """the logarithms are divided in double precision and cut off, so exact powers may lose a level: 243 = 3^5 has 4"""
    return int(math.log(size) / math.log(rate))


# ---- the model's entry (models.py) ----

build = Mano
_SHARED = {"device": "cpu", "dim": 12, "depth": 2, "heads": 2, "dim_head": 6, "att_dropout": 0.0, "channel_scale": 1,
           "mlp_dim": 20, "channels": 3, "emb_dropout": 0.0, "local_attention_span": 2, "local_attention_stride": 2,
           "att_sampling": "conv", "att_sampling_rate": 2}
VARIANTS = {"recovered": dict(_SHARED, head="full"), "recovered_half_head": dict(_SHARED, head="half")}
PUBLISHED = {"mano": ({"variant": "recovered", "dim": 128, "depth": 8, "heads": 4, "dim_head": 32, "mlp_dim": 128},
                      [64, 64], 1)}


def draw(a, shape, batch):
    """points per axis"""
    a.setdefault("image_size", shape[0])
    a["levels"] = level_count(a["image_size"], a["att_sampling_rate"])
    return {"x": torch.randn(batch, a["channels"], *shape)}


def for_export(model, inputs):
    for attention, _ in model.transformer.layers:
        local = attention.Attention
        local.tiled = local.window == local.stride
    return model
