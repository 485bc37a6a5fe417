"""FNO restated in PyTorch: the neuralop library's network and that of Neural-Solver-Library (2021 style).

Li et al., ICLR 2021, arXiv 2010.08895. Written from the formulas, work in the order of the authors' codes, parameter
names of their state_dicts. Spectral convolution: Y(k) = sum_i X_i(k) W_i(k) for the kept modes k, 0 elsewhere.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F

import parts

LETTERS = "xyz"
CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


# ---- neuralop ----

class Flat(nn.Conv1d):
    """a map of channels [B, C, ..] at every point"""

    def forward(self, x):
        return super().forward(x.flatten(2)).reshape(x.shape[0], -1, *x.shape[2:])


class ChannelMlp(nn.Module):
    def __init__(self, n_in, hidden, n_out):
        super().__init__()
        self.fcs = nn.ModuleList([Flat(n_in, hidden, 1), Flat(hidden, n_out, 1)])

    def forward(self, x):
        return self.fcs[1](F.gelu(self.fcs[0](x)))


class SoftGate(nn.Module):
    def __init__(self, channels, axes):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, channels, *[1] * axes))

    def forward(self, x):
        return self.weight * x


class LinearSkip(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = Flat(channels, channels, 1, bias=False)

    def forward(self, x):
        return self.conv(x)


def skip(kind, channels, axes):
    return {"linear": lambda: LinearSkip(channels), "soft-gating": lambda: SoftGate(channels, axes),
            "identity": nn.Identity}[kind]()


class DenseWeight(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.tensor = nn.Parameter(torch.empty(*shape, dtype=torch.complex64))


class SpectralConv(nn.Module):
    """modes n_j on axis j, centred on 0; n_D // 2 + 1 on the last"""

    def __init__(self, channels, modes, hermitian):
        super().__init__()
        std = (2 / (channels + channels)) ** 0.5
        self.hermitian = hermitian
        self.weight = DenseWeight(channels, channels, *modes[:-1], modes[-1] // 2 + 1)
        self.weight.tensor.data.normal_(0, std)
        self.bias = nn.Parameter(std * torch.randn(channels, *[1] * len(modes)))

    def kept(self, lengths):
        """slices of the weight and of the shifted spectrum; a grid smaller than the modes takes the middle rows"""
        of_weight, of_spectrum = [slice(None)] * 2, [slice(None)] * 2
        for j, (n, m) in enumerate(zip(lengths, self.weight.tensor.shape[2:])):
            count, last = min(n, m), j == len(lengths) - 1
            left = 0 if last else (m - count) // 2
            of_weight.append(slice(left, left + count))
            start = 0 if last else n // 2 - count // 2
            of_spectrum.append(slice(start, start + count))
        return tuple(of_weight), tuple(of_spectrum)

    def forward(self, x):
        shape, axes = x.shape[2:], list(range(2, x.dim()))
        spectrum = torch.fft.rfftn(x, norm="forward", dim=axes)
        spectrum = torch.fft.fftshift(spectrum, dim=axes[:-1]) if axes[:-1] else spectrum
        of_weight, of_spectrum = self.kept(spectrum.shape[2:])
        out = torch.zeros_like(spectrum)
        names = LETTERS[:len(shape)]
        out[of_spectrum] = torch.einsum("bi%s,io%s->bo%s" % (names, names, names), spectrum[of_spectrum],
                                        self.weight.tensor[of_weight])
        out = torch.fft.ifftshift(out, dim=axes[:-1]) if axes[:-1] else out
        return self.back(out, shape, axes) + self.bias

    def back(self, out, shape, axes):
        if not (self.hermitian and axes[:-1]):
            return torch.fft.irfftn(out, s=shape, dim=axes, norm="forward")
        out = torch.fft.ifftn(out, s=shape[:-1], dim=axes[:-1], norm="forward")
        mask = torch.ones(out.shape[-1], dtype=x_type(out))
        mask[0] = 0
        if shape[-1] % 2 == 0:
            mask[-1] = 0
        out = torch.complex(out.real, out.imag * mask)
        return torch.fft.irfft(out, n=shape[-1], dim=-1, norm="forward")


def x_type(z):
    return torch.float64 if z.dtype == torch.complex128 else torch.float32


class Blocks(nn.Module):
    """all layers; norms, skips and maps are kept by kind, as in the library"""

    def __init__(self, a):
        super().__init__()
        c, n, modes = a["hidden_channels"], a["n_layers"], a["n_modes"]
        each = lambda make, count=n: nn.ModuleList([make() for _ in range(count)])
        self.count, self.stabilised = n, a["stabilizer"] == "tanh"
        self.convs = each(lambda: SpectralConv(c, modes, a["enforce_hermitian_symmetry"]))
        self.fno_skips = each(lambda: skip(a["fno_skip"], c, len(modes)))
        self.channel_mlp = None
        if a["use_channel_mlp"]:
            hidden = round(c * a["channel_mlp_expansion"])
            self.channel_mlp = each(lambda: ChannelMlp(c, hidden, c))
            self.channel_mlp_skips = each(lambda: skip(a["channel_mlp_skip"], c, len(modes)))
        self.norm = None
        if a["norm"] == "group_norm":
            self.norm = each(lambda: nn.GroupNorm(a.get("norm_groups", 1), c), 2 * n)
        elif a["norm"] == "instance_norm":
            self.norm = each(InstanceNorm, 2 * n)

    def normed(self, x, i):
        return x if self.norm is None else self.norm[i](x)

    def forward(self, x, layer):
        last = layer == self.count - 1
        side = self.fno_skips[layer](x)
        around = self.channel_mlp_skips[layer](x) if self.channel_mlp is not None else None
        x = self.normed(self.convs[layer](torch.tanh(x) if self.stabilised else x), 2 * layer) + side
        x = x if last else F.gelu(x)
        if self.channel_mlp is not None:
            x = self.channel_mlp[layer](x) + around
        x = self.normed(x, 2 * layer + 1)
        return x if last else F.gelu(x)


class InstanceNorm(nn.Module):
    def forward(self, x):
        return F.instance_norm(x)


class Neuralop(nn.Module):
    """x [B, C_in, X..] -> [B, C_out, X..]"""

    def __init__(self, a):
        super().__init__()
        c, axes = a["hidden_channels"], len(a["n_modes"])
        self.embedded, self.padding = a["positional_embedding"] == "grid", a["domain_padding"]
        self.fno_blocks = Blocks(a)
        n_in = a["in_channels"] + (axes if self.embedded else 0)
        self.lifting = ChannelMlp(n_in, int(a.get("lifting_channel_ratio", 2) * c), c)
        self.projection = ChannelMlp(c, int(a.get("projection_channel_ratio", 2) * c), a["out_channels"])

    def forward(self, x):
        shape = [int(n) for n in x.shape[2:]]
        if self.embedded:
            lines = [torch.arange(n, dtype=torch.float32).to(x) / n for n in shape]
            grid = torch.stack(torch.meshgrid(*lines, indexing="ij"))
            x = torch.cat((x, grid.expand(x.shape[0], *grid.shape)), dim=1)
        x = self.lifting(x)
        part = self.padding if isinstance(self.padding, list) else [self.padding or 0] * len(shape)
        ends = [round(p * n) for p, n in zip(part, shape)]
        x = F.pad(x, [e for e in reversed(ends) for _ in range(2)]) if any(ends) else x
        for layer in range(self.fno_blocks.count):
            x = self.fno_blocks(x, layer)
        x = x[(..., *[slice(e, e + n) for e, n in zip(ends, shape)])] if any(ends) else x
        return self.projection(x)


# ---- Neural-Solver-Library ----

class CornerConv(nn.Module):
    """modes m on each axis; one weight for each choice of signs on all axes but the last, the first changes fastest"""

    def __init__(self, channels, modes, axes):
        super().__init__()
        self.modes, self.axes = modes, axes
        for i in range(2 ** (axes - 1)):
            w = torch.rand(channels, channels, *[modes] * axes, dtype=torch.complex64) / channels ** 2
            setattr(self, "weights%d" % (i + 1), nn.Parameter(w))

    def corner(self, i):
        signs = [(i >> j) & 1 for j in range(self.axes - 1)]
        m = self.modes
        return (..., *[slice(-m, None) if s else slice(0, m) for s in signs], slice(0, m))

    def forward(self, x):
        axes, names = list(range(2, x.dim())), LETTERS[:self.axes]
        spectrum = torch.fft.rfftn(x, dim=axes)
        out = torch.zeros_like(spectrum)
        for i in range(2 ** (self.axes - 1)):
            at = self.corner(i)
            out[at] = torch.einsum("bi%s,io%s->bo%s" % (names, names, names), spectrum[at],
                                   getattr(self, "weights%d" % (i + 1)))
        return torch.fft.irfftn(out, s=x.shape[2:], dim=axes)


class Library(nn.Module):
    """x [B, N, space_dim], fx [B, N, fun_dim] if fun_dim > 0, T [B, 1] if time is taken -> [B, N, out_dim];
    four layers, whatever n_layers says"""

    def __init__(self, a):
        super().__init__()
        c, grid = a["n_hidden"], list(a["shapelist"])
        self.dim, self.grid, self.fixed, n_pos = c, grid, None, a["space_dim"]
        if a["unified_pos"]:
            self.fixed = parts.distances(parts.lattice(grid), parts.lattice([a["ref"]] * len(grid)))
            n_pos = self.fixed.shape[-1]
        self.preprocess = parts.TwoLayers(n_pos + a["fun_dim"], 2 * c, c, a["act"])
        self.time_fc = nn.Sequential(nn.Linear(c, c), nn.SiLU(), nn.Linear(c, c)) if a["time_input"] else None
        # a lone axis is not padded
        self.padding = [-n % 16 for n in grid] if len(grid) > 1 else [0]
        for i in range(4):
            setattr(self, "conv%d" % i, CornerConv(c, a["modes"], len(grid)))
            setattr(self, "w%d" % i, CONV[len(grid)](c, c, 1))
        self.fc1, self.fc2 = nn.Linear(c, c), nn.Linear(c, a["out_dim"])

    def forward(self, x, fx=None, T=None):
        p = x if self.fixed is None else self.fixed.to(x).expand(x.shape[0], -1, -1)
        h = self.preprocess(p if fx is None else torch.cat((p, fx), dim=-1))
        if self.time_fc is not None:
            h = h + self.time_fc(parts.time_code(T, self.dim))
        b, n, c = h.shape
        h = h.transpose(1, 2).reshape(b, c, *self.grid)
        h = F.pad(h, [e for end in reversed(self.padding) for e in (0, end)])
        for i in range(4):
            h = getattr(self, "conv%d" % i)(h) + getattr(self, "w%d" % i)(h)
            h = F.gelu(h) if i < 3 else h
        h = h[(..., *[slice(0, length) for length in self.grid])].reshape(b, c, n).transpose(1, 2)
        return self.fc2(F.gelu(self.fc1(h)))


# ---- the model's entry (models.py) ----

VARIANTS = {
    "neuralop": {"positional_embedding": "grid", "non_linearity": "gelu", "norm": None, "use_channel_mlp": True,
                 "channel_mlp_expansion": 0.5, "channel_mlp_skip": "soft-gating", "fno_skip": "linear",
                 "domain_padding": None, "stabilizer": None, "factorization": None, "fft_norm": "forward",
                 "enforce_hermitian_symmetry": True, "in_channels": 2, "out_channels": 1, "hidden_channels": 8,
                 "n_layers": 2, "lifting_channel_ratio": 2, "projection_channel_ratio": 2},
    "nsl": {"fun_dim": 1, "out_dim": 1, "n_hidden": 6, "n_layers": 2, "n_heads": 3, "act": "gelu", "mlp_ratio": 2,
            "dropout": 0.0, "unified_pos": 0, "ref": 3, "slice_num": 5, "time_input": False, "modes": 3},
}
PUBLISHED = {
    "fno-medium": ({"variant": "neuralop", "n_modes": [64, 64], "in_channels": 1, "hidden_channels": 64,
                    "n_layers": 4}, [128, 128], 1),
    "fno-small": ({"variant": "neuralop", "n_modes": [16, 16], "in_channels": 1, "hidden_channels": 24,
                   "n_layers": 4}, [32, 32], 8),
}


def build(a):
    return Library(a) if a["variant"] == "nsl" else Neuralop(a)


def draw(a, shape, batch):
    """points per axis"""
    if a["variant"] == "neuralop":
        a.setdefault("n_modes", [4] * len(shape))
        # torch 1.13 returns uninitialised memory for a transform over no axis
        a["enforce_hermitian_symmetry"] = a["enforce_hermitian_symmetry"] and len(shape) > 1
        return {"x": torch.randn(batch, a["in_channels"], *shape)}
    a.update(space_dim=len(shape), shapelist=list(shape), geotype="structured_%dD" % len(shape))
    n = math.prod(shape)
    inputs = {"x": torch.rand(batch, n, len(shape))}
    if a["fun_dim"]:
        inputs["fx"] = torch.randn(batch, n, a["fun_dim"])
    return dict(inputs, T=torch.rand(batch, 1)) if a["time_input"] else inputs


class Transform(nn.Module):
    """a constant complex matrix on the left of [.., n, m]: pairs in, pairs out"""

    def __init__(self, matrix):
        super().__init__()
        self.register_buffer("re", matrix.real.float().contiguous())
        self.register_buffer("im", matrix.imag.float().contiguous())

    def forward(self, re, im):
        both = torch.cat((re, im), dim=-1)
        p, q = torch.matmul(self.re, both), torch.matmul(self.im, both)
        m = re.shape[-1]
        return p[..., :m] - q[..., m:], p[..., m:] + q[..., :m]


class ExportedConv(nn.Module):
    """The exporter knows neither Fourier transforms nor complex numbers. Of the transforms only the kept modes are
    needed, so they are small matrix products here. (A layer of 64 x 128 x 128 numbers: 18 ms in all, 67 ms for its
    transforms alone with ONNX's DFT operators.)"""

    def __init__(self, conv, shape):
        super().__init__()
        (n, m), weight = shape, conv.weight.tensor.detach()
        of_weight, _ = conv.kept((n, m // 2 + 1))
        weight = weight[of_weight]
        rows, columns = weight.shape[2:]
        k = torch.arange(rows) - rows // 2
        wave = torch.exp(-2j * math.pi * torch.outer(k, torch.arange(n)).double() / n)
        self.rows_in, self.rows_out = Transform(wave / n), Transform(wave.conj().T)
        wave = 2 * math.pi * torch.outer(torch.arange(columns), torch.arange(m)).double() / m
        self.register_buffer("cos_in", (torch.cos(wave).T / m).float().contiguous())
        self.register_buffer("sin_in", (-torch.sin(wave).T / m).float().contiguous())
        twice = torch.full((columns, 1), 2.0)
        twice[0] = 1
        if m % 2 == 0 and columns == m // 2 + 1:
            twice[-1] = 1
        self.register_buffer("cos_out", (twice * torch.cos(wave)).float().contiguous())
        self.register_buffer("sin_out", (-twice * torch.sin(wave)).float().contiguous())
        weight = weight.permute(2, 3, 0, 1).reshape(rows * columns, *weight.shape[:2])
        self.register_buffer("weight_re", weight.real.contiguous())
        self.register_buffer("weight_im", weight.imag.contiguous())
        self.register_buffer("bias", conv.bias.detach())
        self.kept = (rows, columns)

    def forward(self, x):
        b, c = x.shape[:2]
        re, im = self.rows_in(torch.matmul(x, self.cos_in), torch.matmul(x, self.sin_in))
        both = torch.cat((re, im), dim=0).permute(2, 3, 0, 1).reshape(-1, 2 * b, c)  # modes first
        p, q = torch.matmul(both, self.weight_re), torch.matmul(both, self.weight_im)
        both = torch.cat((p[:, :b] - q[:, b:], p[:, b:] + q[:, :b]), dim=1)
        both = both.reshape(*self.kept, 2 * b, -1).permute(2, 3, 0, 1)
        re, im = self.rows_out(both[:b], both[b:])
        return torch.matmul(re, self.cos_out) + torch.matmul(im, self.sin_out) + self.bias


def for_export(model, inputs):
    """two axes; the size of the grid becomes part of the network"""
    blocks = model.fno_blocks
    for i, conv in enumerate(blocks.convs):
        blocks.convs[i] = ExportedConv(conv, inputs["x"].shape[2:])
    return model
