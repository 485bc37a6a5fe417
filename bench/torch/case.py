"""Case folders: config.json, weights.safetensors, case.h5 - the layout of tests/golden, read and written here.

The race uses such folders, so that all peers get the same weights and inputs, and `fieldcast verify` can check
them too.
"""
import json
import os
import struct

import h5py
import numpy as np
import torch

import models

TYPES = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "I64": np.int64}
NAMES = {np.dtype(v): k for k, v in TYPES.items()}
SMALL = 65536  # numbers; larger arrays are not worth the time of compressing random mantissas


# ---- weights ----

def read_safetensors(path):
    with open(path, "rb") as f:
        raw = f.read()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    header.pop("__metadata__", None)
    out = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        out[name] = np.frombuffer(raw[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return out


def write_safetensors(path, tensors):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    arrays = {name: np.require(t, requirements="C") for name, t in sorted(tensors.items())}
    for name, x in arrays.items():
        header[name] = {"dtype": NAMES[x.dtype], "shape": list(x.shape), "data_offsets": [at, at + x.nbytes]}
        at += x.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".tmp", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for x in arrays.values():
            f.write(x.tobytes())
    os.replace(path + ".tmp", path)


def as_array(t):
    """complex numbers become pairs on a last axis"""
    t = t.detach()
    return (torch.view_as_real(t.resolve_conj()) if t.is_complex() else t).numpy()


def read_config(folder):
    with open(os.path.join(folder, "config.json")) as f:
        return json.load(f)


def build_model(folder):
    """the network with the folder's weights; a name may be missing on one side only if the config says so"""
    config = read_config(folder)
    model, variant = models.get(config["model"]), config["args"]["variant"]
    if variant not in model.VARIANTS:
        raise SystemExit("%s: variant %s of %s is not restated" % (folder, variant, config["model"]))
    model = model.build(config["args"])
    state = model.state_dict()
    weights = read_safetensors(os.path.join(folder, "weights.safetensors"))
    fixed = set(state) - {name for name, p in model.named_parameters() if p.requires_grad}  # tables by formula
    strange = sorted((set(weights) ^ set(state)) - set(config["missing_ok"]) - (fixed - set(weights)))
    if strange:
        raise SystemExit("%s: names on one side only: %s" % (folder, ", ".join(strange[:5])))
    for name in set(weights) & set(state):
        x = torch.from_numpy(weights[name].copy())
        state[name].copy_(torch.view_as_complex(x) if state[name].is_complex() else x)
    return model.eval()


def double(model):
    """the network in double precision, in place; Module.double leaves complex numbers alone"""
    for t in list(model.parameters()) + list(model.buffers()):
        if t.is_floating_point() or t.is_complex():
            t.data = t.data.to(torch.complex128 if t.is_complex() else torch.float64)
    return model


# ---- the HDF5 side ----

def read_inputs(folder):
    """inputs by name"""
    with h5py.File(os.path.join(folder, "case.h5"), "r") as f:
        return {name: torch.from_numpy(np.asarray(f["input"][name][()])) for name in f["input"]}


def read(folder, name):
    with h5py.File(os.path.join(folder, "case.h5"), "r") as f:
        return torch.from_numpy(np.asarray(f[name][()]))


def read_group(folder, group):
    """arrays below a group by name; empty if there is no such group"""
    found = {}
    with h5py.File(os.path.join(folder, "case.h5"), "r") as f:
        if group in f:
            f[group].visititems(lambda k, v: found.__setitem__(k, v[()]) if isinstance(v, h5py.Dataset) else None)
    return found


def write(folder, config, tensors, arrays):
    """a whole case; arrays: path in case.h5 -> numbers"""
    os.makedirs(folder, exist_ok=True)
    write_safetensors(os.path.join(folder, "weights.safetensors"), tensors)
    with h5py.File(os.path.join(folder, "case.h5"), "w") as f:
        for name, x in arrays.items():
            x = np.asarray(x)
            packed = {"compression": "gzip", "shuffle": True} if 64 < x.size < SMALL else {}
            f.create_dataset(name, data=x, **packed)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config, f, indent=1)


# ---- distances, as `fieldcast verify` defines them ----

def output_distance(y, ref):
    return float(abs(y - ref).max() / abs(ref).max())


def gradient_distance(grads, ref):
    """worst array: max|g - ref| / max(max|ref|, 1e-3 G), G the largest |ref| of all; and its name"""
    if set(ref) != set(grads):
        raise SystemExit("gradients of other tensors than the case's: %s" % sorted(set(ref) ^ set(grads))[:3])
    if not ref:
        return 0.0, ""
    largest = max(abs(g).max() for g in ref.values())
    far = {k: abs(grads[k] - g).max() / max(abs(g).max(), 1e-3 * largest, 1e-300) for k, g in ref.items()}
    worst = max(far, key=far.get)
    return float(far[worst]), worst


def loss_distance(losses, ref):
    return float((abs(losses - ref) / abs(ref)).max())
