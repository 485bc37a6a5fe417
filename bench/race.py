#!/usr/bin/env python3
"""The race: FactFormer forward and train step, ours against PyTorch and ONNX Runtime, alternating in one run.

usage: race.py --build BUILD [--case FOLDER] [--rounds N] [--threads 1,2] [--modes forward,train] [--strict]

Every peer is a process that answers each "go" with the seconds of one step (protocol: torch/step.py). All load the
same weights and inputs from one case folder, and must agree with PyTorch's output or loss before any clock runs.
Only one peer runs at a time: the others are stopped by a signal, so that no idle pool spins beside it. Each peer
first tries its settings (thread counts of its pools, waiting policy, BLAS kernels) and races with the fastest.

Reported: median seconds; GF/s of the dense products each really does and their share of the machine's best sgemm
measured in the same run; ratio of the medians to ours with the smallest and largest ratio of a single round; the
highest resident memory of the process (VmHWM), and the same less what it had before building the model.
Writes race.csv (every step) and race.json (all of it with machine, versions, date and load) into --results.
"""
import argparse
import atexit
import csv
import datetime
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = {"ours": "fieldcast", "torch": "PyTorch", "ort": "ONNX Runtime"}
MAX_DY = 1e-3    # relative to the largest output; sin and cos of arguments near 1000 leave 1e-5 .. 1e-4
MAX_LOSS = 1e-4  # relative


class PeerFailed(Exception):
    pass


# ---- one peer ----

class Peer:
    """a process that is stopped unless it is its turn"""

    def __init__(self, kind, command, env):
        self.kind, self.info = kind, {}
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "OPENBLAS_", "GOMP_", "MKL_"))}
        self.process = subprocess.Popen(command, env=dict(clean, **env), text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=HERE)
        atexit.register(self.kill)  # a stopped process would outlive us
        try:
            self.wait_for("ready")
            self.stop()
        except PeerFailed:
            self.kill()
            raise

    def wait_for(self, word):
        """reads info lines until one starts with word; returns the rest of that line"""
        for line in self.process.stdout:
            first, _, rest = line.strip().partition(" ")
            if first == word:
                return rest
            if first == "info":
                key, _, value = rest.partition(" ")
                self.info[key] = value
        raise PeerFailed("%s ended: %s" % (NAMES[self.kind], self.process.stderr.read().strip()[-400:] or "no message"))

    def stop(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def step(self):
        self.resume()
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        seconds = float(self.wait_for("seconds"))
        self.stop()
        return seconds

    def close(self):
        self.resume()
        self.process.stdin.close()
        self.wait_for("bye")
        self.process.wait()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


# ---- the settings each peer may choose from ----

def settings(kind, mode, threads, a, kernels):
    """(label, command, environment) of every setting worth trying with this number of threads"""
    if kind == "ours":
        command = [os.path.join(a.build, "bench", "bench_step"), mode, a.case] + a.set
        yield "default", command, {"OMP_NUM_THREADS": str(threads)}
        if threads > 1:
            yield "passive wait", command, {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"}
    elif kind == "torch":
        yield from torch_settings(mode, threads, a, kernels)
    else:
        for spin in (1, 0) if threads > 1 else (1,):
            yield ("spinning" if spin else "no spinning",
                   ["node", os.path.join(HERE, "ort_peer.mjs"), a.case, str(threads), str(spin)], {})


def torch_settings(mode, threads, a, kernels):
    """PyTorch has two pools (OpenMP for its loops, OpenBLAS for products). On processors newer than its OpenBLAS it
    also takes very old kernels unless told otherwise; we tell it, and show what the default costs."""
    command = [a.python, os.path.join(HERE, "torch", "step.py"), mode, a.case]
    t, tuned = str(threads), {"OPENBLAS_CORETYPE": kernels} if kernels else {}
    base = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    if kernels and threads == 1:
        yield "1+1 threads, default kernels", command, base
    yield "1+1 threads, tuned kernels", command, dict(base, **tuned)
    if threads > 1:
        yield t + "+1 threads", command, dict(base, OMP_NUM_THREADS=t, **tuned)
        yield t + "+1 threads, passive wait", command, dict(base, OMP_NUM_THREADS=t, OMP_WAIT_POLICY="passive", **tuned)
        yield (t + "+" + t + " threads, passive wait", command,
               dict(OMP_NUM_THREADS=t, OPENBLAS_NUM_THREADS=t, OMP_WAIT_POLICY="passive", **tuned))
        yield "1+" + t + " threads", command, dict(base, OPENBLAS_NUM_THREADS=t, **tuned)


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


def choose(kind, mode, threads, a, kernels):
    """tries the settings; returns the fastest and what all took"""
    tried, best = [], None
    options = list(settings(kind, mode, threads, a, kernels))
    for label, command, env in options:
        if len(options) > 1:
            peer = Peer(kind, command, env)
            seconds = min([peer.step() for _ in range(a.warm + a.pilot)][a.warm:])
            peer.close()
        else:
            seconds = 0.0
        tried.append({"setting": label, "seconds": seconds})
        if best is None or seconds < best[0]:
            best = (seconds, label, command, env)
    if len(options) > 1:
        print("    %-13s %s" % (NAMES[kind], "; ".join("%s %.3f s" % (t["setting"], t["seconds"]) for t in tried)))
    return best[1:], tried


# ---- one heat: one mode, one number of threads ----

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


def start_peers(kinds, mode, threads, a, kernels):
    peers, chosen, loss = [], {}, []
    print("  settings tried (fastest of %d steps):" % a.pilot)
    for kind in list(kinds):
        try:
            chosen[kind] = choose(kind, mode, threads, a, kernels)
        except PeerFailed as e:
            print("    %s cannot take part: %s" % (NAMES[kind], e))
    print("  agreement:")
    for kind in chosen:
        (label, command, env), tried = chosen[kind]
        try:
            peer = Peer(kind, command, env)
            peer.setting, peer.tried = label, tried
            check_agreement(peer, loss)
            peers.append(peer)
        except PeerFailed as e:
            print("    %s is out: %s" % (NAMES[kind], e))
    return peers


def run_heat(mode, threads, kinds, a, kernels):
    print("\n%s, %d thread%s" % (mode, threads, "s" if threads > 1 else ""))
    peers = start_peers(kinds, mode, threads, a, kernels)
    heat = {"mode": mode, "threads": threads, "others_busy_percent": others_busy(), "load": os.getloadavg(), "peers": []}
    seconds = {p.kind: [] for p in peers}
    try:
        for p in peers:
            for _ in range(a.warm):
                p.step()
        for i in range(a.rounds):
            for p in peers if i % 2 == 0 else reversed(peers):
                seconds[p.kind].append(p.step())
        for p in peers:
            p.close()
    finally:
        for p in peers:
            p.kill()
    for p in peers:
        heat["peers"].append({"peer": p.kind, "setting": p.setting, "tried": p.tried, "seconds": seconds[p.kind],
                              "info": p.info})
    return heat


def summarise(heat, rates):
    """adds medians, rates, ratios to ours and memory to each peer of the heat"""
    ours = next((p for p in heat["peers"] if p["peer"] == "ours"), None)
    for p in heat["peers"]:
        p["median"] = statistics.median(p["seconds"])
        p["gf_per_s"] = float(p["info"]["gflop"]) / p["median"]
        sgemm = rates.get("sgemm", {}).get(heat["threads"])
        p["sgemm_share"] = 100 * p["gf_per_s"] / sgemm if sgemm else None
        p["peak_mb"] = int(p["info"]["peak_kb"]) / 1024
        p["net_mb"] = p["peak_mb"] - int(p["info"]["base_kb"]) / 1024
        if ours:
            each = [x / y for x, y in zip(p["seconds"], ours["seconds"])]
            p["ratio"], p["ratio_low"], p["ratio_high"] = p["median"] / statistics.median(ours["seconds"]), min(each), max(each)


def print_heat(heat):
    print("  %-13s %9s %9s %8s %7s %9s %16s %9s %9s" % ("", "median s", "min s", "GF/s", "sgemm", "time/ours", "(by round)",
                                                     "peak MB", "net MB"))
    for p in heat["peers"]:
        share = "%5.0f %%" % p["sgemm_share"] if p["sgemm_share"] else ""
        ratio = "%9.2f (%6.2f..%6.2f)" % (p["ratio"], p["ratio_low"], p["ratio_high"]) if "ratio" in p else ""
        print("  %-13s %9.4f %9.4f %8.1f %7s %26s %9.0f %9.0f  %s" % (
            NAMES[p["peer"]], p["median"], min(p["seconds"]), p["gf_per_s"], share, ratio, p["peak_mb"], p["net_mb"],
            p["setting"]))
    if heat["others_busy_percent"] > 5:
        print("  not quiet: other processes took %.0f %% of the processors before this heat" % heat["others_busy_percent"])


# ---- the bars ----

def find(heats, mode, threads, kind):
    for h in heats:
        if h["mode"] == mode and h["threads"] == threads:
            return next((p for p in h["peers"] if p["peer"] == kind), None)
    return None


def bars(heats):
    """name, value, demand, met (None: could not be measured)"""
    for threads, want in ((1, 1.7), (2, 3.0)):
        p = find(heats, "train", threads, "torch")
        value = p and p.get("ratio")
        yield "train step, %d thread(s): PyTorch / ours" % threads, value, ">= %.1f" % want, value and value >= want
    for threads in (1, 2):
        p = find(heats, "forward", threads, "ort")
        value = p and p.get("ratio")
        yield "forward, %d thread(s): ONNX Runtime / ours" % threads, value, ">= 1.0", value and value >= 1
    for threads in (1, 2):
        p, ours = find(heats, "train", threads, "torch"), find(heats, "train", threads, "ours")
        value = ours["peak_mb"] / p["peak_mb"] if p and ours else None
        yield "train, %d thread(s): peak memory ours / PyTorch" % threads, value, "<= 0.50", value and value <= 0.5


def print_bars(heats):
    result = []
    print("\nbars")
    for name, value, demand, met in bars(heats):
        word = "not measured" if value is None else "met" if met else "MISSED"
        print("  %-48s %8s  wanted %-7s %s" % (name, "" if value is None else "%.2f" % value, demand, word))
        result.append({"bar": name, "value": value, "wanted": demand, "result": word})
    return result


# ---- around the heats ----

def measure_rates(a, threads):
    """best sgemm and triad of the machine, in GF/s and GB/s, by number of threads"""
    rates = {}
    env = dict(os.environ, OMP_NUM_THREADS=str(max(threads)))
    out = subprocess.run([os.path.join(a.build, "bench", "bench_ops"), "--rates"], env=env, text=True, check=True,
                         stdout=subprocess.PIPE).stdout
    for line in out.splitlines():
        word, name, team, value = line.split()
        rates.setdefault(name, {})[int(team)] = float(value)
    for team in sorted(rates["sgemm"]):
        print("machine, %d thread%s: sgemm %.1f GF/s, triad %.1f GB/s" % (team, "s" if team > 1 else "",
                                                                       rates["sgemm"][team], rates["triad"][team]))
    return rates


def our_kernels(a):
    """kernels that our OpenBLAS takes here, for PyTorch's OpenBLAS"""
    out = subprocess.run([os.path.join(a.build, "bench", "bench_ops"), "--kernels"], text=True, check=True,
                         stdout=subprocess.PIPE).stdout
    return out.strip()


def available(a):
    """the peers that can be had here; says why one cannot"""
    kinds = ["ours"]
    probe = subprocess.run([a.python, "-c", "import torch, h5py, onnx"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True) if os.path.exists(a.python) else None
    if probe is None or probe.returncode:
        why = probe.stderr.strip().splitlines()[-1] if probe and probe.stderr else "there is no " + a.python
        print("PyTorch does not take part: %s (Debian packages python3-torch python3-h5py python3-onnx)" % why)
    else:
        kinds.append("torch")
    library = os.path.join(HERE, "ort", "node_modules", "onnxruntime-node", "package.json")
    if not os.path.exists(library):
        print("ONNX Runtime does not take part: it is not in bench/ort (npm install --ignore-scripts onnxruntime-node)")
    elif "torch" not in kinds:
        print("ONNX Runtime does not take part: without PyTorch there is no ONNX file")
    else:
        kinds.append("ort")
    return kinds


def make_case(a, kinds, kernels):
    """the race's weights and inputs; without PyTorch ours runs alone on weights of its own"""
    if "torch" not in kinds:
        a.case = "-"
        return
    folder = a.case
    env = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    if kernels:
        env["OPENBLAS_CORETYPE"] = kernels  # without fused multiply-add the reference itself is off by 1e-5
    scripts = [["check.py", golden_case()], ["prepare.py", folder, "--race", "factformer",
                                              "--shape", "%d,%d" % (a.size, a.size), "--set", "depth=%d" % a.depth]]
    if "ort" in kinds:
        scripts.append(["export.py", folder])
    for script in scripts:
        print("%s %s" % (script[0], " ".join(script[1:])), flush=True)
        done = subprocess.run([a.python, os.path.join(HERE, "torch", script[0])] + script[1:], env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if script[0] == "check.py":
            print(done.stdout, end="")
        if done.returncode:
            sys.exit("race: %s failed: %s" % (script[0], done.stderr.strip()[-400:]))


def golden_case():
    for path in ("../tests/golden/factformer-a", "../../shared/golden/factformer-a"):
        folder = os.path.normpath(os.path.join(HERE, path))
        if os.path.exists(os.path.join(folder, "case.h5")):
            return folder
    sys.exit("race: no golden case tests/golden/factformer-a to check the restated network with")


def processor():
    with open("/proc/cpuinfo") as f:
        return next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())


def write_results(a, heats, rates, bar_results):
    os.makedirs(a.results, exist_ok=True)
    versions = {NAMES[p["peer"]]: p["info"].get("version", "") for h in heats for p in h["peers"]}
    record = {"date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"), "processor": processor(),
              "cpus": os.cpu_count(), "system": platform.platform(), "versions": versions, "size": a.size,
              "depth": a.depth, "set": a.set, "rates": rates, "heats": heats, "bars": bar_results}
    with open(os.path.join(a.results, "race.json"), "w") as f:
        json.dump(record, f, indent=1)
    with open(os.path.join(a.results, "race.csv"), "w", newline="") as f:
        rows = csv.writer(f)
        rows.writerow(["mode", "threads", "peer", "setting", "round", "seconds"])
        for h in heats:
            for p in h["peers"]:
                for i, s in enumerate(p["seconds"]):
                    rows.writerow([h["mode"], h["threads"], p["peer"], p["setting"], i, "%.9f" % s])
    print("\nall numbers: %s" % os.path.join(a.results, "race.json"))


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", default=os.path.join(HERE, "..", "build"), help="build folder with bench/bench_step")
    p.add_argument("--case", help="folder for weights, inputs and ONNX file (default: RESULTS/case)")
    p.add_argument("--results", default=os.path.join(HERE, "results"))
    p.add_argument("--python", default="/usr/bin/python3", help="the Python that has torch, h5py and onnx")
    p.add_argument("--rounds", type=int, default=9, help="alternating rounds")
    p.add_argument("--warm", type=int, default=3, help="steps before the clock counts")
    p.add_argument("--pilot", type=int, default=2, help="timed steps when a peer tries its settings")
    p.add_argument("--threads", default="1,2")
    p.add_argument("--modes", default="forward,train")
    p.add_argument("--size", type=int, default=128, help="points per axis")
    p.add_argument("--depth", type=int, default=4, help="layers")
    p.add_argument("--set", action="append", default=[], metavar="args.KEY=VALUE",
                   help="option of our model, e.g. args.recompute=true")
    p.add_argument("--strict", action="store_true", help="exit status 1 if a bar is missed")
    a = p.parse_args()
    a.build, a.results = os.path.abspath(a.build), os.path.abspath(a.results)
    a.case = os.path.abspath(a.case or os.path.join(a.results, "case"))
    return a


def main():
    a = arguments()
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that atexit ends the stopped peers
    team = [int(t) for t in a.threads.split(",")]
    kinds = available(a)
    kernels, heats = our_kernels(a), []
    make_case(a, kinds, kernels)
    rates = measure_rates(a, team)
    for mode in a.modes.split(","):
        for threads in team:
            heat = run_heat(mode, threads, [k for k in kinds if mode == "forward" or k != "ort"], a, kernels)
            summarise(heat, rates)
            print_heat(heat)
            heats.append(heat)
    results = print_bars(heats)
    write_results(a, heats, rates, results)
    return int(a.strict and any(r["result"] != "met" for r in results))


if __name__ == "__main__":
    sys.exit(main())
