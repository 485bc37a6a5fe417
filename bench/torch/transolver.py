"""Transolver (physics attention) restated in PyTorch: point clouds, structured grids, and the versions of
Neural-Solver-Library, AirfRANS and ShapeNet-Car.

Wu et al., ICML 2024, arXiv 2402.02366. Written from the formulas, work in the order of the authors' code, parameter
names of their state_dict. N points, C = n_hidden, H heads, d = C/H, G slices:

  a, f = P_x u, P_f u;  s = softmax_G((W_s a + b_s) / tau);  Z_g = sum_n s_ng f_n / (sum_n s_ng + 1e-5)
  O = softmax(Wq Z (Wk Z)^T / sqrt d) Wv Z;  y_n = sum_g s_ng O_g
"""
import torch
from torch import nn

import parts

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


class PhysicsAttention(nn.Module):
    """grid: None for Linear projections of loose points, else the axis lengths for 3^k convolutions"""

    def __init__(self, dim, heads, slices, grid):
        super().__init__()
        self.heads, self.width, self.grid = heads, dim // heads, grid
        inner = heads * self.width  # less than dim if the heads do not divide it
        self.temperature = nn.Parameter(torch.full((1, heads, 1, 1), 0.5))
        project = (lambda: nn.Linear(dim, inner)) if grid is None else \
            (lambda: CONV[len(grid)](dim, inner, 3, padding=1))
        self.in_project_x, self.in_project_fx = project(), project()
        self.in_project_slice = nn.Linear(self.width, slices)
        self.to_q, self.to_k, self.to_v = (nn.Linear(self.width, self.width, bias=False) for _ in range(3))
        self.to_out = nn.Sequential(nn.Linear(inner, dim))

    def split(self, projection, u):
        """[B, N, C] -> [B, H, N, d]"""
        b, n, c = u.shape
        if self.grid is not None:
            # channels stand first for the convolution and last for all else
            y = projection(u.transpose(1, 2).reshape(b, c, *self.grid))
            y = y.flatten(2).transpose(1, 2).contiguous()
        else:
            y = projection(u)
        return y.reshape(b, n, self.heads, self.width).permute(0, 2, 1, 3).contiguous()

    def forward(self, u):
        values, x = self.split(self.in_project_fx, u), self.split(self.in_project_x, u)
        tau = self.temperature if self.grid is None else self.temperature.clamp(0.1, 5)
        s = torch.softmax(self.in_project_slice(x) / tau, dim=-1)
        z = torch.einsum("bhnc,bhng->bhgc", values, s) / (s.sum(2) + 1e-5)[..., None]
        q, k, v = self.to_q(z), self.to_k(z), self.to_v(z)
        attention = torch.softmax(torch.matmul(q, k.transpose(-1, -2)) * self.width ** -0.5, dim=-1)
        y = torch.einsum("bhgc,bhng->bhnc", torch.matmul(attention, v), s)
        return self.to_out(y.transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, dim, heads, slices, grid, ratio, act, out_dim, spare_mlp):
        super().__init__()
        self.ln_1 = nn.LayerNorm(dim)
        self.Attn = PhysicsAttention(dim, heads, slices, grid)
        self.ln_2 = nn.LayerNorm(dim)
        self.mlp = parts.TwoLayers(dim, ratio * dim, dim, act)
        if spare_mlp:  # AirfRANS stores one that nothing uses
            self.mlp_new = parts.TwoLayers(dim, ratio * dim, dim, act)
        self.last = out_dim is not None
        if self.last:
            self.ln_3 = nn.LayerNorm(dim)
            self.mlp2 = nn.Linear(dim, out_dim)

    def forward(self, h):
        h = self.Attn(self.ln_1(h)) + h
        h = self.mlp(self.ln_2(h)) + h
        return self.mlp2(self.ln_3(h)) if self.last else h


class Position(nn.Module):
    """What the network sees of a point: its coordinates, or distances from a lattice of ref points per axis."""

    BOUNDS = {"airfrans": [(-2.0, 4.0), (-1.5, 1.5)], "car": [(-1.5, 1.5), (0.0, 2.0), (-4.0, 4.0)]}

    def __init__(self, variant, grid, unified, ref):
        super().__init__()
        self.unified, self.appended = unified, variant in self.BOUNDS
        self.fixed = None
        if not unified:
            return
        axes = len(self.BOUNDS[variant]) if self.appended else len(grid) if grid else 2
        self.to = parts.lattice([ref] * axes, self.BOUNDS.get(variant))
        if grid:  # a grid has positions of its own, whatever the caller says
            self.fixed = parts.distances(parts.lattice(grid), self.to)
        self.width = self.to.shape[0]

    def forward(self, x, pos):
        if not self.unified:
            return x
        if self.fixed is not None:
            return self.fixed.to(x).expand(x.shape[0], -1, -1)
        far = parts.distances(x if pos is None else pos, self.to)
        return torch.cat((x, far), dim=-1) if self.appended else far


class Transolver(nn.Module):
    """x [B, N, space_dim], fx [B, N, fun_dim] if fun_dim > 0, T [B, 1] if time is taken -> [B, N, out_dim].
    airfrans and car: x [N, space_dim] and for unified positions pos [N, 2 or 3] -> [N, out_dim]."""

    def __init__(self, a):
        super().__init__()
        variant, dim = a["variant"], a["n_hidden"]
        grid, library = grid_of(a), variant.startswith("nsl_")
        time = bool(a.get("Time_Input", a.get("time_input", False)))
        heads = a["n_heads"] if library else a["n_head"]
        # the library does not heed it for loose points
        unified = bool(a["unified_pos"]) and (grid is not None or not library)
        self.position = Position(variant, grid, unified, a["ref"])
        n_in = a["fun_dim"] + (0 if unified and not self.position.appended else a["space_dim"])
        n_in += self.position.width if unified else 0
        self.preprocess = parts.TwoLayers(n_in, 2 * dim, dim, a["act"])
        self.time_fc = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim)) if time else None
        layers = a["n_layers"]
        self.blocks = nn.ModuleList([
            Block(dim, heads, a["slice_num"], grid, a["mlp_ratio"], a["act"], a["out_dim"] if i == layers - 1 else None,
                  variant == "airfrans") for i in range(layers)])
        self.apply(parts.small_normal)
        self.placeholder = nn.Parameter(torch.rand(dim) / dim)
        self.always_placed = grid is None or library
        self.dim = dim

    def forward(self, x, fx=None, T=None, pos=None):
        loose = x.dim() == 2
        p = self.position(x, pos)
        h = self.preprocess(p if fx is None else torch.cat((p, fx), dim=-1))
        if self.always_placed or fx is None:
            h = h + self.placeholder
        if self.time_fc is not None:
            h = h + self.time_fc(parts.time_code(T, self.dim))
        h = h[None] if loose else h
        for block in self.blocks:
            h = block(h)
        return h[0] if loose else h


def grid_of(a):
    """axis lengths, or None for loose points"""
    if a["variant"].startswith("nsl_"):
        return list(a["shapelist"]) if a["geotype"] != "unstructured" else None
    return [a[k] for k in ("H", "W", "D") if k in a] if a["variant"].startswith("structured") else None


# ---- the model's entry (models.py) ----

build = Transolver
_OFFICIAL = {"n_layers": 2, "n_hidden": 16, "dropout": 0.0, "n_head": 2, "Time_Input": False, "act": "gelu",
             "mlp_ratio": 1, "fun_dim": 1, "out_dim": 1, "slice_num": 4, "ref": 3, "unified_pos": False}
_LIBRARY = {"fun_dim": 1, "out_dim": 1, "n_hidden": 16, "n_layers": 2, "n_heads": 2, "act": "gelu", "mlp_ratio": 2,
            "dropout": 0.0, "unified_pos": 0, "ref": 3, "slice_num": 4, "time_input": False, "modes": 3}
_DESIGN = {k: v for k, v in _OFFICIAL.items() if k != "Time_Input"}
VARIANTS = {
    "irregular": dict(_OFFICIAL, space_dim=2),
    "structured_2d": dict(_OFFICIAL, space_dim=2),
    "structured_3d": dict(_OFFICIAL, space_dim=3),
    "nsl_irregular": dict(_LIBRARY, space_dim=2, geotype="unstructured"),
    "nsl_structured_1d": dict(_LIBRARY, space_dim=1, geotype="structured_1D"),
    "nsl_structured_2d": dict(_LIBRARY, space_dim=2, geotype="structured_2D"),
    "nsl_structured_3d": dict(_LIBRARY, space_dim=3, geotype="structured_3D"),
    "airfrans": dict(_DESIGN, space_dim=7, fun_dim=0, out_dim=4),
    "car": dict(_DESIGN, space_dim=7, fun_dim=0, out_dim=4),
}
_PUBLISHED = {"n_hidden": 128, "n_layers": 8, "n_head": 8, "slice_num": 64, "ref": 8}
PUBLISHED = {
    "transolver-darcy": (dict(_PUBLISHED, variant="structured_2d", unified_pos=True), [85, 85], 1),
    "transolver-elasticity": (dict(_PUBLISHED, variant="irregular", fun_dim=0), [972], 1),
}


def draw(a, shape, batch):
    """points per axis of a grid, or the number of points"""
    if a["variant"].startswith("structured"):
        a.update(zip("HWD", shape))
    elif a["variant"].startswith("nsl_"):
        a["shapelist"] = list(shape) if a["geotype"] != "unstructured" else None
    n = 1
    for length in shape:
        n *= length
    if a["variant"] in Position.BOUNDS:
        return {"x": torch.randn(n, a["space_dim"]), "pos": torch.randn(n, len(Position.BOUNDS[a["variant"]]))}
    inputs = {"x": torch.rand(batch, n, a["space_dim"])}
    if a["fun_dim"]:
        inputs["fx"] = torch.randn(batch, n, a["fun_dim"])
    if a.get("Time_Input", a.get("time_input", False)):
        inputs["T"] = torch.rand(batch, 1)
    return inputs


def randomise(model):
    """temperatures below, inside and above the clamp"""
    for block in model.blocks:
        t = block.Attn.temperature.data
        t.copy_(0.5 * torch.exp(torch.randn_like(t)))
        if t.numel() > 2:
            t[0, 0], t[0, 1] = 0.05, 6.0
