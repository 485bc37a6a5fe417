"""Layers that several forecasters of thuml's library share, under its names."""
import math

import torch
from torch import nn
from torch.nn import functional as F

PLACES = 5000
MARKS = {"s": 6, "t": 5, "h": 4, "d": 3, "b": 3, "w": 2, "m": 1, "q": 1}
TABLES = {"month": 13, "day": 32, "weekday": 7, "hour": 24, "minute": 4}
ACTIVATIONS = {"gelu": F.gelu, "relu": F.relu, "sigmoid": torch.sigmoid}


def place_table(rows, width):
    """sines and cosines of places: [rows, width], computed in single precision as everywhere"""
    angle = torch.arange(rows).float()[:, None] * torch.exp(torch.arange(0, width, 2).float() *
                                                            -(math.log(10000.0) / width))
    table = torch.zeros(rows, width)
    table[:, 0::2] = torch.sin(angle)
    table[:, 1::2] = torch.cos(angle)[:, :width // 2]
    return table


class Places(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.register_buffer("pe", place_table(PLACES, width)[None])

    def forward(self, x):
        return self.pe[:, :x.shape[1]]


class TokenConv(nn.Module):
    """three neighbours in time, ends joined"""

    def __init__(self, n_in, width, bias):
        super().__init__()
        self.tokenConv = nn.Conv1d(n_in, width, 3, padding=1, padding_mode="circular", bias=bias)

    def forward(self, x):
        return self.tokenConv(x.transpose(1, 2)).transpose(1, 2)


class FixedTable(nn.Module):
    def __init__(self, rows, width):
        super().__init__()
        self.emb = nn.Embedding(rows, width)
        self.emb.weight = nn.Parameter(place_table(rows, width), requires_grad=False)

    def forward(self, index):
        return self.emb(index)


class WholeMarks(nn.Module):
    """sum of rows; marks come month, day, weekday, hour and with frequency t the quarter of an hour"""

    def __init__(self, width, kind, freq):
        super().__init__()
        make = FixedTable if kind == "fixed" else nn.Embedding
        self.names = [n for n in TABLES if n != "minute" or freq == "t"]
        for name in self.names:
            setattr(self, name + "_embed", make(TABLES[name], width))

    def forward(self, marks):
        marks = marks.round().long()  # shaken by a rounding unit, they stay what they are
        return sum(getattr(self, name + "_embed")(marks[:, :, i]) for i, name in enumerate(self.names))


class ScaledMarks(nn.Module):
    def __init__(self, width, freq, bias):
        super().__init__()
        self.embed = nn.Linear(MARKS[freq], width, bias=bias)

    def forward(self, marks):
        return self.embed(marks)


class DataEmbedding(nn.Module):
    def __init__(self, n_in, width, kind, freq, bias=False):
        super().__init__()
        self.value_embedding = TokenConv(n_in, width, bias)
        self.position_embedding = Places(width)
        self.temporal_embedding = ScaledMarks(width, freq, bias) if kind == "timeF" else WholeMarks(width, kind, freq)

    def forward(self, x, marks):
        y = self.value_embedding(x) + self.position_embedding(x)
        return y if marks is None else y + self.temporal_embedding(marks)


class AttentionMaps(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query_projection = nn.Linear(width, width)
        self.key_projection = nn.Linear(width, width)
        self.value_projection = nn.Linear(width, width)
        self.out_projection = nn.Linear(width, width)

    def split(self, x, y):
        """queries of x, keys and values of y: [B, H, .., E] each"""
        cut = lambda t: t.reshape(*t.shape[:2], self.heads, -1).transpose(1, 2)
        return cut(self.query_projection(x)), cut(self.key_projection(y)), cut(self.value_projection(y))


def full_attention(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), dim=-1) @ v


class FeedForward(nn.Module):
    """the second half of the library's layers; kernels of one step"""

    def __init__(self, width, hidden, act):
        super().__init__()
        self.conv1 = nn.Conv1d(width, hidden, 1)
        self.conv2 = nn.Conv1d(hidden, width, 1)
        self.act = ACTIVATIONS[act]

    def two_maps(self, x):
        return F.linear(self.act(F.linear(x, self.conv1.weight[..., 0], self.conv1.bias)), self.conv2.weight[..., 0],
                        self.conv2.bias)


def draw_marks(kind, freq, batch, steps):
    """random calendar marks; whole numbers as floats"""
    if kind == "timeF":
        return torch.rand(batch, steps, MARKS[freq]) - 0.5
    names = [n for n in TABLES if n != "minute" or freq == "t"]
    low = {"month": 1, "day": 1}
    return torch.stack([torch.randint(low.get(n, 0), TABLES[n], (batch, steps)).float() for n in names], dim=-1)


def draw_windows(a, batch, columns, horizon_key="pred_len"):
    """inputs of a library model: x_enc, x_mark_enc, x_dec (last known steps, then zeros), x_mark_dec"""
    L, label, P = a["seq_len"], a["label_len"], a[horizon_key]
    x = torch.randn(batch, L, columns)
    known = x[:, L - label:] if label else x[:, :0]
    return {"x_enc": x, "x_mark_enc": draw_marks(a["embed"], a["freq"], batch, L),
            "x_dec": torch.cat((known, torch.zeros(batch, P, columns)), dim=1),
            "x_mark_dec": draw_marks(a["embed"], a["freq"], batch, label + P)}


class EncoderLayer(FeedForward):
    """x <- LN1(x + attention), x <- LN2(x + conv2(act(conv1 x)))"""

    def __init__(self, width, hidden, heads, act):
        super().__init__(width, hidden, act)
        self.attention = AttentionMaps(width, heads)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x):
        y = full_attention(*self.attention.split(x, x)).transpose(1, 2).flatten(2)
        x = self.norm1(x + self.attention.out_projection(y))
        return self.norm2(x + self.two_maps(x))


class Encoder(nn.Module):
    def __init__(self, layers, norm):
        super().__init__()
        self.attn_layers, self.norm = nn.ModuleList(layers), norm

    def forward(self, x):
        for layer in self.attn_layers:
            x = layer(x)
        return self.norm(x)


class Transpose(nn.Module):
    """the last two axes of three"""

    def forward(self, x):
        return x.transpose(1, 2)


def batch_norm(width):
    """over rows of tokens, under the name 1 between two transpositions"""
    return nn.Sequential(Transpose(), nn.BatchNorm1d(width), Transpose())


def randomise_batch_norms(model):
    """running statistics that are not neutral"""
    for m in model.modules():
        if isinstance(m, nn.BatchNorm1d):
            m.running_mean.normal_(std=0.3)
            m.running_var.uniform_(0.5, 2)


class WindowAffine(nn.Module):
    """scale and shift of each variate behind the normalisation of a window (RevIN)"""

    def __init__(self, variates):
        super().__init__()
        self.affine_weight, self.affine_bias = nn.Parameter(torch.ones(variates)), nn.Parameter(torch.zeros(variates))

    def forward(self, z):
        return z * self.affine_weight + self.affine_bias

    def undo(self, y):
        return (y - self.affine_bias) / (self.affine_weight + 1e-10)


def window_moments(x, of_deviation):
    """mean over time, without history, and sqrt(biased variance + 1e-5): x [B, L, N] -> [B, 1, N] each; gradients
    reach x through the deviation or not at all"""
    mean = x.mean(1, keepdim=True).detach()
    deviation = torch.sqrt(torch.var(x - mean if of_deviation else x, dim=1, keepdim=True, unbiased=False) + 1e-5)
    return mean, deviation if of_deviation else deviation.detach()


def moving_average(x, steps):
    """x [B, L, N], the ends repeated"""
    front, end = x[:, :1].repeat(1, (steps - 1) // 2, 1), x[:, -1:].repeat(1, (steps - 1) // 2, 1)
    padded = torch.cat((front, x, end), dim=1)
    return F.avg_pool1d(padded.permute(0, 2, 1), steps, stride=1).permute(0, 2, 1)
