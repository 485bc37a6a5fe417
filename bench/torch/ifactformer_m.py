"""IFactFormer-m restated in PyTorch: both published networks, and the earlier IFactFormer-o.

Yang, Wang, Wang, Sci. China PMA 69(1) 214606 (2026), arXiv 2412.18840. Written from the formulas, parameter names of
the authors' state_dict, work in the order of their code. Kernels K of each axis are those of FactFormer; one block
is applied L times with the same weights, u <- u + block(u) / L:

  block m: v_a = K_a v for each axis on its own; per head [v_x | v_y | v_z]; instance norm; W2 GELU(W1 .)
  block o: v <- K_x v, K_y v, K_z v in turn; the same after that
"""
import math

import torch
from torch import nn

from factformer import AxisKernel, AxisReducer, FourierFeatures, SwapAxes

CONTRACT = {2: ("bhij,bhjyc->bhiyc", "bhij,bhxjc->bhxic"),
            3: ("bhij,bhjyzc->bhiyzc", "bhij,bhxjzc->bhxizc", "bhij,bhxyjc->bhxyic")}


class SpaceNorm(nn.Module):
    """Mean and biased variance over space for each sample and channel; first release: over all but sample and x,
    which is what the first release did by handing a channels-last array to InstanceNorm3d."""

    def __init__(self, first_release):
        super().__init__()
        self.first_release = first_release

    def forward(self, v):
        if self.first_release:
            return nn.functional.instance_norm(v)
        return last_axis(nn.functional.instance_norm(first_axis(v)))


def first_axis(v):
    """channels behind the samples"""
    return v.permute(0, v.dim() - 1, *range(1, v.dim() - 1))


def last_axis(v):
    return v.permute(0, *range(2, v.dim()), 1)


class ImplicitAttention(nn.Module):
    def __init__(self, dim, heads, head_width, multiplier, variant, space):
        super().__init__()
        inner = heads * head_width
        self.heads, self.head_width, self.parallel, self.axes = heads, head_width, variant != "o_head", "xyz"[:space]
        self.in_norm = nn.LayerNorm(dim)
        self.to_v = nn.Linear(dim, inner, bias=False)
        self.to_in = nn.Linear(dim, dim, bias=False)
        for i, axis in enumerate(self.axes):
            reducer = (AxisReducer(dim),) if i == 0 else (SwapAxes(i + 1), AxisReducer(dim))
            setattr(self, "to_" + axis, nn.Sequential(*reducer))
            setattr(self, "low_rank_kernel_" + axis, AxisKernel(dim, heads, head_width, multiplier))
        first, wide = variant == "m_feb2025", space * inner if self.parallel else inner
        # the maps stand at 1 and 3 in the first release, at 2 and 4 later
        self.to_out = nn.Sequential(SpaceNorm(first), *([] if first else [nn.Identity()]),
                                    nn.Linear(wide, dim, bias=False), nn.GELU(), nn.Linear(dim, dim, bias=False))
        self.to_out_1 = nn.Sequential(nn.Linear(dim, dim, bias=False), nn.GELU(),
                                      nn.Linear(dim, dim, bias=False)) if first else nn.Sequential()

    def forward(self, u, positions):
        b, *grid, _ = u.shape
        w = self.in_norm(u)
        v, s = self.to_v(w), self.to_in(w)
        matrices = [getattr(self, "low_rank_kernel_" + axis)(getattr(self, "to_" + axis)(s), p)
                    for axis, p in zip(self.axes, positions)]
        n = len(grid)
        v = v.reshape(b, *grid, self.heads, self.head_width).permute(0, n + 1, *range(1, n + 1), n + 2)
        rules = CONTRACT[n]
        if self.parallel:
            v = torch.cat([torch.einsum(rule, k, v) for rule, k in zip(rules, matrices)], dim=-1)
        else:
            for rule, k in zip(rules, matrices):
                v = torch.einsum(rule, k, v)
        return self.to_out_1(self.to_out(v.permute(0, *range(2, n + 2), 1, n + 2).reshape(b, *grid, -1)))


class Encoder(nn.Module):
    def __init__(self, a):
        super().__init__()
        dim, space = a["dim"], a.get("n_space", 3)
        self.repeats = a["n_layer"]
        self.layers = nn.ModuleList([
            nn.ModuleList([nn.Sequential(FourierFeatures(space, dim, a["fourier_scale"]), nn.Linear(dim, dim)),
                           ImplicitAttention(dim, a["heads"], a["dim_head"], a["kernel_multiplier"], a["variant"],
                                             space)])
            for _ in range(a["depth"])])

    def forward(self, u, positions):
        grid = torch.stack(torch.meshgrid(*[p[:, 0] for p in positions], indexing="ij"), dim=-1)
        for position_code, attention in self.layers:
            u = u + position_code(grid)
            for _ in range(self.repeats):
                u = u + attention(u, positions) / self.repeats
        return u


class ChannelsFirst(nn.Module):
    """[B, X, Y, Z, C] -> [B, C, X Y Z]"""

    def forward(self, z):
        return first_axis(z).flatten(2)


class IFactFormer(nn.Module):
    """u [B, T, X, Y, Z, C], pos_x [X, 1], pos_y [Y, 1], pos_z [Z, 1] -> [B, X, Y, Z, C_out]; n_space 2: without Z"""

    def __init__(self, a):
        super().__init__()
        dim = a["dim"]
        self.to_in = nn.Sequential(nn.Conv2d(a["in_dim"], dim // 2, 1, groups=a["in_dim"]), nn.GELU(),
                                   nn.Conv2d(dim // 2, dim, (a["in_time_window"], 1), bias=False))
        self.encoder = Encoder(a)
        self.simple_to_out = nn.Sequential(ChannelsFirst(), nn.Conv1d(dim, dim // 2, 1, bias=False), nn.GELU(),
                                           nn.Conv1d(dim // 2, a["out_dim"], 1))

    def forward(self, u, **positions):
        b, t, *grid, c = u.shape
        z = self.to_in(first_axis(u).reshape(b, c, t, -1))  # [B, D, 1, X Y Z]
        z = last_axis(z.reshape(b, -1, *grid))
        y = self.simple_to_out(self.encoder(z, [positions["pos_" + axis] for axis in "xyz"[:len(grid)]]))
        return last_axis(y.reshape(b, -1, *grid))


# ---- the model's entry (models.py) ----

build = IFactFormer
COMPUTED = r"pos_emb\.inv_freq$"
CONSTANT_INPUTS = ("pos_x", "pos_y", "pos_z")
LENGTHS = (4 * math.pi, 2.0, 4 * math.pi / 3)
_SHARED = {"fourier_scale": 8, "in_dim": 3, "out_dim": 3, "in_time_window": 1, "dim": 12, "heads": 2, "depth": 1,
           "dim_head": 4, "n_layer": 2, "model": "IFactFormer_m", "kernel_multiplier": 3, "scaling_factor": 1.0}
VARIANTS = {"m_head": _SHARED, "m_feb2025": _SHARED, "o_head": dict(_SHARED, model="IFactFormer_o")}
PUBLISHED = {"ifactformer-m": ({"variant": "m_head", "dim": 96, "heads": 5, "dim_head": 96, "n_layer": 10},
                               [32, 33, 16], 1)}


def draw(a, shape, batch):
    """points per axis"""
    if len(shape) == 2:
        a["n_space"] = 2
    lines = {"pos_" + axis: torch.linspace(0, length, n)[:, None] for axis, length, n in zip("xyz", LENGTHS, shape)}
    return {"u": torch.randn(batch, a["in_time_window"], *shape, a["in_dim"]), **lines}


class ExportedNorm(nn.Module):
    """the exporter wants to know the number of channels; a weighted norm knows it. Plain means ran 3 times as long."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.InstanceNorm3d(channels, affine=True)

    def forward(self, v):
        return last_axis(self.norm(first_axis(v)))


def for_export(model, inputs):
    for _, attention in model.encoder.layers:
        if not attention.to_out[0].first_release:
            attention.to_out[0] = ExportedNorm(attention.to_out[2].in_features)
    return model
