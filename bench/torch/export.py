"""Writes the forward pass as ONNX (opset 17) for ONNX Runtime, with raw inputs and PyTorch's answer beside it.

usage: export.py CASE-FOLDER      writes model.onnx, u.f32, pos_x.f32, pos_y.f32, y.f32, onnx.json into the folder
The coordinates stay inputs of the graph: every peer computes its position code in each call.
"""
import json
import os
import sys

import onnx
import torch

import case
from factformer import forward_gflop


class Frames(torch.nn.Module):
    """the network with a fixed number of latent steps"""

    def __init__(self, model, steps):
        super().__init__()
        self.model, self.steps = model, steps

    def forward(self, u, pos_x, pos_y):
        return self.model(u, pos_x, pos_y, self.steps)


def main(folder):
    model = case.build_model(folder)
    u, pos_x, pos_y, steps = case.read_inputs(folder)
    with torch.no_grad():
        y = model(u, pos_x, pos_y, steps)
    path = os.path.join(folder, "model.onnx")
    torch.onnx.export(Frames(model, steps).eval(), (u, pos_x, pos_y), path, opset_version=17,
                      input_names=["u", "pos_x", "pos_y"], output_names=["y"])
    onnx.checker.check_model(onnx.load(path))
    for name, t in (("u", u), ("pos_x", pos_x), ("pos_y", pos_y), ("y", y)):
        t.contiguous().numpy().tofile(os.path.join(folder, name + ".f32"))
    shapes = {name: list(t.shape) for name, t in (("u", u), ("pos_x", pos_x), ("pos_y", pos_y), ("y", y))}
    gflop = forward_gflop(u.shape[1], u.shape[2], u.shape[0], case.read_config(folder)["args"])
    with open(os.path.join(folder, "onnx.json"), "w") as f:
        json.dump({"shapes": shapes, "gflop": gflop}, f, indent=1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
