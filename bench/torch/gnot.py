"""GNOT restated in PyTorch: with experts (moe), without (cgpt), and the version of Neural-Solver-Library (nsl).

Hao et al., ICML 2023, arXiv 2302.14376. Written from the formulas, work in the order of the authors' code, parameter
names of their state_dict. Per head, with q and k_i softmaxed over their channels:

  A_i(q) = q (sum_n k_in^T v_in) / (q . sum_n k_in);  cross attention: Wp (q + sum_i A_i(q));  self: Wp (q + A(q))
"""
import torch
from torch import nn

import parts

EXPERTS_OF_LIBRARY = 3


class Mlp(nn.Module):
    """x <- act(W_pre x), x <- x + act(W_j x) for j = 0..m-1, W_post x"""

    def __init__(self, n_in, dim, n_out, layers, act):
        super().__init__()
        self.linear_pre, self.linear_post = nn.Linear(n_in, dim), nn.Linear(dim, n_out)
        self.linears = nn.ModuleList([nn.Linear(dim, dim) for _ in range(layers)])
        self.act = parts.ACTIVATIONS[act]()

    def forward(self, x):
        x = self.act(self.linear_pre(x))
        for linear in self.linears:
            x = self.act(linear(x)) + x
        return self.linear_post(x)


def heads_of(x, heads):
    """[B, N, C] -> [B, H, N, d]"""
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)


def attend(q, k, v):
    """A(q) of softmaxed q [B, H, N, d] and k [B, H, M, d]"""
    weight = 1.0 / (q * k.sum(dim=-2, keepdim=True)).sum(dim=-1, keepdim=True)
    return (q @ (k.transpose(-2, -1) @ v)) * weight


class SelfAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.key, self.query, self.value, self.proj = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, x, y=None):
        y = x if y is None else y
        q = torch.softmax(heads_of(self.query(x), self.heads), dim=-1)
        k = torch.softmax(heads_of(self.key(y), self.heads), dim=-1)
        o = attend(q, k, heads_of(self.value(y), self.heads)) + q
        return self.proj(o.transpose(1, 2).flatten(2))


class CrossAttention(nn.Module):
    """over several input functions, each with keys and values of its own"""

    def __init__(self, dim, heads, functions):
        super().__init__()
        self.heads = heads
        self.query, self.proj = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.keys = nn.ModuleList([nn.Linear(dim, dim) for _ in range(functions)])
        self.values = nn.ModuleList([nn.Linear(dim, dim) for _ in range(functions)])

    def forward(self, x, functions):
        q = torch.softmax(heads_of(self.query(x), self.heads), dim=-1)
        o = q
        for key, value, z in zip(self.keys, self.values, functions):
            k = torch.softmax(heads_of(key(z), self.heads), dim=-1)
            o = o + attend(q, k, heads_of(value(z), self.heads))
        return self.proj(o.transpose(1, 2).flatten(2))


def feed_forward(dim, inner, act):
    return nn.Sequential(nn.Linear(dim, inner * dim), parts.ACTIVATIONS[act](), nn.Linear(inner * dim, dim))


class Experts(nn.ModuleList):
    """sum_e g_e FFN_e(x), all experts on all points"""

    def forward(self, x, gate):
        return (gate[:, :, None, :] * torch.stack([expert(x) for expert in self], dim=-1)).sum(dim=-1)


class Gated(nn.Module):
    """experts and their gate, a function of the coordinates; shared by the two block types below"""

    def __init__(self, dim, heads, experts, inner, act, space):
        super().__init__()
        wide, activation = inner * dim, parts.ACTIVATIONS[act]
        self.ln1, self.ln3, self.ln4, self.ln5 = (nn.LayerNorm(dim) for _ in range(4))
        self.selfattn = SelfAttention(dim, heads)
        self.moe_mlp1 = Experts([feed_forward(dim, inner, act) for _ in range(experts)])
        self.moe_mlp2 = Experts([feed_forward(dim, inner, act) for _ in range(experts)])
        self.gatenet = nn.Sequential(nn.Linear(space, wide), activation(), nn.Linear(wide, wide), activation(),
                                     nn.Linear(wide, experts))

    def rest(self, x, pos):
        """what follows the cross attention"""
        gate = torch.softmax(self.gatenet(pos), dim=-1)
        x = x + self.ln3(self.moe_mlp1(x, gate))
        x = x + self.selfattn(self.ln4(x))
        return x + self.ln5(self.moe_mlp2(x, gate))


class ExpertBlock(Gated):
    def __init__(self, dim, heads, experts, inner, act, space, functions):
        super().__init__(dim, heads, experts, inner, act, space)
        self.ln2_branch = nn.ModuleList([nn.LayerNorm(dim) for _ in range(functions)])
        self.crossattn = CrossAttention(dim, heads, functions)

    def forward(self, x, functions, pos):
        x = x + self.crossattn(self.ln1(x), [norm(z) for norm, z in zip(self.ln2_branch, functions)])
        return self.rest(x, pos)


class LibraryBlock(Gated):
    """x stands for the geometry and never changes; the state z is read by cross attention and replaced"""

    def __init__(self, dim, heads, experts, inner, act, space):
        super().__init__(dim, heads, experts, inner, act, space)
        self.ln2 = nn.LayerNorm(dim)
        self.crossattn = SelfAttention(dim, heads)

    def forward(self, x, z, pos):
        return self.rest(x + self.crossattn(self.ln1(x), self.ln2(z)), pos)


class PlainBlock(nn.Module):
    def __init__(self, dim, heads, inner, act, functions):
        super().__init__()
        self.ln1, self.ln3, self.ln4, self.ln5 = (nn.LayerNorm(dim) for _ in range(4))
        self.ln2_branch = nn.ModuleList([nn.LayerNorm(dim) for _ in range(functions)])
        self.crossattn, self.selfattn = CrossAttention(dim, heads, functions), SelfAttention(dim, heads)
        self.mlp1, self.mlp2 = feed_forward(dim, inner, act), feed_forward(dim, inner, act)

    def forward(self, x, functions, pos):
        x = x + self.crossattn(self.ln1(x), [norm(z) for norm, z in zip(self.ln2_branch, functions)])
        x = x + self.mlp1(self.ln3(x))
        x = x + self.selfattn(self.ln4(x))
        return x + self.mlp2(self.ln5(x))


def waves_of(x, n):
    """each column -> itself, cos 2^k x, sin 2^k x for k = -n..n"""
    z = x[..., None] * 2.0 ** torch.arange(-n, n + 1).to(x)
    return torch.cat((x[..., None], torch.cos(z), torch.sin(z)), dim=-1).flatten(-2)


class Gnot(nn.Module):
    """x [B, N, n], x_lengths [B], u_p [B, p], f0 [B, M0, b0], f1, .. -> rows of all samples [sum of lengths, out].
    Shorter samples and functions are padded with zeros and nothing masks them: they take part in every sum."""

    def __init__(self, a):
        super().__init__()
        dim, act, widths = a["n_hidden"], a["act"], a["branch_sizes"] or []
        self.waves, gated = a["horiz_fourier_dim"], a["variant"] == "moe"
        self.space = a.get("space_dim")
        # the authors' class without experts does not hand n_inner on: its layers are always 4 wide
        trunk = a["trunk_size"] * (4 * self.waves + 3 if self.waves else 1)
        mlp = lambda n_in, n_out, kind: Mlp(n_in, dim, n_out, a["mlp_layers"], kind)
        self.trunk_mlp = mlp(trunk, dim, act)
        self.branch_mlps = nn.ModuleList([mlp(width, dim, act) for width in widths])
        self.blocks = nn.ModuleList([
            ExpertBlock(dim, a["n_head"], a["n_experts"], a["n_inner"], act, self.space, len(widths)) if gated else
            PlainBlock(dim, a["n_head"], 4, act, len(widths)) for _ in range(a["n_layers"])])
        self.out_mlp = mlp(dim, a["output_size"], "gelu")

    def forward(self, x, x_lengths, u_p=None, **functions):
        lengths = x_lengths.tolist()  # the authors hold loose samples and pad them here, so padding has no gradient
        x = torch.stack([nn.functional.pad(row[:n], (0, 0, 0, max(lengths) - n)) for row, n in zip(x, lengths)])
        pos = x[..., :self.space]
        if u_p is not None:
            x = torch.cat((x, u_p[:, None].expand(-1, x.shape[1], -1)), dim=-1)
        x = self.trunk_mlp(waves_of(x, self.waves) if self.waves else x)
        states = [mlp(functions["f%d" % i]) for i, mlp in enumerate(self.branch_mlps)]
        for block in self.blocks:
            x = block(x, states, pos)
        y = self.out_mlp(x)
        return torch.cat([row[:n] for row, n in zip(y, lengths)])


class LibraryGnot(nn.Module):
    """x [B, N, space_dim], fx [B, N, fun_dim] if fun_dim > 0, T [B, 1] if time is taken -> [B, N, out_dim]"""

    def __init__(self, a):
        super().__init__()
        dim, act, grid = a["n_hidden"], a["act"], a["shapelist"] if a["geotype"] != "unstructured" else None
        self.dim, self.fixed, n_pos = dim, None, a["space_dim"]
        if a["unified_pos"] and grid:
            self.fixed = parts.distances(parts.lattice(grid), parts.lattice([a["ref"]] * len(grid)))
            n_pos = self.fixed.shape[-1]
        self.preprocess_x = parts.TwoLayers(n_pos, 2 * dim, dim, act)
        self.preprocess_z = parts.TwoLayers(n_pos + a["fun_dim"], 2 * dim, dim, act)
        self.time_fc = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim)) if a["time_input"] else None
        self.blocks = nn.ModuleList([
            LibraryBlock(dim, a["n_heads"], a["n_experts"], a["mlp_ratio"], act, a["space_dim"])
            for _ in range(a["n_layers"])])
        self.fc1, self.fc2 = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, a["out_dim"])
        self.apply(parts.small_normal)
        self.placeholder = nn.Parameter(torch.rand(dim) / dim)

    def forward(self, x, fx=None, T=None):
        pos, p = x, x if self.fixed is None else self.fixed.to(x).expand(x.shape[0], -1, -1)
        z = self.preprocess_z(p if fx is None else torch.cat((p, fx), dim=-1)) + self.placeholder
        x = self.preprocess_x(p)
        if self.time_fc is not None:
            z = z + self.time_fc(parts.time_code(T, self.dim))
        for block in self.blocks:
            z = block(x, z, pos)
        return self.fc2(nn.functional.gelu(self.fc1(z)))


# ---- the model's entry (models.py) ----

FIXED_INPUTS = ("x_lengths",)
_SHARED = {"trunk_size": 3, "branch_sizes": [3], "output_size": 1, "n_layers": 2, "n_hidden": 12, "n_head": 2,
           "n_inner": 2, "mlp_layers": 2, "attn_type": "linear", "act": "gelu", "ffn_dropout": 0.0,
           "attn_dropout": 0.0, "horiz_fourier_dim": 0}
VARIANTS = {
    "moe": dict(_SHARED, space_dim=2, n_experts=3),
    "cgpt": _SHARED,
    "nsl": {"space_dim": 2, "fun_dim": 1, "out_dim": 1, "n_hidden": 12, "n_layers": 2, "n_heads": 2, "act": "gelu",
            "mlp_ratio": 2, "dropout": 0.0, "unified_pos": 0, "ref": 3, "slice_num": 5, "time_input": False,
            "geotype": "structured_2D", "modes": 3, "n_experts": EXPERTS_OF_LIBRARY},
}
PUBLISHED = {"gnot": ({"variant": "moe", "trunk_size": 2, "n_hidden": 128, "n_layers": 3, "n_head": 1, "n_inner": 4,
                       "mlp_layers": 3}, [7225, 7225], 1)}


def build(a):
    return LibraryGnot(a) if a["variant"] == "nsl" else Gnot(a)


def ragged(longest, batch):
    """lengths of samples, the first is the longest"""
    lengths = torch.randint((longest + 1) // 2, longest + 1, (batch,))
    lengths[0] = longest
    return lengths


def padded(rows, lengths):
    for x, n in zip(rows, lengths.tolist()):
        x[n:] = 0
    return rows


def draw(a, shape, batch):
    """points, then points of each input function (default: as many); nsl: points per axis of its grid.
    Arguments for the draw alone: columns of x (default space_dim)"""
    columns = a.pop("columns", a.get("space_dim", 2))
    if a["variant"] == "nsl":
        a["shapelist"] = list(shape)
        n = int(torch.tensor(shape).prod())
        inputs = {"x": torch.rand(batch, n, columns)}
        if a["fun_dim"]:
            inputs["fx"] = torch.randn(batch, n, a["fun_dim"])
        return dict(inputs, T=torch.rand(batch, 1)) if a["time_input"] else inputs
    lengths, params = ragged(shape[0], batch), a["trunk_size"] - columns
    inputs = {"x": padded(torch.rand(batch, shape[0], columns), lengths), "x_lengths": lengths}
    if params:
        inputs["u_p"] = torch.randn(batch, params)
    for i, width in enumerate(a["branch_sizes"] or []):
        points = shape[i + 1] if i + 1 < len(shape) else shape[0]
        lengths = ragged(points, batch)
        inputs["f%d" % i], inputs["f%d_lengths" % i] = padded(torch.randn(batch, points, width), lengths), lengths
    return inputs
