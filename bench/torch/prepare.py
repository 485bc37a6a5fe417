"""Writes the case folder of the race: random weights, inputs, and PyTorch's own output, loss and gradients.

usage: prepare.py FOLDER [--size N] [--depth L] [--batch B]     defaults: the published kolmogorov2d network at 128 x 128
The folder has the layout of tests/golden, so `fieldcast verify FOLDER` reads it as well.
"""
import argparse
import json
import math
import os

import h5py
import torch

import case
from factformer import FactFormer2d

ARGS = {"variant": "kolmogorov2d", "fourier_scale": 8, "in_dim": 1, "in_time_window": 10, "out_dim": 1,
        "out_time_window": 4, "dim": 128, "depth": 4, "dim_head": 64, "heads": 8, "pos_in_dim": 2, "pos_out_dim": 2,
        "kernel_multiplier": 2, "latent_multiplier": 2.0, "max_latent_steps": 4, "positional_embedding": "rotary"}


def field(batch, n, frames):
    """smooth, drifting vorticity-like fields of unit variance: 24 waves with wave numbers up to 6"""
    x = torch.arange(n) * (2 * math.pi / n)
    u = torch.zeros(batch, n, n, frames)
    for _ in range(24):
        k, speed, phase = torch.randint(-6, 7, (batch, 2)), torch.randn(batch), torch.rand(batch) * 2 * math.pi
        for b in range(batch):
            wave = (k[b, 0] * x)[:, None, None] + (k[b, 1] * x)[None, :, None]
            u[b] += torch.cos(wave + phase[b] + 0.1 * speed[b] * torch.arange(frames))
    return u / u.std()


def write(folder, args, model, inputs, target):
    y = model(*inputs)
    loss = y.square().mean()
    loss.backward()
    shapes = {"u": list(inputs[0].shape), "pos_x": list(inputs[1].shape), "pos_y": list(inputs[2].shape),
              "latent_steps": []}
    # weights have their official initial size, so that rounding stays near that of a training run
    config = {"model": "factformer", "args": args, "inputs": shapes, "outputs": {"y": list(y.shape)},
              "notes": "random case for bench/race.py", "source": "bench/torch/prepare.py",
              "tolerance": {"output": 1e-3, "grad": 5e-3, "losses": 1e-4}, "missing_ok": [], "complex_pairs": [],
              "no_gradient": [k for k in model.state_dict() if k.endswith("_B")], "torch": torch.__version__}
    os.makedirs(folder, exist_ok=True)
    case.write_safetensors(os.path.join(folder, "weights.safetensors"),
                           {k: t.numpy() for k, t in model.state_dict().items()})
    with h5py.File(os.path.join(folder, "case.h5"), "w") as f:
        for name, t in zip(("u", "pos_x", "pos_y"), inputs):
            f["input/" + name] = t.numpy()
        f["input/latent_steps"] = inputs[3]
        f["output/y"], f["loss"], f["train/target/y"] = y.detach().numpy(), loss.item(), target.numpy()
        for name, p in model.named_parameters():
            f["grad/" + name] = p.grad.numpy()
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config, f, indent=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--size", type=int, default=128, help="points per axis")
    parser.add_argument("--depth", type=int, default=4, help="layers")
    parser.add_argument("--batch", type=int, default=1, help="samples")
    a = parser.parse_args()
    torch.manual_seed(20231207)
    args = dict(ARGS, depth=a.depth)
    model = FactFormer2d(**args).eval()
    frames = field(a.batch, a.size, args["in_time_window"] + args["max_latent_steps"])
    inputs = (frames[..., :args["in_time_window"]].contiguous(), *[torch.linspace(0, 2 * math.pi, a.size)[:, None]] * 2,
              args["max_latent_steps"])
    target = frames[..., args["in_time_window"]:].permute(0, 3, 1, 2)[..., None].contiguous()
    write(a.folder, args, model, inputs, target)


if __name__ == "__main__":
    main()
