"""Tables, bars and files of the race."""
import csv
import datetime
import json
import os
import platform
import statistics

from peers import NAMES

TRAIN = 1.3    # PyTorch's time over ours, a training step of an operator
SERIES = 2.0   # the same of a forecaster
SHARE = 65     # % of the machine's sgemm rate in a training step
FORWARD = 1.0  # ONNX Runtime's time over ours, a forward pass
TWO = 1.8      # speed-up of two threads
MEMORY = 0.5   # our peak over PyTorch's, training
OWN_TRAIN = {"factformer": {1: 1.7, 2: 3.0}}
# read their spectral weights once per step and do little else: the memory sets the pace, not the products
NOT_DENSE = ("fno-",)
FORECASTERS = ("informer", "itransformer", "patchtst", "etsformer", "tft", "samformer", "pathformer")
# heads of 8 to 16 numbers and rows of 7 variates: the share of sgemm is reported, not asked for
NARROW = ("patchtst", "samformer", "pathformer", "tft-128")


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
            p["ratio"] = p["median"] / statistics.median(ours["seconds"])
            p["ratio_low"], p["ratio_high"] = min(each), max(each)


def print_heat(heat):
    print("  %-13s %9s %9s %8s %7s %9s %16s %9s %9s" % ("", "median s", "min s", "GF/s", "sgemm", "time/ours",
                                                     "(by round)", "peak MB", "net MB"))
    for p in heat["peers"]:
        share = "%5.0f %%" % p["sgemm_share"] if p["sgemm_share"] else ""
        ratio = "%9.2f (%6.2f..%6.2f)" % (p["ratio"], p["ratio_low"], p["ratio_high"]) if "ratio" in p else ""
        print("  %-13s %9.4f %9.4f %8.1f %7s %26s %9.0f %9.0f  %s" % (
            NAMES[p["peer"]], p["median"], min(p["seconds"]), p["gf_per_s"], share, ratio, p["peak_mb"], p["net_mb"],
            p["setting"]))
    if heat["others_busy_percent"] > 5:
        print("  not quiet: before this heat others took %.0f %% of the processors" % heat["others_busy_percent"])


# ---- the bars ----

def find(heats, mode, threads, kind):
    for h in heats:
        if h["mode"] == mode and h["threads"] == threads:
            return next((p for p in h["peers"] if p["peer"] == kind), None)
    return None


def measured(values):
    """(value, demand, met) with met None if there is no value"""
    for word, value, low, high in values:
        wanted = ">= %g" % low if low is not None else "<= %g" % high
        met = None if value is None else value >= low if low is not None else value <= high
        yield {"bar": word, "value": value, "wanted": wanted,
               "result": "not measured" if met is None else "met" if met else "MISSED"}


def ratio_of(heats, mode, threads, kind):
    p = find(heats, mode, threads, kind)
    return p.get("ratio") if p else None


def speed_up(heats, mode, threads):
    one, more = find(heats, mode, 1, "ours"), find(heats, mode, threads, "ours")
    return one["median"] / more["median"] if one and more else None


def train_bar(name, threads):
    return OWN_TRAIN.get(name, {}).get(threads, SERIES if name.startswith(FORECASTERS) else TRAIN)


def bars_of_row(name, heats, mode, threads):
    """one row of the table: a mode and a number of threads"""
    ours, torch = find(heats, mode, threads, "ours"), find(heats, mode, threads, "torch")
    if mode == "train":
        yield "PyTorch/ours", ratio_of(heats, mode, threads, "torch"), train_bar(name, threads), None
        if not name.startswith(NOT_DENSE + NARROW):
            yield "% of sgemm", ours and ours["sgemm_share"], SHARE, None
        yield "memory ours/PyTorch", ours["peak_mb"] / torch["peak_mb"] if ours and torch else None, None, MEMORY
    else:
        yield "ONNX Runtime/ours", ratio_of(heats, mode, threads, "ort"), FORWARD, None
    if threads == 2:
        yield "speed-up", speed_up(heats, mode, threads), TWO, None


def judge(name, heats):
    """all bars of one case, each with its row"""
    return [dict(bar, mode=h["mode"], threads=h["threads"]) for h in heats
            for bar in measured(bars_of_row(name, heats, h["mode"], h["threads"]))]


def number(value, form="%.2f"):
    return "" if value is None else form % value


def print_row(case, heat):
    heats, mode, threads = case["heats"], heat["mode"], heat["threads"]
    ours, torch = (find(heats, mode, threads, kind) for kind in ("ours", "torch"))
    missed = [b["bar"] for b in case["bars"] if (b["mode"], b["threads"], b["result"]) == (mode, threads, "MISSED")]
    print("%-22s %-8s %2d %9s %9s %8s %9s %9s %10s  %s" % (
        case["case"], mode, threads, number(ours and ours["median"], "%.4f"),
        number(ratio_of(heats, mode, threads, "torch")), number(ratio_of(heats, mode, threads, "ort")),
        number(ours and ours["sgemm_share"], "%.0f"), number(speed_up(heats, mode, threads) if threads > 1 else None),
        number(ours["peak_mb"] / torch["peak_mb"] if ours and torch else None), ", ".join(missed)))


def print_table(cases):
    """one line per case, mode and number of threads"""
    print("\n%-22s %-8s %2s %9s %9s %8s %9s %9s %10s  %s" % (
        "", "", "th", "ours s", "PyTorch", "ONNX RT", "% sgemm", "speed-up", "mem./Torch", "bars missed"))
    for case in cases:
        for heat in case["heats"]:
            print_row(case, heat)
    print("PyTorch, ONNX RT: their time as a multiple of ours. Bars: train PyTorch >= %g (forecasters %g, factformer"
          " 1.7, on two threads 3),\nsgemm >= %d %% (not asked of fno and narrow forecasters), memory <= %g; forward"
          " ONNX RT >= %g; two threads >= %g." % (TRAIN, SERIES, SHARE, MEMORY, FORWARD, TWO))


# ---- files ----

def processor():
    with open("/proc/cpuinfo") as f:
        return next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())


def write_results(a, cases, rates, minutes):
    os.makedirs(a.results, exist_ok=True)
    versions = {NAMES[p["peer"]]: p["info"].get("version", "") for c in cases for h in c["heats"] for p in h["peers"]}
    record = {"date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"), "processor": processor(),
              "cpus": os.cpu_count(), "system": platform.platform(), "versions": versions, "set": a.set,
              "rates": rates, "minutes": minutes, "cases": cases}
    with open(os.path.join(a.results, "race.json"), "w") as f:
        json.dump(record, f, indent=1)
    with open(os.path.join(a.results, "race.csv"), "w", newline="") as f:
        rows = csv.writer(f)
        rows.writerow(["case", "mode", "threads", "peer", "setting", "round", "seconds"])
        for c in cases:
            for h in c["heats"]:
                for p in h["peers"]:
                    for i, s in enumerate(p["seconds"]):
                        rows.writerow([c["case"], h["mode"], h["threads"], p["peer"], p["setting"], i, "%.9f" % s])
