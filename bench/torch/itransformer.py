"""iTransformer restated in PyTorch: the official code and the library of thuml, which differ in one name.

Liu et al., ICLR 2024, arXiv 2310.06625. Written from the formulas, parameter names of the state_dict. Tokens are the
lookbacks of N variates and M calendar marks:

  z = (x - mean) / std;  h = W_e z + b_e;  encoder layers;  LayerNorm;  y = (W_p h + b_p) std + mean
"""
import torch
from torch import nn

import series_parts as sp


class Embedding(nn.Module):
    def __init__(self, length, width):
        super().__init__()
        self.value_embedding = nn.Linear(length, width)

    def forward(self, x, marks):
        x = x.permute(0, 2, 1)
        return self.value_embedding(x if marks is None else torch.cat((x, marks.permute(0, 2, 1)), dim=1))


class ITransformer(nn.Module):
    """x_enc [B, L, N], x_mark_enc [B, L, M] or none -> [B, P, N]"""

    def __init__(self, a):
        super().__init__()
        width = a["d_model"]
        self.normalised = a["variant"] == "tslib" or bool(a["use_norm"])
        self.enc_embedding = Embedding(a["seq_len"], width)
        layers = [sp.EncoderLayer(width, a["d_ff"], a["n_heads"], a["activation"]) for _ in range(a["e_layers"])]
        self.encoder = sp.Encoder(layers, nn.LayerNorm(width))
        self.last = "projection" if a["variant"] == "tslib" else "projector"
        setattr(self, self.last, nn.Linear(width, a["pred_len"]))

    def forward(self, x_enc, x_mark_enc=None, x_dec=None, x_mark_dec=None):
        variates = x_enc.shape[2]
        if self.normalised:
            mean, deviation = sp.window_moments(x_enc, True)
            x_enc = (x_enc - mean) / deviation
        h = self.encoder(self.enc_embedding(x_enc, x_mark_enc))
        y = getattr(self, self.last)(h).permute(0, 2, 1)[:, :, :variates]
        return y * deviation + mean if self.normalised else y


# ---- the model's entry (models.py) ----

build = ITransformer
_SMALL = {"seq_len": 24, "pred_len": 12, "d_model": 16, "n_heads": 4, "e_layers": 2, "d_ff": 32, "activation": "gelu",
          "dropout": 0.0, "freq": "h", "embed": "timeF", "factor": 1, "use_norm": True}
VARIANTS = {"official": dict(_SMALL, class_strategy="projection", output_attention=False),
            "tslib": dict(_SMALL, task_name="long_term_forecast", label_len=12)}
PUBLISHED = {"itransformer": ({"variant": "official", "seq_len": 96, "pred_len": 96, "d_model": 256, "n_heads": 8,
                               "d_ff": 256, "dropout": 0.1}, [96, 7], 32)}


def draw(a, shape, batch):
    """lookback and variates"""
    a["seq_len"], variates = shape
    return {"x_enc": torch.randn(batch, a["seq_len"], variates),
            "x_mark_enc": sp.draw_marks("timeF", a["freq"], batch, a["seq_len"])}
