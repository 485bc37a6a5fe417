"""Case folders: config.json, weights.safetensors, case.h5 - the layout of tests/golden, read and written here.

The race uses one such folder, so that all peers get the same weights and inputs, and `fieldcast verify` can
check it too.
"""
import json
import os
import struct

import h5py
import numpy as np
import torch

from factformer import FactFormer2d

TYPES = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "I64": np.int64}


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
    arrays = {name: np.ascontiguousarray(t, np.float32) for name, t in sorted(tensors.items())}
    for name, x in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(x.shape), "data_offsets": [at, at + x.nbytes]}
        at += x.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".tmp", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for x in arrays.values():
            f.write(x.tobytes())
    os.replace(path + ".tmp", path)


def read_config(folder):
    with open(os.path.join(folder, "config.json")) as f:
        return json.load(f)


def build_model(folder):
    """the network with the folder's weights; every name must match"""
    model = FactFormer2d(**read_config(folder)["args"])
    weights = read_safetensors(os.path.join(folder, "weights.safetensors"))
    model.load_state_dict({name: torch.from_numpy(x.copy()) for name, x in weights.items()}, strict=True)
    return model.eval()


def read_inputs(folder):
    """u, pos_x, pos_y, steps"""
    with h5py.File(os.path.join(folder, "case.h5"), "r") as f:
        u, x, y = (torch.from_numpy(f["input/" + name][()]) for name in ("u", "pos_x", "pos_y"))
        return u, x, y, int(f["input/latent_steps"][()])


def read(folder, name):
    with h5py.File(os.path.join(folder, "case.h5"), "r") as f:
        return torch.from_numpy(np.asarray(f[name][()]))


def gradient_distance(model, folder):
    """worst parameter: max|g - ref| / max(max|ref|, 1e-3 G), G the largest |ref| of all; and its name"""
    with h5py.File(os.path.join(folder, "case.h5"), "r") as f:
        ref = {}
        f["grad"].visititems(lambda k, v: ref.__setitem__(k, v[()]) if isinstance(v, h5py.Dataset) else None)
    largest = max(abs(g).max() for g in ref.values())
    ours = {name: p.grad for name, p in model.named_parameters()}
    if set(ref) != set(ours):
        raise SystemExit("gradients of other parameters than the case's: %s" % sorted(set(ref) ^ set(ours))[:3])
    far = {k: abs(ours[k].numpy() - g).max() / max(abs(g).max(), 1e-3 * largest) for k, g in ref.items()}
    worst = max(far, key=far.get)
    return float(far[worst]), worst
