"""FactFormer (kolmogorov2d) restated in PyTorch, for racing.

Li, Shu, Barati Farimani, NeurIPS 2023, arXiv 2305.17560. Written from the formulas of the network. It does the
work in the order of the authors' code: value, entry and reducer maps act on the whole grid, the axis products
are einsum, the head works on channels-first data. It is neither tuned nor slowed down. Parameter names are
those of the authors' state_dict, so weights load by name. check.py compares it with a golden case.

Letters: B batch, X Y grid, T input frames, D dim, H heads, c head width, A = H c, K = A kernel_multiplier,
L latent width.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F


class FourierFeatures(nn.Module):
    """p -> [sin 2 pi p B, cos 2 pi p B] with a fixed random matrix B."""

    def __init__(self, coordinates, width, scale):
        super().__init__()
        self.register_buffer("_B", torch.randn(coordinates, width // 2) * scale)

    def forward(self, p):
        z = (p @ self._B) * (2 * math.pi)
        return torch.cat((torch.sin(z), torch.cos(z)), dim=-1)


class GatedMlp(nn.Module):
    """W3 (GELU(e1) * e2) + b3, [e1, e2] = W0 x + b0."""

    def __init__(self, dim):
        super().__init__()
        # indices 0 and 3 carry the weights; 1 and 2 are the gate and a dropout of 0 in the authors' code
        self.net = nn.ModuleDict({"0": nn.Linear(dim, 2 * dim), "3": nn.Linear(dim, dim)})

    def forward(self, x):
        value, gate = self.net["0"](x).chunk(2, dim=-1)
        return self.net["3"](F.gelu(value) * gate)


class Mlp(nn.Module):
    """W3 GELU(W0 x + b0) + b3."""

    def __init__(self, dim, hidden):
        super().__init__()
        self.net = nn.ModuleDict({"0": nn.Linear(dim, hidden), "3": nn.Linear(hidden, dim)})

    def forward(self, x):
        return self.net["3"](F.gelu(self.net["0"](x)))


class PreNorm(nn.Module):
    def __init__(self, dim, fn):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fn = fn

    def forward(self, x):
        return self.fn(self.norm(x))


class AxisReducer(nn.Module):
    """Summary of one axis: map on the full grid, mean over the others, gated map. [B, n, m.., D] -> [B, n, D]."""

    def __init__(self, dim):
        super().__init__()
        self.to_in = nn.Linear(dim, dim, bias=False)
        self.out_ffn = PreNorm(dim, GatedMlp(dim))

    def forward(self, x):
        return self.out_ffn(self.to_in(x).mean(dim=tuple(range(2, x.dim() - 1))))


class SwapAxes(nn.Module):
    def __init__(self, axis=2):
        super().__init__()
        self.axis = axis

    def forward(self, x):
        return x.transpose(1, self.axis)


class Rotary(nn.Module):
    """cos and sin of 64 p theta_j, each frequency for both halves of the width."""

    def __init__(self, width):
        super().__init__()
        self.register_buffer("inv_freq", 10000.0 ** (-torch.arange(0, width, 2).float() / width))

    def forward(self, p):
        angle = (64.0 * p) * self.inv_freq
        angle = torch.cat((angle, angle), dim=-1)
        return torch.cos(angle), torch.sin(angle)


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


class AxisKernel(nn.Module):
    """Summary [B, n, D] -> kernel [B, H, n, n] of rotary queries and keys; no softmax."""

    def __init__(self, dim, heads, head_width, multiplier):
        super().__init__()
        self.heads, self.width = heads, head_width * multiplier
        self.scale = 1.0 if multiplier <= 4 else self.width ** -0.5
        self.to_q = nn.Linear(dim, heads * self.width, bias=False)
        self.to_k = nn.Linear(dim, heads * self.width, bias=False)
        self.pos_emb = Rotary(self.width)
        for layer in (self.to_q, self.to_k):
            nn.init.xavier_uniform_(layer.weight, gain=0.02)

    def forward(self, r, p):
        b, n, _ = r.shape
        cos, sin = self.pos_emb(p)
        q = rotate(self.to_q(r).reshape(b, n, self.heads, self.width).transpose(1, 2), cos, sin)
        k = rotate(self.to_k(r).reshape(b, n, self.heads, self.width).transpose(1, 2), cos, sin)
        return torch.einsum("bhid,bhjd->bhij", q, k) * self.scale


class HeadNorm(nn.Module):
    """Per sample and head: one mean, one unbiased variance over all points and channels; no weights."""

    def __init__(self, heads):
        super().__init__()
        self.heads = heads

    def forward(self, v):
        b, nx, ny, a = v.shape
        v = v.reshape(b, nx * ny, self.heads, a // self.heads)
        var, mean = torch.var_mean(v, dim=(1, 3), unbiased=True, keepdim=True)
        return ((v - mean) / torch.sqrt(var + 1e-8)).reshape(b, nx, ny, a)


class FactorisedAttention(nn.Module):
    def __init__(self, dim, heads, head_width, multiplier):
        super().__init__()
        inner = heads * head_width
        self.heads, self.head_width = heads, head_width
        self.in_norm = nn.LayerNorm(dim)
        self.to_v = nn.Linear(dim, inner, bias=False)
        self.to_in = nn.Linear(dim, dim, bias=False)
        self.to_x = nn.Sequential(AxisReducer(dim))
        self.to_y = nn.Sequential(SwapAxes(), AxisReducer(dim))
        self.low_rank_kernel_x = AxisKernel(dim, heads, head_width, multiplier)
        self.low_rank_kernel_y = AxisKernel(dim, heads, head_width, multiplier)
        self.to_out = nn.Sequential(HeadNorm(heads), nn.Linear(inner, dim, bias=False), nn.GELU(),
                                    nn.Linear(dim, dim, bias=False))

    def forward(self, u, pos_x, pos_y):
        b, nx, ny, _ = u.shape
        w = self.in_norm(u)
        v = self.to_v(w)
        s = self.to_in(w)
        kernel_x = self.low_rank_kernel_x(self.to_x(s), pos_x)
        kernel_y = self.low_rank_kernel_y(self.to_y(s), pos_y)
        v = v.reshape(b, nx, ny, self.heads, self.head_width).permute(0, 3, 1, 2, 4)
        v = torch.einsum("bhij,bhjmc->bhimc", kernel_x, v)
        v = torch.einsum("bhlm,bhimc->bhilc", kernel_y, v)
        return self.to_out(v.permute(0, 2, 3, 1, 4).reshape(b, nx, ny, -1))


class Encoder(nn.Module):
    def __init__(self, dim, depth, heads, head_width, multiplier, fourier_scale):
        super().__init__()
        self.layers = nn.ModuleList([
            nn.ModuleList([nn.Sequential(FourierFeatures(2, dim, fourier_scale), nn.Linear(dim, dim)),
                           FactorisedAttention(dim, heads, head_width, multiplier)]) for _ in range(depth)])

    def forward(self, u, pos_x, pos_y):
        grid = torch.stack(torch.meshgrid(pos_x[:, 0], pos_y[:, 0], indexing="ij"), dim=-1)
        for position_code, attention in self.layers:
            u += position_code(grid)
            u = u + attention(u, pos_x, pos_y)
        return u


class ChannelsFirst(nn.Module):
    """[B, X, Y, C] -> [B, C, X Y]"""

    def forward(self, z):
        return z.permute(0, 3, 1, 2).flatten(2)


class FactFormer2d(nn.Module):
    """u [B, X, Y, T], pos_x [X, 1], pos_y [Y, 1] -> [B, steps, X, Y, out_dim]."""

    def __init__(self, in_time_window=10, out_dim=1, dim=128, depth=4, heads=8, dim_head=64, kernel_multiplier=2,
                 latent_multiplier=2.0, max_latent_steps=4, fourier_scale=8, **unused):
        super().__init__()
        latent, groups = int(dim * latent_multiplier), int(8 * latent_multiplier)
        self.latent_time_emb = nn.Parameter(torch.randn(1, max_latent_steps, 1, 1, latent) * 0.02)
        self.to_in = nn.Linear(in_time_window, dim)
        self.encoder = Encoder(dim, depth, heads, dim_head, kernel_multiplier, fourier_scale)
        self.expand_latent = nn.Linear(dim, latent, bias=False)
        self.propagator = PreNorm(latent, Mlp(latent, dim))
        self.simple_to_out = nn.Sequential(
            ChannelsFirst(), nn.GroupNorm(groups, latent), nn.Conv1d(latent, dim, 1, groups=8, bias=False), nn.GELU(),
            nn.Conv1d(dim, dim // 2, 1, bias=False), nn.GELU(), nn.Conv1d(dim // 2, out_dim, 1))

    def forward(self, u, pos_x, pos_y, latent_steps):
        steps = int(latent_steps)
        b, nx, ny, _ = u.shape
        z = self.expand_latent(self.encoder(self.to_in(u), pos_x, pos_y))
        kept = []
        for t in range(steps):
            z = z + self.latent_time_emb[:, t]
            z = z + self.propagator(z)
            kept.append(z)
        y = self.simple_to_out(torch.cat(kept, dim=0))  # steps stand first on the batch axis
        return y.reshape(steps, b, -1, nx, ny).permute(1, 0, 3, 4, 2)


# ---- the model's entry (models.py) ----

COMPUTED = r"pos_emb\.inv_freq$"
CONSTANT_INPUTS = ("pos_x", "pos_y")
FIXED_INPUTS = ("latent_steps",)
VARIANTS = {"kolmogorov2d": {
    "fourier_scale": 8, "in_dim": 1, "in_time_window": 4, "out_dim": 1, "out_time_window": 2, "dim": 16, "depth": 2,
    "dim_head": 8, "heads": 3, "pos_in_dim": 2, "pos_out_dim": 2, "kernel_multiplier": 2, "latent_multiplier": 2.0,
    "max_latent_steps": 2, "positional_embedding": "rotary"}}
PUBLISHED = {"factformer": ({"variant": "kolmogorov2d", "in_time_window": 10, "out_time_window": 4, "dim": 128,
                             "depth": 4, "dim_head": 64, "heads": 8, "max_latent_steps": 4}, [128, 128], 1)}


def build(args):
    return FactFormer2d(**args)


def waves(batch, shape, frames):
    """smooth, drifting vorticity-like fields of unit variance: 24 waves with wave numbers up to 6"""
    x, y = (torch.arange(n) * (2 * math.pi / n) for n in shape)
    u = torch.zeros(batch, *shape, frames)
    for _ in range(24):
        k, speed, phase = torch.randint(-6, 7, (batch, 2)), torch.randn(batch), torch.rand(batch) * 2 * math.pi
        for b in range(batch):
            wave = (k[b, 0] * x)[:, None, None] + (k[b, 1] * y)[None, :, None]
            u[b] += torch.cos(wave + phase[b] + 0.1 * speed[b] * torch.arange(frames))
    return u / u.std()


def draw(args, shape, batch):
    """points per axis"""
    lines = [torch.linspace(0, 2 * math.pi, n)[:, None] for n in shape]
    return {"u": waves(batch, shape, args["in_time_window"]), "pos_x": lines[0], "pos_y": lines[1],
            "latent_steps": torch.tensor(args["max_latent_steps"])}
