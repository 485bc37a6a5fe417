"""The full temporal fusion transformer as pytorch-forecasting has it, restated in PyTorch (variant
pytorch_forecasting of tft.py).

Lim et al., Int. J. Forecasting 2021. Written from the formulas, parameter names of the state_dict. Variables are a
dictionary name -> [B, .., width]; several names share one module, so their weights appear more than once.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Resample(nn.Module):
    """linear interpolation along the channels, a learned scale for each, layer norm"""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.n_in, self.n_out = n_in, n_out
        self.mask = nn.Parameter(torch.zeros(n_out))
        self.norm = nn.LayerNorm(n_out)

    def forward(self, x):
        if self.n_in != self.n_out:
            flat = x.reshape(-1, 1, self.n_in)
            x = F.interpolate(flat, self.n_out, mode="linear", align_corners=True).reshape(*x.shape[:-1], self.n_out)
        return self.norm(x * torch.sigmoid(self.mask) * 2)


class Gates(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.fc = nn.Linear(n_in, 2 * n_out)

    def forward(self, x):
        return F.glu(self.fc(x), dim=-1)


class AddNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x, skip):
        return self.norm(x + skip)


class GateAddNorm(nn.Module):
    def __init__(self, n_in, width):
        super().__init__()
        self.glu, self.add_norm = Gates(n_in, width), AddNorm(width)

    def forward(self, x, skip):
        return self.add_norm(self.glu(x), skip)


class Residual(nn.Module):
    def __init__(self, n_in, hidden, n_out, context=0):
        super().__init__()
        if n_in != n_out:
            self.resample_norm = Resample(n_in, n_out)
        self.fc1 = nn.Linear(n_in, hidden)
        if context:
            self.context = nn.Linear(context, hidden, bias=False)
        self.fc2 = nn.Linear(hidden, hidden)
        self.gate_norm = GateAddNorm(hidden, n_out)

    def forward(self, x, context=None):
        h = self.fc1(x)
        if context is not None:
            h = h + self.context(context)
        return self.gate_norm(self.fc2(F.elu(h)), self.resample_norm(x) if hasattr(self, "resample_norm") else x)


class Selection(nn.Module):
    """sizes: name -> width of its input; shared: single-variable networks that others use as well"""

    def __init__(self, sizes, width, categories, prescalers, context=0, shared=None):
        super().__init__()
        self.names, shared = list(sizes), shared or {}
        if len(sizes) > 1:
            self.flattened_grn = Residual(sum(sizes.values()), min(width, len(sizes)), len(sizes), context)
        self.single_variable_grns = nn.ModuleDict({
            name: shared[name] if name in shared else
            Resample(n, width) if name in categories else Residual(n, min(n, width), width)
            for name, n in sizes.items()})
        self.prescalers = nn.ModuleDict({name: prescalers[name] for name in sizes if name not in categories})

    def forward(self, x, context=None):
        parts = [self.prescalers[n](x[n]) if n in self.prescalers else x[n] for n in self.names]
        each = torch.stack([self.single_variable_grns[n](p) for n, p in zip(self.names, parts)], dim=-1)
        if len(self.names) == 1:
            return each[..., 0]
        weight = torch.softmax(self.flattened_grn(torch.cat(parts, dim=-1), context), dim=-1)
        return (each * weight[..., None, :]).sum(dim=-1)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        each = width // heads
        self.v_layer = nn.Linear(width, each)
        self.q_layers = nn.ModuleList([nn.Linear(width, each) for _ in range(heads)])
        self.k_layers = nn.ModuleList([nn.Linear(width, each) for _ in range(heads)])
        self.w_h = nn.Linear(each, width, bias=False)

    def forward(self, q, kv, mask):
        v, heads = self.v_layer(kv), []
        for q_layer, k_layer in zip(self.q_layers, self.k_layers):
            score = q_layer(q) @ k_layer(kv).transpose(1, 2) / math.sqrt(v.shape[-1])
            heads.append(torch.softmax(score.masked_fill(mask, -1e9), dim=-1) @ v)
        return self.w_h(torch.stack(heads).mean(dim=0))


class Embeddings(nn.Module):
    def __init__(self, a):
        super().__init__()
        width, padded = a["hidden_size"], a.get("embedding_paddings", [])
        self.embeddings = nn.ModuleDict({n: nn.Embedding(rows, min(w, width), padding_idx=0 if n in padded else None)
                                         for n, (rows, w) in a["embedding_sizes"].items()})


def run_lstm(lstm, x, lengths, state):
    """valid steps only; zeros behind them"""
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    y, state = lstm(packed, state)
    return pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])[0], state


class FullTft(nn.Module):
    """-> [B, P, quantiles]"""

    def __init__(self, a):
        super().__init__()
        d, self.a = a["hidden_size"], a
        widths = {n: min(w, d) for n, (_, w) in a["embedding_sizes"].items()}
        widths.update({n: a.get("hidden_continuous_sizes", {}).get(n, a["hidden_continuous_size"]) for n in a["x_reals"]})
        self.statics = a["static_categoricals"] + a["static_reals"]
        self.past = a["time_varying_categoricals_encoder"] + a["time_varying_reals_encoder"]
        self.future = a["time_varying_categoricals_decoder"] + a["time_varying_reals_decoder"]
        self.input_embeddings = Embeddings(a)
        self.prescalers = nn.ModuleDict({n: nn.Linear(1, widths[n]) for n in a["x_reals"]})
        sizes = lambda names: {n: widths[n] for n in names}
        shared = {}
        if a.get("share_single_variable_networks"):
            both = dict(sizes(self.past), **sizes(self.future))
            self.shared_single_variable_grns = nn.ModuleDict({n: Residual(w, min(w, d), d) for n, w in both.items()})
            shared = self.shared_single_variable_grns
        make = lambda names, context, common: Selection(sizes(names), d, a["x_categoricals"], self.prescalers, context, common)
        if self.statics:
            self.static_variable_selection = make(self.statics, 0, None)
        self.encoder_variable_selection = make(self.past, d, shared)
        self.decoder_variable_selection = make(self.future, d, shared)
        for name in ("variable_selection", "initial_hidden_lstm", "initial_cell_lstm", "enrichment"):
            setattr(self, "static_context_" + name, Residual(d, d, d))
        self.lstm_encoder = nn.LSTM(d, d, a["lstm_layers"], batch_first=True)
        self.lstm_decoder = nn.LSTM(d, d, a["lstm_layers"], batch_first=True)
        self.post_lstm_gate_encoder = Gates(d, d)
        self.post_lstm_gate_decoder = self.post_lstm_gate_encoder
        self.post_lstm_add_norm_encoder = AddNorm(d)
        self.post_lstm_add_norm_decoder = self.post_lstm_add_norm_encoder
        self.static_enrichment = Residual(d, d, d, d)
        self.multihead_attn = Attention(d, a["attention_head_size"])
        self.post_attn_gate_norm = GateAddNorm(d, d)
        self.pos_wise_ff = Residual(d, d, d)
        self.pre_output_gate_norm = GateAddNorm(d, d)
        self.output_layer = nn.Linear(d, a["output_size"])

    def variables(self, cat, cont):
        found = {n: self.input_embeddings.embeddings[n](cat[..., i].round().long()) for i, n in enumerate(self.a["x_categoricals"])}
        found.update({n: cont[..., i:i + 1] for i, n in enumerate(self.a["x_reals"])})
        return found

    def hidden_from(self, past_steps, ahead, encoder_lengths, decoder_lengths):
        """[B, P, L + P]: what a decoder step does not see"""
        own = torch.arange(ahead)
        past = torch.arange(past_steps) >= encoder_lengths[:, None]
        if self.a.get("causal_attention", True):
            later = (own >= own[:, None]).expand(len(past), -1, -1)
        else:
            later = (own >= decoder_lengths[:, None])[:, None].expand(-1, ahead, -1)
        return torch.cat((past[:, None].expand(-1, ahead, -1), later), dim=2)

    def forward(self, encoder_cat, encoder_cont, decoder_cat, decoder_cont, encoder_lengths, decoder_lengths,
                target_scale=None):
        n, ahead = encoder_cont.shape[1], decoder_cont.shape[1]
        steps = self.variables(torch.cat((encoder_cat, decoder_cat), 1), torch.cat((encoder_cont, decoder_cont), 1))
        static = (self.static_variable_selection({k: steps[k][:, 0] for k in self.statics}) if self.statics else
                  encoder_cont.new_zeros(len(encoder_cont), self.a["hidden_size"]))
        repeat = lambda t: t[:, None].expand(-1, n + ahead, -1)
        chosen = repeat(self.static_context_variable_selection(static))
        past = self.encoder_variable_selection({k: steps[k][:, :n] for k in self.past}, chosen[:, :n])
        future = self.decoder_variable_selection({k: steps[k][:, n:] for k in self.future}, chosen[:, n:])
        layers = self.a["lstm_layers"]
        state = tuple(t[None].expand(layers, -1, -1).contiguous() for t in (
            self.static_context_initial_hidden_lstm(static), self.static_context_initial_cell_lstm(static)))
        before, state = run_lstm(self.lstm_encoder, past, encoder_lengths.long(), state)
        after, _ = run_lstm(self.lstm_decoder, future, decoder_lengths.long(), state)
        t = torch.cat((self.post_lstm_add_norm_encoder(self.post_lstm_gate_encoder(before), past),
                       self.post_lstm_add_norm_decoder(self.post_lstm_gate_decoder(after), future)), dim=1)
        rich = self.static_enrichment(t, repeat(self.static_context_enrichment(static)))
        y = self.multihead_attn(rich[:, n:], rich, self.hidden_from(n, ahead, encoder_lengths, decoder_lengths))
        y = self.pos_wise_ff(self.post_attn_gate_norm(y, rich[:, n:]))
        return self.output_layer(self.pre_output_gate_norm(y, t[:, n:]))


DEFAULTS = {"hidden_size": 12, "lstm_layers": 1, "dropout": 0.0, "output_size": 3, "attention_head_size": 2,
            "max_encoder_length": 9, "static_categoricals": ["store"], "static_reals": ["area"],
            "time_varying_categoricals_encoder": ["month"], "time_varying_categoricals_decoder": ["month"],
            "time_varying_reals_encoder": ["time_idx", "price", "target"],
            "time_varying_reals_decoder": ["time_idx", "price"], "x_reals": ["area", "time_idx", "price", "target"],
            "x_categoricals": ["store", "month"], "hidden_continuous_size": 6,
            "embedding_sizes": {"store": [4, 2], "month": [12, 5]}, "n_classes": {"store": 4, "month": 12},
            "quantiles": [0.1, 0.5, 0.9]}


def draw(a, shape, batch):
    """lookback, horizon, and whether lengths differ; the first sample is always full"""
    n, ahead, ragged = (list(shape) + [0])[:3]
    a["max_encoder_length"] = n
    categories = lambda steps: torch.stack([torch.randint(a["n_classes"][c], (batch, steps)) for c in a["x_categoricals"]], -1)
    length = lambda steps: torch.tensor([steps if not ragged or i == 0 else 1 + (i * 3) % steps for i in range(batch)])
    whole = torch.randn(batch, n + ahead, len(a["x_reals"]))
    codes = categories(n + ahead)
    for i, name in enumerate(a["x_categoricals"]):
        if name in a["static_categoricals"]:
            codes[:, :, i] = codes[:, :1, i]
    for i, name in enumerate(a["x_reals"]):
        if name in a["static_reals"]:
            whole[:, :, i] = whole[:, :1, i]
    return {"encoder_cat": codes[:, :n].contiguous(), "decoder_cat": codes[:, n:].contiguous(),
            "encoder_cont": whole[:, :n].contiguous(), "decoder_cont": whole[:, n:].contiguous(),
            "encoder_lengths": length(n), "decoder_lengths": length(ahead), "target_scale": torch.tensor([[0.0, 1.0]] * batch)}
