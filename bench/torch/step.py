"""PyTorch's peer in the race: one step for each line "go".

usage: step.py forward|train CASE-FOLDER      threads: environment variables OMP_NUM_THREADS, OPENBLAS_NUM_THREADS
Protocol (all peers): "info KEY VALUE" lines, then "ready"; each "go" on stdin is answered by "seconds S" after one
step; at the end of stdin come "info peak_kb N" and "info base_kb N" (highest resident memory of the process, and
the same before the model was built), then "bye".
"""
import os
import sys
import time

import torch

import case
import flops


def resident_peak():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))


def say(*words):
    print(*words, flush=True)


def forward_step(model, inputs):
    with torch.no_grad():
        return model(**inputs)


def make_train_step(model, inputs, target):
    optim = torch.optim.AdamW(model.parameters(), lr=1e-6, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-4)

    def step():
        optim.zero_grad(set_to_none=True)
        loss = torch.nn.functional.mse_loss(model(**inputs), target)
        loss.backward()
        optim.step()
        return loss
    return step


def main(mode, folder):
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    base = resident_peak()
    model, inputs = case.build_model(folder), case.read_inputs(folder)
    with flops.Counter() as count:
        y = forward_step(model, inputs)
    if mode == "forward":
        step = lambda: forward_step(model, inputs)
        ref = case.read(folder, "output/y")
        say("info max_dy", "%.3e" % float((y - ref).abs().max() / ref.abs().max()))
        del ref
    else:
        # evaluation mode: none of the networks is raced with dropout, and all peers do the same work
        step = make_train_step(model, inputs, case.read(folder, "train/target/y"))
        say("info loss", "%.7e" % float(step()))
    del y
    say("info gflop", count.gflop * (1 if mode == "forward" else 3))
    say("info version", "PyTorch", torch.__version__)
    say("ready")
    for line in sys.stdin:
        if line.strip() != "go":
            break
        start = time.perf_counter()
        step()
        say("seconds", "%.9f" % (time.perf_counter() - start))
    say("info peak_kb", resident_peak())
    say("info base_kb", base)
    say("bye")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("forward", "train"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
