"""The library's small temporal fusion transformer restated in PyTorch (variant tslib); the full one is in tft_full.py.

Lim et al., Int. J. Forecasting 2021, as thuml's library has it: a point forecast, all columns normalised by their
window, contexts of the LSTM swapped. Written from the formulas, parameter names of the state_dict.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F

import series_parts as sp
import tft_full


class Gates(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(n_in, n_out), nn.Linear(n_in, n_out)

    def forward(self, x):
        return self.fc1(x) * torch.sigmoid(self.fc2(x))


class GateNorm(nn.Module):
    """LN(projection(GLU(x) + skip)); the projection only where the width changes"""

    def __init__(self, width, n_out=None):
        super().__init__()
        self.glu = Gates(width, width)
        if n_out and n_out != width:
            self.projection = nn.Linear(width, n_out)
        self.layer_norm = nn.LayerNorm(n_out or width)

    def forward(self, x, skip):
        y = self.glu(x) + skip
        return self.layer_norm(self.projection(y) if hasattr(self, "projection") else y)


class Residual(nn.Module):
    """gated residual network"""

    def __init__(self, n_in, width, n_out=None, context=False):
        super().__init__()
        self.lin_a = nn.Linear(n_in, width)
        if context:
            self.lin_c = nn.Linear(width, width)
        self.lin_i = nn.Linear(width, width)
        if n_in != width:
            self.project_a = nn.Linear(n_in, width)
        self.gate = GateNorm(width, n_out)

    def forward(self, x, context=None):
        h = self.lin_a(x)
        if context is not None:
            extra = self.lin_c(context)
            h = h + (extra[:, None] if h.dim() == 3 and extra.dim() == 2 else extra)
        skip = self.project_a(x) if hasattr(self, "project_a") else x
        return self.gate(self.lin_i(F.elu(h)), skip)


class Selection(nn.Module):
    """variables [.., D, V] -> their weighted sum [.., D]"""

    def __init__(self, width, count):
        super().__init__()
        self.joint_grn = Residual(width * count, width, count, context=True)
        self.variable_grns = nn.ModuleList([Residual(width, width) for _ in range(count)])

    def forward(self, x, context=None):
        """x: list of [.., D]"""
        weight = torch.softmax(self.joint_grn(torch.cat(x, dim=-1), context), dim=-1)
        each = torch.stack([g(v) for g, v in zip(self.variable_grns, x)], dim=-1)
        return (each * weight[..., None, :]).sum(dim=-1)


class ColumnEmbedding(nn.Module):
    """of one column; its table of marks is never used"""

    def __init__(self, width):
        super().__init__()
        self.value_embedding = sp.TokenConv(1, width, False)
        self.position_embedding = sp.Places(width)
        self.temporal_embedding = sp.WholeMarks(width, "fixed", "h")

    def forward(self, x):
        return self.value_embedding(x) + self.position_embedding(x)


class MarkVariables(nn.Module):
    """each scaled mark by its own map"""

    def __init__(self, width, freq):
        super().__init__()
        self.embed = nn.ModuleList([nn.Linear(1, width, bias=False) for _ in range(sp.MARKS[freq])])

    def forward(self, marks):
        return [m(marks[..., i:i + 1]) for i, m in enumerate(self.embed)]


class TableVariables(sp.WholeMarks):
    def forward(self, marks):
        return [getattr(self, n + "_embed")(marks[..., i].round().long()) for i, n in enumerate(self.names)]


class Embedding(nn.Module):
    def __init__(self, a):
        super().__init__()
        width = a["d_model"]
        self.static, self.observed = a["static"], a["observed"]
        if self.static:
            self.static_embedding = nn.ModuleList([ColumnEmbedding(width) for _ in self.static])
        self.observed_embedding = nn.ModuleList([ColumnEmbedding(width) for _ in self.observed])
        self.known_embedding = (MarkVariables(width, a["freq"]) if a["embed"] == "timeF" else
                                TableVariables(width, a["embed"], a["freq"]))

    def forward(self, x, marks):
        """static [B, D] each, observed [B, L, D] each, known [B, L + P, D] each"""
        static = [e(x[:, :1, i:i + 1])[:, 0] for e, i in zip(getattr(self, "static_embedding", []), self.static)]
        observed = [e(x[:, :, i:i + 1]) for e, i in zip(self.observed_embedding, self.observed)]
        return static, observed, self.known_embedding(marks)


class StaticEncoder(nn.Module):
    def __init__(self, width, count):
        super().__init__()
        if count:
            self.static_vsn = Selection(width, count)
        self.grns = nn.ModuleList([Residual(width, width) for _ in range(4)])

    def forward(self, static):
        if not static:
            return [None] * 4
        f = self.static_vsn(static)
        return [g(f) for g in self.grns]


class InterpretableAttention(nn.Module):
    def __init__(self, width, heads, steps):
        super().__init__()
        self.heads, self.each = heads, width // heads
        self.qkv_linears = nn.Linear(width, (2 * heads + 1) * self.each, bias=False)
        self.out_projection = nn.Linear(self.each, width, bias=False)
        self.register_buffer("mask", torch.triu(torch.full((steps, steps), -math.inf), 1))

    def forward(self, x):
        b, n, _ = x.shape
        q, k, v = self.qkv_linears(x).split((self.heads * self.each, self.heads * self.each, self.each), dim=-1)
        q, k = (t.reshape(b, n, self.heads, self.each).transpose(1, 2) for t in (q, k))
        weight = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(self.each) + self.mask, dim=-1)
        return self.out_projection((weight @ v[:, None]).mean(dim=1))


class FusionDecoder(nn.Module):
    def __init__(self, a):
        super().__init__()
        width = a["d_model"]
        self.ahead = a["pred_len"]
        self.history_encoder = nn.LSTM(width, width, batch_first=True)
        self.future_encoder = nn.LSTM(width, width, batch_first=True)
        self.gate_after_lstm = GateNorm(width)
        self.enrichment_grn = Residual(width, width, context=True)
        self.attention = InterpretableAttention(width, a["n_heads"], a["seq_len"] + a["pred_len"])
        self.gate_after_attention = GateNorm(width)
        self.position_wise_grn = Residual(width, width)
        self.gate_final = GateNorm(width)
        self.out_projection = nn.Linear(width, a["c_out"])

    def forward(self, history, future, c_c, c_h, c_e):
        start = None if c_c is None else (c_c[None].contiguous(), c_h[None].contiguous())
        past, state = self.history_encoder(history, start)
        ahead, _ = self.future_encoder(future, state)
        t = self.gate_after_lstm(torch.cat((past, ahead), dim=1), torch.cat((history, future), dim=1))
        rich = self.enrichment_grn(t, c_e)
        y = self.gate_after_attention(self.attention(rich)[:, -self.ahead:], rich[:, -self.ahead:])
        return self.out_projection(self.gate_final(self.position_wise_grn(y), t[:, -self.ahead:]))


class Tft(nn.Module):
    """x_enc [B, L, C] .. -> [B, L + P, C], zeros for the lookback"""

    def __init__(self, a):
        super().__init__()
        width, known = a["d_model"], sp.MARKS[a["freq"]] if a["embed"] == "timeF" else 5 if a["freq"] == "t" else 4
        self.lookback, self.ahead = a["seq_len"], a["pred_len"]
        self.embedding = Embedding(a)
        self.static_encoder = StaticEncoder(width, len(a["static"]))
        self.history_vsn = Selection(width, len(a["observed"]) + known)
        self.future_vsn = Selection(width, known)
        self.temporal_fusion_decoder = FusionDecoder(a)

    def forward(self, x_enc, x_mark_enc, x_dec, x_mark_dec):
        mean = x_enc.mean(dim=1, keepdim=True).detach()
        x = x_enc - mean
        std = torch.sqrt(x.var(dim=1, keepdim=True, unbiased=False) + 1e-5)
        marks = torch.cat((x_mark_enc, x_mark_dec[:, -self.ahead:]), dim=1)
        static, observed, known = self.embedding(x / std, marks)
        c_s, c_c, c_h, c_e = self.static_encoder(static)
        history = self.history_vsn(observed + [k[:, :self.lookback] for k in known], c_s)
        future = self.future_vsn([k[:, self.lookback:] for k in known], c_s)
        y = self.temporal_fusion_decoder(history, future, c_c, c_h, c_e) * std + mean
        return torch.cat((torch.zeros_like(x_enc[:, :, :y.shape[2]]), y), dim=1)


# ---- the model's entry (models.py) ----

def build(args):
    return Tft(args) if args["variant"] == "tslib" else tft_full.FullTft(args)


COMPUTED = r"position_embedding\.pe|_embed\.emb\.weight|attention\.mask|temporal_embedding"
CONSTANT_INPUTS = ("target_scale",)
VARIANTS = {"tslib": {"seq_len": 20, "label_len": 5, "pred_len": 7, "enc_in": 4, "dec_in": 4, "c_out": 4, "d_model": 8,
                      "n_heads": 2, "dropout": 0.0, "embed": "timeF", "freq": "h", "static": [], "observed": [0, 1, 2, 3]},
            "pytorch_forecasting": tft_full.DEFAULTS}
PUBLISHED = {"tft-%d" % width: ({"variant": "tslib", "seq_len": 96, "label_len": 48, "pred_len": 96,
                                 "d_model": width, "n_heads": 8}, [7], 32) for width in (128, 512)}


def draw(a, shape, batch):
    """columns, the last of them static if there are two numbers: observed, static"""
    if a["variant"] != "tslib":
        return tft_full.draw(a, shape, batch)
    observed, static = shape[0], shape[1] if len(shape) > 1 else 0
    a["observed"], a["static"] = list(range(observed)), list(range(observed, observed + static))
    a["enc_in"] = a["dec_in"] = a["c_out"] = observed + static
    return sp.draw_windows(a, batch, observed + static)


def randomise(model):
    for m in model.modules():
        if isinstance(m, sp.FixedTable):
            m.emb.weight.data = sp.place_table(*m.emb.weight.shape)
