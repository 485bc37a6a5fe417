"""Writes a case folder: random inputs, weights, and what our PyTorch restatement makes of them.

usage: prepare.py FOLDER --race NAME                     a published size, as raced (models.py lists them)
       prepare.py FOLDER --model NAME [--variant V] [--set key=value]... --shape N,N.. [--batch B] [--seed S]
                  [--without INPUT]...                   any other size, random weights of all kinds

A folder of the second kind has all that tests/golden/*/ have: output, loss, gradients, ten AdamW losses in single
and double precision, and tolerances measured as for those: five times the distance between single and double
precision, twice the change by one rounding unit on all weights and inputs (three draws), and floors of 1e-5, 5e-5
and 1e-5. One of the first kind has official initial weights (zero maps made small instead), no training losses
and wide tolerances.
"""
import argparse
import copy
import json
import re

import numpy as np
import torch

import case
import models
import run

FLOORS = {"output": 1e-5, "grad": 5e-5, "losses": 1e-5}
RACE_TOLERANCE = {"output": 1e-3, "grad": 5e-3, "losses": 1e-4}
UNIT = 6e-8  # rounding unit of single precision


# ---- weights ----

def randomise(name, model):
    """values of order one everywhere: no zero biases, no neutral norms, no vanishing products"""
    for p in model.parameters():
        if p.is_complex():
            p.data = torch.randn_like(p) * (1.0 / p.shape[0]) ** 0.5
        elif p.dim() >= 2:
            p.data = torch.randn_like(p) * (p.shape[0] / p.numel()) ** 0.5
        else:
            p.data += 0.2 * torch.randn_like(p)
    special = getattr(models.get(name), "randomise", None)
    if special:
        special(model)


def enliven(model):
    """maps that start as zeros would make the output vanish, and hide every error"""
    for p in model.parameters():
        if p.dim() >= 2 and not p.detach().abs().any():
            torch.nn.init.normal_(p, std=0.02)


def shaken(t):
    """every number up or down by one rounding unit"""
    if t.is_complex():
        return torch.view_as_complex(shaken(torch.view_as_real(t)))
    return t * (1 + UNIT * torch.sign(torch.randn_like(t))) if t.is_floating_point() else t


def shaken_model(model):
    model = copy.deepcopy(model)
    for p in model.parameters():
        p.data = shaken(p.data)
    return model


# ---- tolerances ----

def distances(a, b):
    """of run b from run a"""
    return {"output": case.output_distance(b["y"], a["y"]),
            "grad": max(case.gradient_distance(b["weights"], a["weights"])[0],
                        case.gradient_distance(b["inputs"], a["inputs"])[0]),
            "losses": case.loss_distance(b["losses"], a["losses"])}


def record(name, model, inputs, target):
    y, loss, of_weights, of_inputs = run.gradients(name, model, inputs)
    losses = run.training(copy.deepcopy(model), inputs, target)
    return {"y": y, "loss": loss, "weights": of_weights, "inputs": of_inputs, "losses": losses}


def as_double(t):
    return t.double() if t.is_floating_point() else t


def measure(name, model, inputs, target, single):
    """tolerances, the distances they come from, and the losses in double precision"""
    exact = record(name, case.double(copy.deepcopy(model)), {k: as_double(t) for k, t in inputs.items()},
                   target.double())
    far = distances(exact, single)
    found = dict(far)
    for _ in range(3):
        moved = record(name, shaken_model(model), {k: shaken(t) for k, t in inputs.items()}, target)
        for key, value in distances(single, moved).items():
            found[key + "_shaken"] = max(value, found.get(key + "_shaken", 0.0))
    tolerance = {k: float("%.1e" % max(FLOORS[k], 5 * far[k], 2 * found[k + "_shaken"])) for k in FLOORS}
    return tolerance, found, exact["losses"]


# ---- the folder ----

def describe(name, model, args, inputs, result):
    state = model.state_dict()
    computed = getattr(models.get(name), "COMPUTED", None)
    missing = {k for k in state if computed and re.search(computed, k)}
    none = [k for k in state if k in dict(model.named_parameters()) and k not in result["weights"]]
    buffers = [k for k in state if k not in dict(model.named_parameters()) and k not in missing and
               state[k].is_floating_point()]
    idle = {k for k, g in result["weights"].items() if not np.any(g)}  # products with zero
    return {"model": name, "args": args, "inputs": {k: list(t.shape) for k, t in inputs.items()},
            "outputs": {"y": list(result["y"].shape)}, "notes": "random case of our own restatement",
            "source": "bench/torch/prepare.py", "missing_ok": sorted(missing | set(none) | idle),
            "complex_pairs": sorted(k for k, t in state.items() if t.is_complex()),
            "no_gradient": sorted(none + buffers),
            "n_parameters": sum(p.numel() * (2 if p.is_complex() else 1) for p in model.parameters()),
            "torch": torch.__version__}


def arrays_of(inputs, target, result):
    arrays = {"input/" + k: t.numpy() for k, t in inputs.items()}
    arrays.update({"output/y": result["y"], "loss": np.float32(result["loss"]), "train/target/y": target.numpy()})
    arrays.update({"grad/" + k: g for k, g in result["weights"].items()})
    arrays.update({"grad_input/" + k: g for k, g in result["inputs"].items()})
    return arrays


def beside(name, model):
    found = getattr(models.get(name), "aux", lambda m: {})(model)
    return {"aux/" + k: t.numpy().copy() for k, t in found.items()}


def write_race(folder, name, args, shape, batch):
    inputs = models.get(name).draw(args, shape, batch)
    model = models.get(name).build(args).eval()
    enliven(model)
    y, loss, of_weights, of_inputs = run.gradients(name, model, inputs)
    result = {"y": y, "loss": loss, "weights": of_weights, "inputs": of_inputs}
    target = torch.randn(y.shape)
    config = dict(describe(name, model, args, inputs, result), tolerance=RACE_TOLERANCE)
    case.write(folder, config, {k: case.as_array(t) for k, t in model.state_dict().items()},
               arrays_of(inputs, target, result))


def write_case(folder, name, args, shape, batch, without):
    inputs = models.get(name).draw(args, shape, batch)
    inputs = {k: t for k, t in inputs.items() if k not in without}
    model = models.get(name).build(args).eval()
    randomise(name, model)
    with torch.no_grad():
        target = torch.randn(model(**inputs).shape)
    state = {k: case.as_array(t).copy() for k, t in model.state_dict().items()}
    result, extra = record(name, model, inputs, target), beside(name, model)
    tolerance, found, losses = measure(name, model, inputs, target, result)
    config = dict(describe(name, model, args, inputs, result), tolerance=tolerance, float32_vs_float64=found)
    arrays = dict(arrays_of(inputs, target, result), **extra, **{"train/losses": result["losses"].astype(np.float32),
                                                        "train/losses_f64": losses})
    case.write(folder, config, state, arrays)


def setting(text):
    key, _, value = text.partition("=")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("folder", nargs="?")
    p.add_argument("--list", action="store_true", help="print name, model and variant of the published sizes")
    p.add_argument("--race", help="name of a published size: " + ", ".join(models.published()))
    p.add_argument("--model", choices=models.MODELS)
    p.add_argument("--variant", help="default: the model's first")
    p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="argument of the network")
    p.add_argument("--shape", default="", help="points per axis (gnot: points, then points of each input function)")
    p.add_argument("--batch", type=int)
    p.add_argument("--seed", type=int, default=20231207)
    p.add_argument("--without", action="append", default=[], metavar="INPUT", help="leave an optional input out")
    a = p.parse_args()
    if a.list:
        for race, (name, args, _, _) in models.published().items():
            print(race, name, args["variant"])
        return
    if not a.folder:
        p.error("a folder is wanted")
    torch.manual_seed(a.seed)
    torch.set_num_threads(1)
    if a.race:
        if a.race not in models.published():
            p.error("no published size '%s'; there are %s" % (a.race, ", ".join(models.published())))
        name, args, shape, batch = models.published()[a.race]
        args.update(setting(s) for s in a.set)
        shape = [int(n) for n in a.shape.split(",")] if a.shape else shape
        return write_race(a.folder, name, args, shape, a.batch or batch)
    if not a.model or not a.shape:
        p.error("--race NAME, or --model NAME and --shape are wanted")
    variants = models.get(a.model).VARIANTS
    variant = a.variant or next(iter(variants))
    if variant not in variants:
        p.error("%s has no variant '%s'; there are %s" % (a.model, variant, ", ".join(variants)))
    args = {"variant": variant, **variants[variant], **dict(setting(s) for s in a.set)}
    write_case(a.folder, a.model, args, [int(n) for n in a.shape.split(",")], a.batch or 2, a.without)


if __name__ == "__main__":
    main()
