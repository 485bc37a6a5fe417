"""Writes the forward pass as ONNX (opset 17) for ONNX Runtime, with raw inputs and PyTorch's answer beside it.

usage: export.py CASE-FOLDER      writes model.onnx, NAME.raw for each input and for y, and onnx.json into the folder
What varies between calls stays an input of the graph, coordinates included. Numbers that the network turns into
shapes (latent steps, lengths) are fixed. ort_peer.mjs compares with PyTorch's answer before any clock runs, because
torch 1.13 exports a few operations wrongly without a word; a model may bring a form without them (for_export).
"""
import json
import os
import sys
import warnings

import onnx
import torch

import case
import flops
import models


class Named(torch.nn.Module):
    """takes the inputs in order, as the exporter wants them, and knows the fixed ones"""

    def __init__(self, model, names, fixed):
        super().__init__()
        self.model, self.names, self.fixed = model, names, fixed

    def forward(self, *inputs):
        return self.model(**dict(zip(self.names, inputs)), **self.fixed)


def exportable(name, model, inputs):
    change = getattr(models.get(name), "for_export", None)
    return change(model, inputs) if change else model


def main(folder):
    name, inputs = case.read_config(folder)["model"], case.read_inputs(folder)
    model = case.build_model(folder)
    with torch.no_grad(), flops.Counter() as count:
        y = model(**inputs)
    fixed = {k: t for k, t in inputs.items() if k in getattr(models.get(name), "FIXED_INPUTS", ())}
    given = {k: t for k, t in inputs.items() if k not in fixed}
    path = os.path.join(folder, "model.onnx")
    warnings.filterwarnings("ignore")  # shapes become constants, as they should
    with torch.no_grad():
        module = Named(exportable(name, model, inputs), list(given), fixed).eval()
        torch.onnx.export(module, tuple(given.values()), path, opset_version=17, input_names=list(given),
                          output_names=["y"])
    graph = onnx.load(path)
    onnx.checker.check_model(graph)
    used = {i.name for i in graph.graph.input}
    given = {k: t for k, t in given.items() if k in used}  # the exporter drops what nothing depends on
    tensors = {}
    for key, t in dict(given, y=y).items():
        t.contiguous().numpy().tofile(os.path.join(folder, key + ".raw"))
        tensors[key] = {"shape": list(t.shape), "type": str(t.dtype).replace("torch.", "")}
    with open(os.path.join(folder, "onnx.json"), "w") as f:
        json.dump({"inputs": list(given), "tensors": tensors, "gflop": count.gflop}, f, indent=1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
