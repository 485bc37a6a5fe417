"""PatchTST restated in PyTorch: the official code, and the other network of that name in the library of thuml.

Nie et al., ICLR 2023, arXiv 2211.14730. Written from the formulas, parameter names of the state_dict. Patches p_i of
each variate's normalised lookback, whose last value is repeated `stride` times, are tokens:

  u_i = W p_i + place_i;  layers;  y = W_h [u_0 .. u_{n-1}] + b, channels slow and patches fast
  official layer:  S_l = q k^T / sqrt(E) + S_{l-1};  u <- BN(u + W_o softmax(S_l) v);  u <- BN(u + W_2 gelu(W_1 u))
"""
import torch
from torch import nn
from torch.nn import functional as F

import series_parts as sp


# ---- official ----

class Scale(nn.Module):
    """what the scores are multiplied by, stored as a number that is not trained"""

    def __init__(self, width):
        super().__init__()
        self.register_buffer("scale", torch.tensor(float(width) ** -0.5))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.W_Q, self.W_K, self.W_V = (nn.Linear(width, width) for _ in range(3))
        self.sdp_attn = Scale(width // heads)
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, u, before):
        b, n, d = u.shape
        q = self.W_Q(u).view(b, n, self.heads, -1).transpose(1, 2)
        k = self.W_K(u).view(b, n, self.heads, -1).permute(0, 2, 3, 1)
        v = self.W_V(u).view(b, n, self.heads, -1).transpose(1, 2)
        scores = torch.matmul(q, k) * self.sdp_attn.scale
        if before is not None:
            scores = scores + before
        y = torch.matmul(F.softmax(scores, dim=-1), v)
        return self.to_out(y.transpose(1, 2).contiguous().view(b, n, d)), scores


class Layer(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.self_attn = Attention(width, heads)
        self.norm_attn, self.norm_ffn = sp.batch_norm(width), sp.batch_norm(width)
        self.ff = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Identity(), nn.Linear(hidden, width))

    def forward(self, u, before):
        y, scores = self.self_attn(u, before)
        u = self.norm_attn(u + y)
        return self.norm_ffn(u + self.ff(u)), scores


class Layers(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.layers = nn.ModuleList([Layer(a["d_model"], a["n_heads"], a["d_ff"]) for _ in range(a["e_layers"])])

    def forward(self, u):
        scores = None
        for layer in self.layers:
            u, scores = layer(u, scores)
        return u


class Backbone(nn.Module):
    """z [B, N, L] -> [B, N, D, n]"""

    def __init__(self, a, patches):
        super().__init__()
        self.patch, self.stride, self.behind = a["patch_len"], a["stride"], a["stride"] if padded(a) else 0
        self.W_pos = nn.Parameter(torch.empty(patches, a["d_model"]).uniform_(-0.02, 0.02))
        self.W_P = nn.Linear(a["patch_len"], a["d_model"])
        self.encoder = Layers(a)

    def cut(self, z):
        z = F.pad(z, (0, self.behind), mode="replicate") if self.behind else z
        return z.unfold(-1, self.patch, self.stride)

    def forward(self, z):
        u = self.W_P(self.cut(z))
        b, variates, n, d = u.shape
        u = self.encoder(u.reshape(b * variates, n, d) + self.W_pos)
        return u.view(b, variates, n, d).permute(0, 1, 3, 2)


class Head(nn.Module):
    def __init__(self, variates, n_in, n_out, individual):
        super().__init__()
        self.individual = individual
        if individual:
            self.linears = nn.ModuleList([nn.Linear(n_in, n_out) for _ in range(variates)])
        else:
            self.linear = nn.Linear(n_in, n_out)

    def forward(self, u):
        u = u.flatten(-2)
        if not self.individual:
            return self.linear(u)
        return torch.stack([f(u[:, i]) for i, f in enumerate(self.linears)], dim=1)


class Part(nn.Module):
    """x [B, L, N] -> [B, P, N]"""

    def __init__(self, a):
        super().__init__()
        self.normalised, self.last = bool(a["revin"]), bool(a["subtract_last"])
        if a["revin"] and a["affine"]:
            self.revin_layer = sp.WindowAffine(a["enc_in"])
        self.affine = bool(a["revin"] and a["affine"])
        self.backbone = Backbone(a, patches(a))
        self.head = Head(a["enc_in"], a["d_model"] * patches(a), a["pred_len"], bool(a["individual"]))

    def forward(self, x):
        if self.normalised:
            mean, deviation = sp.window_moments(x, False)
            shift = x[:, -1:] if self.last else mean
            x = (x - shift) / deviation
        if self.affine:
            x = self.revin_layer(x)
        y = self.head(self.backbone(x.permute(0, 2, 1))).permute(0, 2, 1)
        if self.affine:
            y = self.revin_layer.undo(y)
        return y * deviation + shift if self.normalised else y


class Official(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.window = a["kernel_size"] if a["decomposition"] else 0
        if self.window:
            self.model_trend, self.model_res = Part(a), Part(a)
        else:
            self.model = Part(a)

    def forward(self, x):
        if not self.window:
            return self.model(x)
        trend = sp.moving_average(x, self.window)
        return self.model_res(x - trend) + self.model_trend(trend)


# ---- library ----

class PatchEmbedding(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.patch, self.stride = a["patch_len"], a["stride"]
        self.value_embedding = nn.Linear(a["patch_len"], a["d_model"], bias=False)
        self.position_embedding = sp.Places(a["d_model"])

    def forward(self, x):
        x = F.pad(x, (0, self.stride), mode="replicate").unfold(-1, self.patch, self.stride)
        u = self.value_embedding(x.reshape(-1, *x.shape[2:]))
        return u + self.position_embedding(u)


class Library(nn.Module):
    """x_enc [B, L, N] -> [B, P, N]"""

    def __init__(self, a):
        super().__init__()
        width = a["d_model"]
        self.patch_embedding = PatchEmbedding(a)
        layers = [sp.EncoderLayer(width, a["d_ff"], a["n_heads"], a["activation"]) for _ in range(a["e_layers"])]
        self.encoder = sp.Encoder(layers, sp.batch_norm(width))
        self.head = Head(a["enc_in"], width * patches(a), a["pred_len"], False)

    def forward(self, x_enc, x_mark_enc=None, x_dec=None, x_mark_dec=None):
        mean, deviation = sp.window_moments(x_enc, True)
        u = self.encoder(self.patch_embedding(((x_enc - mean) / deviation).permute(0, 2, 1)))
        u = u.view(-1, x_enc.shape[2], *u.shape[1:]).permute(0, 1, 3, 2)
        return self.head(u).permute(0, 2, 1) * deviation + mean


def padded(a):
    return a["variant"] == "tslib" or a["padding_patch"] == "end"


def patches(a):
    return (a["seq_len"] + (a["stride"] if padded(a) else 0) - a["patch_len"]) // a["stride"] + 1


# ---- for the ONNX exporter, which knows no unfold behind padding ----

class TableCut:
    """patches by a table of the steps they hold"""

    def __init__(self, patch, stride, count, steps):
        table = torch.arange(count)[:, None] * stride + torch.arange(patch)
        self.table = table.clamp(max=steps - 1)

    def __call__(self, z):
        return z[..., self.table]


def for_export(model, inputs):
    for part in (m for m in model.modules() if isinstance(m, Backbone)):
        part.cut = TableCut(part.patch, part.stride, part.W_pos.shape[0], inputs["x"].shape[1])
    return model


# ---- the model's entry (models.py) ----

def build(a):
    return Library(a) if a["variant"] == "tslib" else Official(a)


COMPUTED = r"num_batches_tracked$|sdp_attn\.scale$|position_embedding\.pe$"
_SMALL = {"seq_len": 32, "pred_len": 8, "enc_in": 3, "d_model": 16, "n_heads": 4, "e_layers": 2, "d_ff": 32,
          "patch_len": 8, "stride": 4, "dropout": 0.0}
VARIANTS = {"official": dict(_SMALL, fc_dropout=0.0, head_dropout=0.0, individual=0, padding_patch="end", revin=1,
                             affine=0, subtract_last=0, decomposition=0, kernel_size=5),
            "tslib": dict(_SMALL, task_name="long_term_forecast", label_len=16, activation="gelu", factor=1)}
PUBLISHED = {"patchtst": ({"variant": "official", "pred_len": 96, "d_model": 128, "n_heads": 16, "e_layers": 3,
                           "d_ff": 256, "patch_len": 16, "stride": 8, "dropout": 0.2, "kernel_size": 25},
                          [336, 7], 32)}


def draw(a, shape, batch):
    """lookback and variates"""
    a["seq_len"], a["enc_in"] = shape
    return {"x_enc" if a["variant"] == "tslib" else "x": torch.randn(batch, *shape)}


randomise = sp.randomise_batch_norms
