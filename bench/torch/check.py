"""Compares restated networks with cases of the official codes: output, loss, gradients, ten AdamW steps.

usage: check.py CASE-FOLDER...      exit status 1 if anything is outside the tolerances of its config.json
"""
import os
import sys

import torch

import case
import models
import run


def deviations(folder, name):
    model, inputs = case.build_model(folder), case.read_inputs(folder)
    getattr(models.get(name), "replay", lambda aux: None)(case.read_group(folder, "aux"))
    y, loss, of_weights, of_inputs = run.gradients(name, model, inputs)
    yield "output", case.output_distance(y, case.read(folder, "output/y").numpy()), "output", ""
    yield "loss", abs(loss / float(case.read(folder, "loss")) - 1), "losses", ""
    yield ("grad", *swap(case.gradient_distance(of_weights, case.read_group(folder, "grad"))))
    yield ("input", *swap(case.gradient_distance(of_inputs, case.read_group(folder, "grad_input"))))
    if not case.read_group(folder, "train"):
        return
    losses = run.training(case.build_model(folder), inputs, case.read(folder, "train/target/y"))
    yield "train", case.loss_distance(losses, case.read(folder, "train/losses").double().numpy()), "losses", ""


def swap(found):
    return found[0], "grad", found[1]


def check(folder):
    config = case.read_config(folder)
    line, failed = [], False
    for name, value, key, note in deviations(folder, config["model"]):
        good = value <= config["tolerance"][key]
        failed |= not good
        line.append("%s %.1e/%.1e%s" % (name, value, config["tolerance"][key], "" if good else " DIFFERS " + note))
    print("%s %-22s %s: %s" % ("DIFFER" if failed else "ok    ", os.path.basename(os.path.normpath(folder)),
                               config["args"]["variant"], "  ".join(line)), flush=True)
    return failed


def main(folders):
    torch.set_num_threads(1)
    return sum([check(folder) for folder in folders]) > 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
