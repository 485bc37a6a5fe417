"""Informer restated in PyTorch: the library's form and that of the original repository.

Zhou et al., AAAI 2021. Written from the formulas, parameter names of the state_dicts. ProbSparse attention: for each
query the scores of some drawn keys, M_i = max_j S_ij - sum_j S_ij / L_K; the u queries of largest M attend to all keys,
the others give the mean of the values (behind a mask: their sum so far). With a factor that takes every query the
result does not depend on the draw, which is how cases are made here; draws of other cases are repeated by replay.
"""
import itertools
import math

import torch
from torch import nn
from torch.nn import functional as F

import series_parts as sp


recorded = itertools.repeat(None)  # draws of keys, call by call; None: a new draw


def replay(aux):
    """repeats the draws of a case for ever: the calls of a forward pass come in the order of their numbers"""
    global recorded
    draws = [torch.from_numpy(aux[name]).long() for name in sorted(aux) if name.endswith("index_sample")]
    recorded = itertools.cycle(draws or [None])


def prob_attention(q, k, v, factor, masked):
    """[B, H, L, E] each"""
    b, h, n_q, e = q.shape
    n_k = k.shape[2]
    drawn = min(factor * math.ceil(math.log(n_k)), n_k)
    chosen = min(factor * math.ceil(math.log(n_q)), n_q)
    sample = next(recorded)
    sample = torch.randint(n_k, (n_q, drawn)) if sample is None else sample
    scores = (q[:, :, :, None, :] * k[:, :, sample]).sum(dim=-1)
    measure = scores.max(dim=-1).values - scores.sum(dim=-1) / n_k
    top = measure.topk(chosen, sorted=False).indices
    rows = torch.gather(q, 2, top[..., None].expand(-1, -1, -1, e))
    weight = rows @ k.transpose(-1, -2) / math.sqrt(e)
    if masked:
        weight = weight.masked_fill(torch.arange(n_k) > top[..., None], -math.inf)
        context = v.cumsum(dim=2)
    else:
        context = v.mean(dim=2, keepdim=True).expand(b, h, n_q, e)
    return context.scatter(2, top[..., None].expand(-1, -1, -1, e), torch.softmax(weight, dim=-1) @ v)


def full_attention(q, k, v, masked):
    weight = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if masked:
        n = q.shape[2]
        weight = weight.masked_fill(torch.ones(n, n).triu(1).bool(), -math.inf)
    return torch.softmax(weight, dim=-1) @ v


class Attention(sp.AttentionMaps):
    """mix: heads and steps are re-read without a transposition"""

    def __init__(self, a, prob, masked, mix):
        super().__init__(a["d_model"], a["n_heads"])
        self.prob, self.masked, self.mix, self.factor = prob, masked, mix, a["factor"]

    def forward(self, x, y):
        q, k, v = self.split(x, y)
        o = prob_attention(q, k, v, self.factor, self.masked) if self.prob else full_attention(q, k, v, self.masked)
        o = o if self.mix else o.transpose(1, 2)
        return self.out_projection(o.reshape(*x.shape[:2], -1))


class EncoderLayer(sp.FeedForward):
    def __init__(self, a):
        super().__init__(a["d_model"], a["d_ff"], a["activation"])
        library = a["variant"] == "tslib"
        self.attention = Attention(a, library or a["attn"] == "prob", False, library)
        self.norm1, self.norm2 = nn.LayerNorm(a["d_model"]), nn.LayerNorm(a["d_model"])

    def forward(self, x):
        x = self.norm1(x + self.attention(x, x))
        return self.norm2(x + self.two_maps(x))


class Distil(nn.Module):
    def __init__(self, width, pad):
        super().__init__()
        self.downConv = nn.Conv1d(width, width, 3, padding=pad, padding_mode="circular")
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x):
        y = F.elu(self.norm(self.downConv(x.transpose(1, 2))))
        return F.max_pool1d(y, 3, 2, 1).transpose(1, 2)


class Encoder(nn.Module):
    def __init__(self, a, layers):
        super().__init__()
        self.attn_layers = nn.ModuleList([EncoderLayer(a) for _ in range(layers)])
        if a["distil"]:
            pad = 2 if a["variant"] == "tslib" else 1
            self.conv_layers = nn.ModuleList([Distil(a["d_model"], pad) for _ in range(layers - 1)])
        self.distil, self.norm = a["distil"], nn.LayerNorm(a["d_model"])

    def forward(self, x):
        for i, layer in enumerate(self.attn_layers):
            x = layer(x)
            if self.distil and i < len(self.conv_layers):
                x = self.conv_layers[i](x)
        return self.norm(x)


class Stack(nn.Module):
    """encoder i sees the last steps, L / 2^i of them"""

    def __init__(self, a):
        super().__init__()
        self.encoders = nn.ModuleList([Encoder(a, n) for n in a["e_layers"]])

    def forward(self, x):
        n = x.shape[1]
        return torch.cat([e(x[:, n - n // 2 ** i:]) for i, e in enumerate(self.encoders)], dim=1)


class DecoderLayer(sp.FeedForward):
    def __init__(self, a):
        super().__init__(a["d_model"], a["d_ff"], a["activation"])
        library = a["variant"] == "tslib"
        self.self_attention = Attention(a, library or a["attn"] == "prob", True, library or a["mix"])
        self.cross_attention = Attention(a, library, False, library)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(a["d_model"]) for _ in range(3))

    def forward(self, x, memory):
        x = self.norm1(x + self.self_attention(x, x))
        x = self.norm2(x + self.cross_attention(x, memory))
        return self.norm3(x + self.two_maps(x))


class Decoder(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.layers = nn.ModuleList([DecoderLayer(a) for _ in range(a["d_layers"])])
        self.norm = nn.LayerNorm(a["d_model"])
        if a["variant"] == "tslib":
            self.projection = nn.Linear(a["d_model"], a["c_out"])

    def forward(self, x, memory):
        for layer in self.layers:
            x = layer(x, memory)
        return self.norm(x)


class Informer(nn.Module):
    """x_enc [B, L, N] .. -> [B, P, c_out]"""

    def __init__(self, a):
        super().__init__()
        width, library = a["d_model"], a["variant"] == "tslib"
        self.steps = a["pred_len"] if library else a["out_len"]
        self.enc_embedding = sp.DataEmbedding(a["enc_in"], width, a["embed"], a["freq"], bias=not library)
        self.dec_embedding = sp.DataEmbedding(a["dec_in"], width, a["embed"], a["freq"], bias=not library)
        self.encoder = Stack(a) if a["variant"] == "informer2020_stack" else Encoder(a, a["e_layers"])
        self.decoder = Decoder(a)
        if not library:
            self.projection = nn.Linear(width, a["c_out"])

    def forward(self, x_enc, x_mark_enc, x_dec, x_mark_dec):
        memory = self.encoder(self.enc_embedding(x_enc, x_mark_enc))
        y = self.decoder(self.dec_embedding(x_dec, x_mark_dec), memory)
        last = self.projection if hasattr(self, "projection") else self.decoder.projection
        return last(y)[:, -self.steps:]


# ---- the model's entry (models.py) ----

build = Informer
COMPUTED = r"position_embedding\.pe|num_batches_tracked|_embed\.emb\.weight"
CONSTANT_INPUTS = ()
_SHARED = {"enc_in": 3, "dec_in": 3, "c_out": 3, "seq_len": 24, "label_len": 12, "factor": 50, "d_model": 16, "n_heads": 2,
           "d_layers": 1, "d_ff": 24, "dropout": 0.0, "embed": "timeF", "freq": "h", "activation": "gelu", "distil": True}
VARIANTS = {"tslib": dict(_SHARED, pred_len=8, e_layers=2),
            "informer2020": dict(_SHARED, out_len=8, e_layers=2, attn="prob", mix=True, output_attention=False),
            "informer2020_stack": dict(_SHARED, out_len=8, e_layers=[2, 1], attn="prob", mix=True, output_attention=False)}
# factor 50 takes every query: attention then costs what full attention does, 4 % of the whole
PUBLISHED = {"informer": ({"variant": "tslib", "enc_in": 7, "dec_in": 7, "c_out": 7, "seq_len": 96, "label_len": 48,
                           "pred_len": 96, "d_model": 512, "n_heads": 8, "d_ff": 2048}, [7], 32)}


def draw(a, shape, batch):
    """variates"""
    a["enc_in"] = a["dec_in"] = shape[0]
    a["c_out"] = min(a["c_out"], shape[0]) if a["variant"] != "tslib" else shape[0]
    return sp.draw_windows(a, batch, shape[0], "pred_len" if a["variant"] == "tslib" else "out_len")


def randomise(model):
    for m in model.modules():
        if isinstance(m, nn.BatchNorm1d):
            m.running_mean.normal_(0, 0.3)
            m.running_var.uniform_(0.5, 2.0)
        if isinstance(m, sp.FixedTable):
            m.emb.weight.data = sp.place_table(*m.emb.weight.shape)
