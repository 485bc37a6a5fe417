"""SAMformer restated in PyTorch.

Ilbert et al., ICML 2024, arXiv 2402.10198. Written from the formulas, parameter names of the authors' state_dict:

  z = w (x - mean) / std + b;  A = softmax(q k^T / sqrt(E));  o = W_f (z + A v) + b_f;  y = (o - b) / w std + mean
"""
import math

import torch
from torch import nn

import series_parts as sp


class SAMformer(nn.Module):
    """x [B, N, L] -> [B, N P]"""

    def __init__(self, a):
        super().__init__()
        length = a["seq_len"]
        self.normalised = bool(a["use_revin"])
        self.revin = sp.WindowAffine(a["num_channels"])
        self.compute_keys, self.compute_queries = nn.Linear(length, a["hid_dim"]), nn.Linear(length, a["hid_dim"])
        self.compute_values, self.linear_forecaster = nn.Linear(length, length), nn.Linear(length, a["pred_horizon"])

    def forward(self, x):
        if self.normalised:
            x = x.transpose(1, 2)
            mean, deviation = sp.window_moments(x, False)
            x = self.revin((x - mean) / deviation).transpose(1, 2)
        q, k, v = self.compute_queries(x), self.compute_keys(x), self.compute_values(x)
        attention = torch.softmax(torch.matmul(q, k.transpose(1, 2)) / math.sqrt(q.shape[-1]), dim=-1)
        y = self.linear_forecaster(x + torch.matmul(attention, v))
        if self.normalised:
            y = (self.revin.undo(y.transpose(1, 2)) * deviation + mean).transpose(1, 2)
        return y.flatten(1)


# ---- the model's entry (models.py) ----

build = SAMformer
VARIANTS = {"official": {"num_channels": 4, "seq_len": 24, "hid_dim": 16, "pred_horizon": 12, "use_revin": True}}
PUBLISHED = {"samformer": ({"variant": "official", "pred_horizon": 96}, [512, 7], 256)}


def draw(a, shape, batch):
    """lookback and variates"""
    a["seq_len"], a["num_channels"] = shape
    return {"x": torch.randn(batch, a["num_channels"], a["seq_len"])}
