"""DLinear restated in PyTorch, as in the library of thuml.

Zeng et al., AAAI 2023, arXiv 2205.13504. Written from the formulas, parameter names of the state_dict:

  trend = moving average, ends repeated;  y = W_s (x - trend) + b_s + W_t trend + b_t along time
"""
import torch
from torch import nn

import series_parts as sp


class Maps(nn.ModuleList):
    """one for each variate"""

    def forward(self, x):
        return torch.stack([f(x[:, i]) for i, f in enumerate(self)], dim=1)


class DLinear(nn.Module):
    """x_enc [B, L, N] -> [B, P, N]"""

    def __init__(self, a):
        super().__init__()
        self.window = a["moving_avg"]
        self.Linear_Seasonal, self.Linear_Trend = self.maps(a), self.maps(a)

    def maps(self, a):
        made = [nn.Linear(a["seq_len"], a["pred_len"]) for _ in range(a["enc_in"] if a["individual"] else 1)]
        for m in made:
            nn.init.constant_(m.weight, 1 / a["seq_len"])
        return Maps(made) if a["individual"] else made[0]

    def forward(self, x_enc, x_mark_enc=None, x_dec=None, x_mark_dec=None):
        trend = sp.moving_average(x_enc, self.window)
        season, trend = (x_enc - trend).permute(0, 2, 1), trend.permute(0, 2, 1)
        return (self.Linear_Seasonal(season) + self.Linear_Trend(trend)).permute(0, 2, 1)


# ---- the model's entry (models.py) ----

build = DLinear
VARIANTS = {"tslib": {"seq_len": 30, "pred_len": 12, "enc_in": 4, "moving_avg": 7, "individual": False,
                      "task_name": "long_term_forecast", "label_len": 12}}
PUBLISHED = {}


def draw(a, shape, batch):
    """lookback and variates"""
    a["seq_len"], a["enc_in"] = shape
    return {"x_enc": torch.randn(batch, *shape)}
