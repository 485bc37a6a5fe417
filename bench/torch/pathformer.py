"""Pathformer: a router sends each window to a few experts, who cut it into patches of different lengths.

Chen et al., ICLR 2024, with the weight names of the official code (decisionintelligence/pathformer). The patches of an
expert are computed side by side, where the official code takes one after the other.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

HEADS, CODE, HIDDEN, CORE, SEASON = 2, 16, 64, 10, 3
TRENDS = (4, 8, 12)
ZERO = 2.220446049250313e-16


def table(rows, columns, fan_in):
    return nn.Parameter((2 * torch.rand(rows, columns) - 1) / math.sqrt(fan_in))


def parted(x, axis, count):
    """one axis as count parts of it; unflatten cannot be exported"""
    axis %= x.dim()
    return x.reshape(*x.shape[:axis], count, x.shape[axis] // count, *x.shape[axis + 1:])


class DistinctMaps(nn.Module):
    """of keys and values: one map P M Q with bias M B for each variate, M out of a small network"""

    def __init__(self, variates, dim):
        super().__init__()
        self.memory = nn.Parameter(torch.randn(variates, CODE))
        self.generator = nn.Sequential(nn.Linear(CODE, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, HIDDEN), nn.Tanh(),
                                       nn.Linear(HIDDEN, CORE * CORE))
        self.P = nn.ParameterList([table(dim, CORE, CORE) for _ in range(2)])
        self.Q = nn.ParameterList([table(CORE, dim, dim) for _ in range(2)])
        self.B = nn.ParameterList([table(CORE * CORE, dim, dim) for _ in range(2)])

    def forward(self):
        core = self.generator(self.memory)
        square = core.view(-1, CORE, CORE)
        return [(self.P[i] @ square @ self.Q[i], core @ self.B[i]) for i in range(2)]


class SharedMaps(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.P = nn.ParameterList([table(dim, dim, dim) for _ in range(2)])
        self.B = nn.ParameterList([table(1, dim, dim) for _ in range(2)])

    def forward(self, x):
        return torch.relu(x @ self.P[0] + self.B[0]) @ self.P[1] + self.B[1]


class Scale(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(width ** -0.5), requires_grad=False)


class InterPatchAttention(nn.Module):
    """[rows, patches, heads * width] -> the same"""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.W_Q, self.W_K, self.W_V = (nn.Linear(width, width) for _ in range(3))
        self.sdp_attn = Scale(width // heads)
        self.to_out = nn.Sequential(nn.Linear(width, width), nn.Dropout(0.1))

    def forward(self, x):
        q, k, v = (parted(m(x), -1, self.heads).transpose(1, 2) for m in (self.W_Q, self.W_K, self.W_V))
        weights = torch.softmax(q @ k.transpose(-1, -2) * self.sdp_attn.scale, dim=-1)
        return self.to_out((weights @ v).transpose(1, 2).flatten(2))


def channel_norm(dim):
    """under the names of BatchNorm1d between two transpositions"""
    return nn.Sequential(nn.Identity(), nn.BatchNorm1d(dim), nn.Identity())


class Expert(nn.Module):
    def __init__(self, a, patch):
        super().__init__()
        steps, variates, dim = a["seq_len"], a["num_nodes"], a["d_model"]
        self.patch, self.count, self.batch_norm = patch, steps // patch, a["batch_norm"]
        width = patch * dim
        self.intra_embeddings = nn.Parameter(torch.rand(self.count, 1, 1, variates, CODE))
        self.embeddings_generator = nn.ModuleList([nn.Sequential(nn.Linear(CODE, dim)) for _ in range(self.count)])
        self.weights_generator_distinct = DistinctMaps(variates, dim)
        self.weights_generator_shared = SharedMaps(dim)
        self.intra_Linear = nn.Linear(self.count, steps)
        self.emb_linear = nn.Linear(width, width)
        self.W_pos = nn.Parameter(0.04 * torch.rand(self.count, width) - 0.02)
        self.inter_patch_attention = InterPatchAttention(width, dim)
        self.norm_attn, self.norm_ffn = channel_norm(dim), channel_norm(dim)
        self.dropout = nn.Dropout(0.1)
        self.ff = nn.Sequential(nn.Linear(dim, a["d_ff"]), nn.GELU(), nn.Dropout(0.2), nn.Linear(a["d_ff"], dim))

    def queries(self):
        """[patches, variates, dim]"""
        weight = torch.stack([m[0].weight for m in self.embeddings_generator])
        bias = torch.stack([m[0].bias for m in self.embeddings_generator])
        return self.intra_embeddings[:, 0, 0] @ weight.transpose(1, 2) + bias[:, None]

    def intra(self, x):
        q = self.queries()
        tokens = torch.cat((q.expand(len(x), *q.shape)[:, :, None], parted(x, 1, self.count)), dim=2)
        key, value = ((tokens[..., None, :] @ W)[..., 0, :] + b for W, b in self.weights_generator_distinct())
        # sample, patch, variate, head, token, width
        key, value = (parted(t, -1, HEADS).permute(0, 1, 3, 4, 2, 5) for t in (key, value))
        q = parted(q, -1, HEADS)[..., None, :]
        weights = torch.softmax(q @ key.transpose(-1, -2) / math.sqrt(q.shape[-1]), dim=-1)
        y = self.weights_generator_shared((weights @ value)[..., 0, :].flatten(-2))
        return self.intra_Linear(y.transpose(1, 3)).transpose(1, 3)

    def inter(self, x):
        y = parted(x, 1, self.count).permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(2)
        y = self.inter_patch_attention(self.dropout(self.emb_linear(y) + self.W_pos))
        return y.reshape(x.shape)  # as the official code: variates and steps are not transposed back

    def norm(self, layer, x):
        return layer[1](x.flatten(0, 2)).view_as(x) if self.batch_norm else x

    def forward(self, x):
        y = self.dropout(self.norm(self.norm_attn, x + self.intra(x) + self.inter(x)))
        return self.norm(self.norm_ffn, self.ff(y) + y)


class Trend(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, len(TRENDS))

    def forward(self, z):
        means = []
        for k in TRENDS:
            after = (k - 1) // 2
            padded = torch.cat((z[:, :1].expand(-1, k - 1 - after, -1), z, z[:, -1:].expand(-1, after, -1)), dim=1)
            means.append(F.avg_pool1d(padded.transpose(1, 2), k, stride=1).transpose(1, 2))
        return (torch.stack(means, -1) * torch.softmax(self.layer(z[..., None]), dim=-1)).sum(-1)


def season(z):
    """the strongest frequencies alone, neither the mean nor the highest of an even number of steps"""
    spectrum = torch.fft.rfft(z, dim=1)
    top = spectrum[:, 1:(z.shape[1] + 1) // 2].abs().topk(SEASON, dim=1).indices + 1
    kept = torch.zeros_like(spectrum).scatter(1, top, spectrum.gather(1, top))
    return torch.fft.irfft(kept, n=z.shape[1], dim=1)


def season_by_products(z):
    """the same without a Fourier transform, which the ONNX exporter lacks"""
    steps = z.shape[1]
    angle = 2 * math.pi / steps * torch.arange(1, (steps + 1) // 2)[:, None] * torch.arange(steps)
    cosine, sine = torch.cos(angle).to(z), torch.sin(angle).to(z)
    re, im = cosine @ z, sine @ z
    power = re.square() + im.square()
    kept = torch.zeros_like(power).scatter(1, power.topk(SEASON, dim=1).indices, torch.ones_like(power[:, :SEASON]))
    return 2 / steps * (cosine.t() @ (re * kept) + sine.t() @ (im * kept))


class EndMap(nn.Module):
    """in the weights file, without effect"""

    def __init__(self, steps):
        super().__init__()
        self.fc = nn.Conv2d(steps, steps, 1)


def imbalance(counts):
    return counts.var() / (counts.mean() ** 2 + 1e-10) if len(counts) > 1 else counts.new_zeros(())


class Layer(nn.Module):
    """evaluation only: training adds noise to the logits"""

    def __init__(self, a, patches):
        super().__init__()
        steps = a["seq_len"]
        self.k, self.residual, self.season = a["k"], a["residual_connection"], season
        self.start_linear = nn.Linear(a["num_nodes"], 1)
        self.trend_model = Trend()
        self.experts = nn.ModuleList([Expert(a, p) for p in patches])
        self.w_noise, self.w_gate = nn.Linear(steps, len(patches)), nn.Linear(steps, len(patches))
        self.end_MLP = EndMap(steps)
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("std", torch.ones(1))

    def route(self, h):
        """gates [samples, experts]"""
        z = h[..., 0]
        logits = self.w_gate(self.start_linear(z + self.season(z) + self.trend_model(z))[..., 0])
        values, which = logits.topk(self.k, dim=1)
        gates = torch.zeros_like(logits).scatter(1, which, torch.softmax(values, dim=1))
        balance = 0.01 * (imbalance(gates.sum(0)) + imbalance((gates > 0).sum(0).to(gates)))
        return gates, balance

    def forward(self, h):
        gates, balance = self.route(h)
        mixed = torch.zeros_like(h)
        for i, expert in enumerate(self.experts):
            own = gates[:, i].nonzero()[:, 0]
            mixed = mixed.index_add(0, own, gates[own, i, None, None, None] * torch.exp(expert(h[own])))
        y = torch.log(mixed.masked_fill(mixed == 0, ZERO))
        return (y + h if self.residual else y), balance


class Pathformer(nn.Module):
    """x [B, seq_len, num_nodes] -> [B, pred_len, num_nodes]"""

    def __init__(self, a):
        super().__init__()
        self.revin = a["revin"]
        self.start_fc = nn.Linear(1, a["d_model"])
        self.AMS_lists = nn.ModuleList([Layer(a, patches) for patches in a["patch_size_list"]])
        self.projections = nn.Sequential(nn.Linear(a["seq_len"] * a["d_model"], a["pred_len"]))

    def forward(self, x):
        if self.revin:
            mean = x.mean(1, keepdim=True).detach()
            scale = torch.sqrt(x.var(1, keepdim=True, unbiased=False) + 1e-5).detach()
            x = (x - mean) / scale
        h, balance = self.start_fc(x[..., None]), 0
        for layer in self.AMS_lists:
            h, more = layer(h)
            balance = balance + more
        self.balance = balance.detach()
        y = self.projections(h.transpose(1, 2).flatten(2)).transpose(1, 2)
        return y * scale + mean if self.revin else y


# ---- the model's entry (models.py) ----

build = Pathformer
COMPUTED = r"AMS_lists\.\d+\.(mean|std)$|sdp_attn\.scale$|num_batches_tracked$"
VARIANTS = {"official": {"layer_nums": 1, "pred_len": 5, "k": 2, "num_experts_list": [3],
                         "patch_size_list": [[4, 2, 8]], "d_model": 4, "d_ff": 6, "residual_connection": 1,
                         "revin": 1, "gpu": 0, "batch_norm": 0}}
PUBLISHED = {"pathformer": ({"variant": "official", "layer_nums": 3, "pred_len": 96, "k": 3,
                             "num_experts_list": [4, 4, 4],
                             "patch_size_list": [[16, 12, 8, 32], [12, 8, 6, 4], [8, 6, 4, 2]], "d_ff": 64},
                            [96, 7], 128)}


def draw(a, shape, batch):
    """steps and variates"""
    a["seq_len"], a["num_nodes"] = shape
    return {"x": torch.randn(batch, *shape)}


def randomise(model):
    """the exponentials of an expert's answer must stay numbers, behind three layers too"""
    for p in model.parameters():
        p.data *= 0.6
    for m in model.modules():
        if isinstance(m, InterPatchAttention):
            m.sdp_attn.scale.data.fill_((m.W_Q.out_features // m.heads) ** -0.5)
        if isinstance(m, nn.BatchNorm1d):
            m.running_mean.normal_()
            m.running_var.uniform_(0.5, 2)


def aux(model):
    """what the newest call gave beside the output"""
    return {"balance_loss": model.balance}


def for_export(model, inputs):
    for layer in model.AMS_lists:
        layer.season = season_by_products
    return model
