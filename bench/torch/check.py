"""Compares the restated network with a golden case: output, loss, gradients, ten AdamW steps.

usage: check.py CASE-FOLDER      exit status 1 if anything is outside the tolerances of its config.json
"""
import sys

import torch

import case


def deviations(folder):
    model, inputs = case.build_model(folder), case.read_inputs(folder)
    y, ref = model(*inputs), case.read(folder, "output/y")
    loss, ref_loss = y.square().mean(), float(case.read(folder, "loss"))
    loss.backward()
    grad, worst = case.gradient_distance(model, folder)
    yield "output", float((y - ref).abs().max() / ref.abs().max()), "output", ""
    yield "loss", abs(float(loss) - ref_loss) / ref_loss, "losses", ""
    yield "grad", grad, "grad", worst


def training(folder):
    model, inputs = case.build_model(folder), case.read_inputs(folder)
    target, ref = case.read(folder, "train/target/y"), case.read(folder, "train/losses").double()
    optim = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2)
    losses = []
    for _ in range(len(ref)):
        optim.zero_grad()
        loss = (model(*inputs) - target).square().mean()
        losses.append(float(loss))
        loss.backward()
        optim.step()
    yield "train", float(((torch.tensor(losses).double() - ref).abs() / ref).max()), "losses", ""


def main(folder):
    torch.set_num_threads(1)
    tolerance, failed = case.read_config(folder)["tolerance"], False
    for find in (deviations, training):
        for name, value, key, note in find(folder):
            good = value <= tolerance[key]
            failed |= not good
            print("  %-6s %.1e of %.1e allowed %s %s" % (name, value, tolerance[key], "ok" if good else "DIFFERS", note))
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
