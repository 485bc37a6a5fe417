"""Layers that several restated networks share."""
import math

import torch
from torch import nn

ACTIVATIONS = {"gelu": nn.GELU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "relu": nn.ReLU, "silu": nn.SiLU,
               "softplus": nn.Softplus, "ELU": nn.ELU, "leaky_relu": lambda: nn.LeakyReLU(0.1)}


class TwoLayers(nn.Module):
    """W2 act(W1 x + b1) + b2 under the names linear_pre.0 and linear_post."""

    def __init__(self, n_in, hidden, n_out, act="gelu"):
        super().__init__()
        self.linear_pre = nn.Sequential(nn.Linear(n_in, hidden), ACTIVATIONS[act]())
        self.linear_post = nn.Linear(hidden, n_out)

    def forward(self, x):
        return self.linear_post(self.linear_pre(x))


def time_code(t, width):
    """[B, 1] -> [B, 1, width]: cosines, then sines of t exp(-ln(10000) i / k), k = width // 2; odd widths end in 0."""
    k = width // 2
    angle = t[..., None].to(t.dtype) * torch.exp(-math.log(10000.0) * torch.arange(k, dtype=torch.float32) / k).to(t)
    code = torch.cat((torch.cos(angle), torch.sin(angle)), dim=-1)
    return torch.cat((code, torch.zeros_like(code[..., :1])), dim=-1) if width % 2 else code


def lattice(counts, bounds=None):
    """all points of a lattice with both ends, first axis slowest: [prod(counts), axes]"""
    bounds = bounds or [(0.0, 1.0)] * len(counts)
    axes = [torch.linspace(low, high, n) for n, (low, high) in zip(counts, bounds)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).reshape(-1, len(counts))


def distances(p, to):
    """Euclidean distance of every point of p [.., N, s] from every point of to [R, s] -> [.., N, R]"""
    return torch.sqrt((p[..., :, None, :] - to.to(p)).square().sum(dim=-1))


def small_normal(module):
    """initial values that several authors share: weights normal(0, 0.02), biases 0, norms 1 and 0"""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.LayerNorm):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)
