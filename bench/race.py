#!/usr/bin/env python3
"""The race: forward and training step of our models against PyTorch and ONNX Runtime, alternating in one run.

usage: race.py --build BUILD [--model NAME[,NAME]] [--threads 1,2] [--modes forward,train] [--strict] [--list]

NAME is a case or the beginning of some ("transolver"); without it all published sizes run. For each case all peers
load the same weights and inputs from one folder, and must agree with PyTorch's output or loss before any clock runs;
PyTorch's network must first reproduce the reference cases of the official code. Each peer tries its settings (thread
counts of its pools, waiting policy, BLAS kernels) and races with the fastest; only one runs at a time.

Reported: median seconds; GF/s of the dense products each really does and their share of the machine's best sgemm
measured in the same run; ratio of the medians to ours with the smallest and largest ratio of a single round; the
highest resident memory of the process (VmHWM), and the same less what it had before building the model; a table of
all cases with their bars. Writes race.csv (every turn) and race.json (all, with machine, versions, date and load).
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

import peers
import report
from peers import HERE, NAMES, PeerFailed

MAX_DY = 1e-3    # relative to the largest output; sin and cos of arguments near 1000 leave 1e-5 .. 1e-4
MAX_LOSS = 1e-4  # relative
ROUNDS = (3, 31)


def check_agreement(peer, loss):
    if "max_dy" in peer.info:
        print("    %-13s max|dy| %s of the largest output" % (NAMES[peer.kind], peer.info["max_dy"]))
        if not float(peer.info["max_dy"]) <= MAX_DY:
            raise PeerFailed("%s computes something else: max|dy| %s" % (NAMES[peer.kind], peer.info["max_dy"]))
    if "loss" in peer.info:
        print("    %-13s first loss %s" % (NAMES[peer.kind], peer.info["loss"]))
        off = abs(float(peer.info["loss"]) - loss[0]) / loss[0] if loss else 0.0
        if not off <= MAX_LOSS:
            raise PeerFailed("%s computes another loss: %s" % (NAMES[peer.kind], peer.info["loss"]))
        loss.append(float(peer.info["loss"]))


# ---- one heat: one case, one mode, one number of threads ----

def others_busy():
    """share of all CPUs that other processes take while our peers are stopped, in %"""
    def busy():
        with open("/proc/stat") as f:
            t = [int(x) for x in f.readline().split()[1:9]]
        return sum(t) - t[3] - t[4], sum(t)
    first = busy()
    time.sleep(1)
    second = busy()
    return 100.0 * (second[0] - first[0]) / max(second[1] - first[1], 1)


def start_peers(kinds, mode, threads, a, case, kernels):
    running, chosen, loss = [], {}, []
    print("  settings tried (fastest of a few steps):")
    for kind in kinds:
        try:
            chosen[kind] = peers.choose(kind, mode, threads, a, case, kernels)
        except PeerFailed as e:
            print("    %s cannot take part: %s" % (NAMES[kind], e))
    print("  agreement:")
    for kind in chosen:
        (label, command, env), tried = chosen[kind]
        try:
            peer = peers.Peer(kind, command, env)
            peer.setting, peer.tried = label, tried
            check_agreement(peer, loss)
            running.append(peer)
        except PeerFailed as e:
            print("    %s is out: %s" % (NAMES[kind], e))
    return running


def take_turns(running, a):
    """A B C, C B A, ..: as many rounds as fit into the time of a heat; a turn of short steps is several in a row"""
    seconds = {p.kind: [] for p in running}
    takes = {p.kind: p.warm_up(a.warm) for p in running}
    count = {kind: peers.turn_of(s) for kind, s in takes.items()}
    round_takes = sum(count[kind] * s for kind, s in takes.items())
    rounds = a.rounds or min(max(int(a.seconds / max(round_takes, 1e-3)), ROUNDS[0]), ROUNDS[1])
    for i in range(rounds):
        for p in running if i % 2 == 0 else reversed(running):
            seconds[p.kind].append(p.step(count[p.kind]))
    for p in running:
        p.close()
    return seconds


def run_heat(name, mode, threads, kinds, a, case, kernels):
    print("\n%s, %s, %d thread%s" % (name, mode, threads, "s" if threads > 1 else ""))
    running = start_peers(kinds, mode, threads, a, case, kernels)
    heat = {"mode": mode, "threads": threads, "others_busy_percent": others_busy(), "load": os.getloadavg(),
            "peers": []}
    try:
        seconds = take_turns(running, a) if running else {}
    finally:
        for p in running:
            p.kill()
    for p in running:
        heat["peers"].append({"peer": p.kind, "setting": p.setting, "tried": p.tried, "seconds": seconds[p.kind],
                              "info": p.info})
    return heat


# ---- one case ----

def script(a, name, *arguments):
    """runs one of bench/torch; returns what it says"""
    env = peers.clean_environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    if a.kernels:
        env["OPENBLAS_CORETYPE"] = a.kernels  # without fused multiply-add the reference itself is off by 1e-5
    done = subprocess.run([a.python, os.path.join(HERE, "torch", name)] + list(arguments), env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise PeerFailed("%s %s: %s" % (name, " ".join(arguments), (done.stderr or done.stdout).strip()[-400:]))
    return done.stdout


def reference_cases(a, model, variant):
    """folders of reference cases of this network"""
    found = []
    for folder in sorted(os.listdir(a.golden)) if os.path.isdir(a.golden) else []:
        path = os.path.join(a.golden, folder, "config.json")
        if os.path.exists(path):
            with open(path) as f:
                config = json.load(f)
            if config["model"] == model and config["args"]["variant"] == variant:
                found.append(os.path.dirname(path))
    return found


def make_case(a, kinds, name, model, variant):
    """weights and inputs for all peers, and who can take part; without PyTorch ours runs on weights of its own"""
    if "torch" not in kinds:
        return "-", ["ours"]
    case, able = os.path.join(a.results, "cases", name), list(kinds)
    references = reference_cases(a, model, variant)
    if not references:
        raise PeerFailed("%s holds no case of %s %s to check the restated network with" % (a.golden, model, variant))
    print(script(a, "check.py", *references), end="", flush=True)
    script(a, "prepare.py", case, "--race", name)
    if "ort" in kinds and "forward" in a.modes:
        try:
            script(a, "export.py", case)
        except PeerFailed as e:
            print("ONNX Runtime does not take part: " + str(e).splitlines()[-1])
            able.remove("ort")
    return case, able


def torch_kernels(heats, kernels):
    """what one thread found best; before that, the library's own choice and ours"""
    for heat in heats:
        for p in heat["peers"]:
            if p["peer"] == "torch" and heat["threads"] == 1:
                return ["" if "default kernels" in p["setting"] else kernels]
    return ["", kernels] if kernels else [""]


def run_case(a, kinds, name, model, variant, rates):
    print("\n== %s" % name)
    heats = []
    try:
        case, able = make_case(a, kinds, name, model, variant)
        for mode in a.modes:
            for threads in a.threads:
                peers_of_mode = [k for k in able if mode == "forward" or k != "ort"]
                heats.append(run_heat(name, mode, threads, peers_of_mode, a, case, torch_kernels(heats, a.kernels)))
                report.summarise(heats[-1], rates)
                report.print_heat(heats[-1])
    except PeerFailed as e:
        print("%s is left out: %s" % (name, e))
    return {"case": name, "model": model, "heats": heats, "bars": report.judge(name, heats)}


# ---- the whole race ----

def all_cases(a, kinds):
    """(name, model, variant) of the published sizes"""
    if "torch" not in kinds:
        return [("factformer", "factformer", "kolmogorov2d")]
    return [tuple(line.split()) for line in script(a, "prepare.py", "--list").splitlines()]


def chosen_cases(a, kinds):
    cases = all_cases(a, kinds)
    wanted = [c for c in cases if not a.model or c[0].startswith(tuple(a.model.split(",")))]
    if not wanted:
        sys.exit("race: no case begins with '%s'; there are %s" % (a.model, ", ".join(c[0] for c in cases)))
    return wanted


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", default=os.path.join(HERE, "..", "build"), help="build folder with bench/bench_step")
    p.add_argument("--results", default=os.path.join(HERE, "results"))
    p.add_argument("--python", default="/usr/bin/python3", help="the Python that has torch, h5py and onnx")
    p.add_argument("--golden", default=os.path.join(HERE, "..", "tests", "golden"), help="reference cases")
    p.add_argument("--model", help="cases whose names begin so, separated by commas (default: all)")
    p.add_argument("--list", action="store_true", help="print the cases and stop")
    p.add_argument("--seconds", type=float, default=20, help="time of a heat, from 3 to 31 rounds")
    p.add_argument("--rounds", type=int, help="alternating rounds, whatever they take")
    p.add_argument("--warm", type=int, default=3, help="steps before the clock counts")
    p.add_argument("--pilot", type=int, default=3, help="timed steps when a peer tries its settings")
    p.add_argument("--threads", type=lambda s: [int(t) for t in s.split(",")], default=[1, 2])
    p.add_argument("--modes", type=lambda s: s.split(","), default=["forward", "train"])
    p.add_argument("--set", action="append", default=[], metavar="args.KEY=VALUE",
                   help="option of our model, e.g. args.recompute=true")
    p.add_argument("--strict", action="store_true", help="exit status 1 if a bar is missed or not measured")
    a = p.parse_args()
    a.build, a.results, a.golden = (os.path.abspath(path) for path in (a.build, a.results, a.golden))
    a.kernels = ""
    return a


def main():
    a = arguments()
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("race: stopped by a signal"))  # atexit ends the peers
    start, kinds = time.time(), peers.available(a)
    if a.list:
        print("\n".join(c[0] for c in all_cases(a, kinds)))
        return 0
    cases = chosen_cases(a, kinds)
    a.kernels = peers.our_kernels(a)
    rates = peers.measure_rates(a, a.threads)
    done = []
    for case in cases:
        done.append(run_case(a, kinds, *case, rates))
        minutes = (time.time() - start) / 60
        report.write_results(a, done, rates, minutes)  # after each case, so that an interrupted race leaves its part
    report.print_table(done)
    print("\nall numbers: %s; the race took %.0f minutes" % (os.path.join(a.results, "race.json"), minutes))
    return int(a.strict and any(b["result"] != "met" for c in done for b in c["bars"]))


if __name__ == "__main__":
    sys.exit(main())
