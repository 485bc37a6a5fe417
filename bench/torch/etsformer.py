"""ETSformer restated in PyTorch: the library's form and the official one, which differ in the embedding.

Woo et al., arXiv 2202.01381. Written from the formulas, parameter names of the state_dicts: level, growth and season
are taken off layer by layer; smoothing runs as a plain recursion in time.
"""
import math

import torch
from torch import nn

import series_parts as sp


def season(x, k, ahead):
    """the k strongest frequencies of each channel of x [B, T, D], carried on for `ahead` steps"""
    b, n, d = x.shape
    if k == 0:
        return x.new_zeros(b, n + ahead, d)
    z = torch.fft.rfft(x, dim=1)[:, 1:(n + 1) // 2]
    top = z.abs().topk(min(k, z.shape[1]), dim=1).indices
    z = torch.gather(z, 1, top)
    t = torch.arange(n + ahead, dtype=x.dtype)
    angle = 2 * math.pi / n * (top + 1).to(x.dtype)[:, :, None] * t[:, None] + z.angle()[:, :, None]
    return (2 / n * z.abs()[:, :, None] * torch.cos(angle)).sum(dim=1)


class Smoothing(nn.Module):
    """s_t = a s_{t-1} + (1 - a) x_t from v0; x [B, T, H, E]"""

    def __init__(self, heads, width):
        super().__init__()
        self._smoothing_weight = nn.Parameter(torch.randn(heads, 1))
        self.v0 = nn.Parameter(torch.randn(1, 1, heads, width))

    @property
    def weight(self):
        return torch.sigmoid(self._smoothing_weight)

    def forward(self, x):
        a, s, found = self.weight, self.v0[:, 0], []
        for t in range(x.shape[1]):
            s = a * s + (1 - a) * x[:, t]
            found.append(s)
        return torch.stack(found, dim=1)


class Growth(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.z0 = nn.Parameter(torch.randn(heads, width // heads))
        self.in_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.es = Smoothing(heads, width // heads)

    def forward(self, x):
        b, n, _ = x.shape
        v = self.in_proj(x).reshape(b, n, self.heads, -1)
        step = v - torch.cat((self.z0.expand(b, 1, -1, -1), v[:, :-1]), dim=1)
        s = torch.cat((self.es.v0.expand(b, 1, -1, -1), self.es(step)), dim=1)
        return self.out_proj(s.reshape(b, n + 1, -1))


class Level(nn.Module):
    def __init__(self, width, columns):
        super().__init__()
        self.es = Smoothing(columns, 1)
        self.growth_pred, self.season_pred = nn.Linear(width, columns), nn.Linear(width, columns)

    def forward(self, level, growth, s):
        n = level.shape[1]
        q, g = self.season_pred(s), self.growth_pred(growth)
        power = self.es.weight[:, 0] ** torch.arange(n, 0, -1, dtype=level.dtype)[:, None]
        return self.es((level - q)[..., None])[..., 0] + g * power


class TwoMaps(nn.Module):
    def __init__(self, width, hidden, act):
        super().__init__()
        self.linear1 = nn.Linear(width, hidden, bias=False)
        self.linear2 = nn.Linear(hidden, width, bias=False)
        self.act = sp.ACTIVATIONS[act]

    def forward(self, x):
        return self.linear2(self.act(self.linear1(x)))


class EncoderLayer(nn.Module):
    def __init__(self, a):
        super().__init__()
        width = a["d_model"]
        self.k, self.ahead = a["K"] if a["variant"] == "official" else a["top_k"], a["pred_len"]
        self.growth_layer = Growth(width, a["n_heads"])
        self.level_layer = Level(width, a["enc_in"])
        self.ff = TwoMaps(width, a["d_ff"], a["activation"])
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, r, level, last):
        n = r.shape[1]
        s = season(r, self.k, self.ahead)
        r = r - s[:, :n]
        growth = self.growth_layer(r)
        if not last:
            r = self.norm1(r - growth[:, 1:])
            r = self.norm2(r + self.ff(r))
        return r, self.level_layer(level, growth[:, :n], s[:, :n]), growth, s


class Encoder(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.layers = nn.ModuleList([EncoderLayer(a) for _ in range(a["e_layers"])])


class Damping(nn.Module):
    def __init__(self, heads):
        super().__init__()
        self._damping_factor = nn.Parameter(torch.randn(1, heads))

    def forward(self, growth, steps):
        """[B, D] -> [B, steps, D]: growth of each head times phi + phi^2 + .."""
        b, d = growth.shape
        phi = torch.sigmoid(self._damping_factor)
        total = (phi ** torch.arange(1, steps + 1, dtype=growth.dtype)[:, None]).cumsum(dim=0)
        return (growth.reshape(b, 1, phi.shape[1], -1) * total[..., None]).reshape(b, steps, d)


class DecoderLayer(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.growth_damping = Damping(a["n_heads"])


class Decoder(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.layers = nn.ModuleList([DecoderLayer(a) for _ in range(a["d_layers"])])
        self.pred = nn.Linear(a["d_model"], a["c_out"])


class CausalConv(nn.Module):
    def __init__(self, columns, width):
        super().__init__()
        self.conv = nn.Conv1d(columns, width, 3, bias=False)

    def forward(self, x, _):
        return self.conv(nn.functional.pad(x.transpose(1, 2), (2, 0))).transpose(1, 2)


class Etsformer(nn.Module):
    """x_enc [B, L, N] -> [B, P, N]"""

    def __init__(self, a):
        super().__init__()
        self.ahead = a["pred_len"]
        self.enc_embedding = (CausalConv(a["enc_in"], a["d_model"]) if a["variant"] == "official" else
                              sp.DataEmbedding(a["enc_in"], a["d_model"], a["embed"], a["freq"]))
        self.encoder, self.decoder = Encoder(a), Decoder(a)

    def forward(self, x_enc, x_mark_enc=None, x_dec=None, x_mark_dec=None):
        n, r, level, grown, seasons = x_enc.shape[1], self.enc_embedding(x_enc, x_mark_enc), x_enc, 0, 0
        for i, layer in enumerate(self.encoder.layers):
            r, level, growth, s = layer(r, level, i == len(self.encoder.layers) - 1)
            grown = grown + self.decoder.layers[i].growth_damping(growth[:, -1], self.ahead)
            seasons = seasons + s[:, n:]
        return level[:, -1:] + self.decoder.pred(grown) + self.decoder.pred(seasons)


# ---- the model's entry (models.py) ----

build = Etsformer
COMPUTED = r"position_embedding\.pe|_embed\.emb\.weight"
_SHARED = {"seq_len": 24, "pred_len": 8, "label_len": 0, "enc_in": 3, "dec_in": 3, "c_out": 3, "d_model": 16, "n_heads": 2,
           "e_layers": 2, "d_layers": 2, "d_ff": 24, "dropout": 0.0, "activation": "sigmoid"}
VARIANTS = {"tslib": dict(_SHARED, top_k=3, embed="timeF", freq="h"),
            "official": dict(_SHARED, K=3, output_attention=False, std=0.2)}
PUBLISHED = {"etsformer": ({"variant": "tslib", "seq_len": 96, "pred_len": 96, "d_model": 512, "n_heads": 8, "d_ff": 2048,
                            "top_k": 5, "activation": "gelu"}, [7], 32)}


def draw(a, shape, batch):
    """variates"""
    a["enc_in"] = a["dec_in"] = a["c_out"] = shape[0]
    a["d_layers"] = a["e_layers"]
    if a["variant"] == "official":
        return {"x_enc": torch.randn(batch, a["seq_len"], shape[0])}
    return sp.draw_windows(a, batch, shape[0])


def randomise(model):
    for m in model.modules():
        if isinstance(m, sp.FixedTable):
            m.emb.weight.data = sp.place_table(*m.emb.weight.shape)
