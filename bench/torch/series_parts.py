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
