#!/bin/sh
# make bench: op benchmarks, then the race of all published sizes against PyTorch and ONNX Runtime.
# usage: bench.sh [BUILD] [race.py options]      e.g. bench.sh build --model transolver
# Installs what is missing where it can; says which peer cannot be had and runs the rest. Wants a quiet machine.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../build}
[ $# -gt 0 ] && shift
python=${PYTHON:-/usr/bin/python3} # Debian's, for which python3-torch is packaged
threads=2
[ "$(nproc)" -lt 2 ] && threads=1
results=$here/results
log=$results/install.log
mkdir -p "$results" && : > "$log" || exit 1

say() { echo "bench: $*"; }

# debian PACKAGE...: installs packages if we may; the log tells more
debian() {
  command -v apt-get > /dev/null || { say "$* missing, and there is no apt-get"; return 1; }
  [ "$(id -u)" = 0 ] || { say "$* missing; install as root: apt-get install $*"; return 1; }
  say "installing $*"
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >> "$log" 2>&1 && return 0
  apt-get update >> "$log" 2>&1
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >> "$log" 2>&1 && return 0
  say "$* could not be installed (network? see $log)"
  return 1
}

onnx_runtime() {
  [ -f "$here/ort/node_modules/onnxruntime-node/package.json" ] && command -v node > /dev/null && return 0
  command -v npm > /dev/null || debian nodejs npm || return 1
  say "installing onnxruntime-node from npm (290 MB)"
  mkdir -p "$here/ort"
  # its install script would fetch parts for graphics cards; the processor library is in the package
  (cd "$here/ort" && { [ -f package.json ] || npm init -y; } && npm install --ignore-scripts onnxruntime-node@1.30.0) \
    >> "$log" 2>&1 || say "onnxruntime-node could not be installed (network? see $log)"
}

[ -x "$python" ] || debian python3
"$python" -c 'import torch, h5py, onnx' 2> /dev/null || debian python3-torch python3-h5py python3-onnx
onnx_runtime

[ -f "$build/CMakeCache.txt" ] || cmake -S "$here/.." -B "$build" -DCMAKE_BUILD_TYPE=Release >> "$log" 2>&1 ||
  { say "cmake failed, see $log"; exit 1; }
cmake --build "$build" -j "$(nproc)" --target bench_step bench_ops bench_solvers >> "$log" 2>&1 ||
  { tail -20 "$log"; say "the build failed, see $log"; exit 1; }

load=$(cut -d' ' -f1 /proc/loadavg)
say "load before the start: $load; above 0.3 or so the numbers mean little"
status=0
OMP_NUM_THREADS=$threads "$build/bench/bench_ops" --csv "$results/ops.csv" > "$results/ops.txt" || status=1
cat "$results/ops.txt"
echo
sh "$here/ranks.sh" "$build" || status=1
echo
sh "$here/solvers.sh" "$build" || status=1
[ -x "$python" ] || { say "no Python, so no race: its driver is bench/race.py"; exit 1; }
"$python" "$here/race.py" --build "$build" --python "$python" --results "$results" \
  --threads "$([ $threads = 1 ] && echo 1 || echo 1,2)" "$@" || status=1
exit $status
