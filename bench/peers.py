"""The programs that race, as processes, and the settings each of them may choose from.

A peer answers each "go" with the seconds of one step (protocol: torch/step.py). All but one are stopped by a signal,
so that no idle pool spins beside the one that is timed. Variables of thread pools and of OpenBLAS in the caller's
environment are dropped for all of them alike.
"""
import atexit
import os
import signal
import statistics
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = {"ours": "fieldcast", "torch": "PyTorch", "ort": "ONNX Runtime"}
LONG = 2.0  # seconds of a step from which on fewer are enough to choose a setting
TURN = 0.1  # seconds of a turn at least: after waking up and with the others' data in the caches a first step is slow


class PeerFailed(Exception):
    pass


def clean_environment(**more):
    dropped = ("OMP_", "OPENBLAS_", "GOMP_", "MKL_", "FIELDCAST_")
    return dict({k: v for k, v in os.environ.items() if not k.startswith(dropped)}, **more)


class Peer:
    """a process that is stopped unless it is its turn"""

    def __init__(self, kind, command, env):
        self.kind, self.info = kind, {}
        self.process = subprocess.Popen(command, env=clean_environment(**env), text=True, stdin=subprocess.PIPE,
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

    def step(self, count=1):
        """median seconds of count steps in a row"""
        self.resume()
        seconds = []
        for _ in range(count):
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
            seconds.append(float(self.wait_for("seconds")))
        self.stop()
        return statistics.median(seconds)

    def warm_up(self, most):
        """fewer steps if they are long: they warm as much"""
        seconds = self.step()
        for _ in range(1 if seconds > LONG else most - 1):
            seconds = self.step()
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


# ---- settings: (label, command, environment) of every one worth trying with this number of threads ----

def settings(kind, mode, threads, a, case, kernels):
    if kind == "ours":
        command = [os.path.join(a.build, "bench", "bench_step"), mode, case] + a.set
        yield "default", command, {"OMP_NUM_THREADS": str(threads)}
        if threads > 1:
            yield "passive wait", command, {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"}
    elif kind == "torch":
        yield from torch_settings([a.python, os.path.join(HERE, "torch", "step.py"), mode, case], threads, kernels)
    else:
        for spin in (1, 0) if threads > 1 else (1,):
            yield ("spinning" if spin else "no spinning",
                   ["node", os.path.join(HERE, "ort_peer.mjs"), case, str(threads), str(spin)], {})


def torch_settings(command, threads, kernels):
    """PyTorch has two pools (OpenMP for its loops, OpenBLAS for products). On processors newer than its OpenBLAS it
    also takes very old kernels unless told otherwise: kernels is what to tell it, in the order to try."""
    t = str(threads)
    base = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for core in kernels:
        env = {"OPENBLAS_CORETYPE": core} if core else {}
        label = "%s kernels" % (core or "default")
        yield "1+1 threads, " + label, command, dict(base, **env)
        if threads == 1:
            continue
        yield t + "+1 threads, " + label, command, dict(base, OMP_NUM_THREADS=t, **env)
        yield t + "+1, passive wait, " + label, command, dict(base, OMP_NUM_THREADS=t, OMP_WAIT_POLICY="passive", **env)
        yield (t + "+" + t + ", passive wait, " + label, command,
               dict(OMP_NUM_THREADS=t, OPENBLAS_NUM_THREADS=t, OMP_WAIT_POLICY="passive", **env))
        yield "1+" + t + " threads, " + label, command, dict(base, OPENBLAS_NUM_THREADS=t, **env)


def turn_of(seconds):
    """steps in a row of one turn"""
    return max(int(TURN / max(seconds, 1e-4)), 1)


def try_out(kind, command, env, a):
    """seconds of the fastest of a few steps"""
    peer = Peer(kind, command, env)
    seconds = peer.warm_up(a.warm)
    count = turn_of(seconds)
    for _ in range(a.pilot - 1 if seconds < LONG else 0):
        seconds = min(seconds, peer.step(count))
    peer.close()
    return seconds


def choose(kind, mode, threads, a, case, kernels):
    """tries the settings; returns the fastest and what all took"""
    tried, best = [], None
    options = list(settings(kind, mode, threads, a, case, kernels))
    for label, command, env in options:
        seconds = try_out(kind, command, env, a) if len(options) > 1 else 0.0
        tried.append({"setting": label, "seconds": seconds})
        if best is None or seconds < best[0]:
            best = (seconds, label, command, env)
    if len(options) > 1:
        print("    %-13s %s" % (NAMES[kind], "; ".join("%s %.3f s" % (t["setting"], t["seconds"]) for t in tried)))
    return best[1:], tried


# ---- what can be had here ----

def available(a):
    """kinds of peers; says why one cannot take part"""
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


def our_kernels(a):
    """kernels that our OpenBLAS takes here, for PyTorch's"""
    return subprocess.run([os.path.join(a.build, "bench", "bench_ops"), "--kernels"], env=clean_environment(),
                          text=True, check=True, stdout=subprocess.PIPE).stdout.strip()


def measure_rates(a, threads):
    """best sgemm (ours or OpenBLAS's) and triad of the machine, in GF/s and GB/s, by number of threads"""
    rates = {}
    for more in ({}, {"FIELDCAST_GEMM": "openblas"}):
        env = clean_environment(OMP_NUM_THREADS=str(max(threads)), **more)
        out = subprocess.run([os.path.join(a.build, "bench", "bench_ops"), "--rates"], env=env, text=True, check=True,
                             stdout=subprocess.PIPE).stdout
        for line in out.splitlines():
            _, name, team, value = line.split()
            found = rates.setdefault(name, {})
            found[int(team)] = max(float(value), found.get(int(team), 0.0))
    for team in sorted(rates["sgemm"]):
        print("machine, %d thread%s: sgemm %.1f GF/s, triad %.1f GB/s" % (team, "s" if team > 1 else "",
                                                                       rates["sgemm"][team], rates["triad"][team]))
    return rates
