"""Layers that the restated forecasters share, under the names of the library of thuml."""
import math

import torch
from torch import nn
from torch.nn import functional as F

ACTIVATIONS = {"gelu": F.gelu, "relu": F.relu}


def window_moments(x, of_deviation):
    """mean over time, without history, and sqrt(biased variance + 1e-5): x [B, L, N] -> [B, 1, N] each; gradients
    reach x through the deviation or not at all"""
    mean = x.mean(1, keepdim=True).detach()
    deviation = torch.sqrt(torch.var(x - mean if of_deviation else x, dim=1, keepdim=True, unbiased=False) + 1e-5)
    return mean, deviation if of_deviation else deviation.detach()


def place_table(rows, width):
    """[1, rows, width]: sines in even columns, cosines in odd ones, of p exp(-2i ln(10000) / width)"""
    position = torch.arange(rows, dtype=torch.float32)[:, None]
    angle = position * torch.exp(torch.arange(0, width, 2).float() * -(math.log(10000.0) / width))
    table = torch.zeros(rows, width)
    table[:, 0::2] = torch.sin(angle)
    table[:, 1::2] = torch.cos(angle)[:, :width // 2]
    return table[None]


def moving_average(x, steps):
    """x [B, L, N], the ends repeated"""
    front, end = x[:, :1].repeat(1, (steps - 1) // 2, 1), x[:, -1:].repeat(1, (steps - 1) // 2, 1)
    padded = torch.cat((front, x, end), dim=1)
    return F.avg_pool1d(padded.permute(0, 2, 1), steps, stride=1).permute(0, 2, 1)


class AttentionLayer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query_projection, self.key_projection = nn.Linear(width, width), nn.Linear(width, width)
        self.value_projection, self.out_projection = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = (f(x).view(b, n, self.heads, -1)
                   for f in (self.query_projection, self.key_projection, self.value_projection))
        scores = torch.einsum("blhe,bshe->bhls", q, k)
        weights = torch.softmax(scores / math.sqrt(d // self.heads), dim=-1)
        return self.out_projection(torch.einsum("bhls,bshd->blhd", weights, v).reshape(b, n, d))


class EncoderLayer(nn.Module):
    """x <- LN1(x + attention), x <- LN2(x + conv2(act(conv1 x)))"""

    def __init__(self, width, hidden, heads, act):
        super().__init__()
        self.attention = AttentionLayer(width, heads)
        self.conv1, self.conv2 = nn.Conv1d(width, hidden, 1), nn.Conv1d(hidden, width, 1)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.act = ACTIVATIONS[act]

    def forward(self, x):
        x = y = self.norm1(x + self.attention(x))
        y = self.conv2(self.act(self.conv1(y.transpose(-1, 1)))).transpose(-1, 1)
        return self.norm2(x + y)


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
