#!/bin/sh
# Peak memory of a rank in a forward pass of each operator on 1, 2, 4 ranks that share one field (`fieldcast rollout
# --domain R`), MiB of the largest rank. For the memory alone: ranks may be more than cores.
# usage: bench/ranks_memory.sh [BUILD] [N, points of each axis, a multiple of 128] [MODEL...]     models: examples/operator-shootout/*.yaml
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:-$here/../build}" && pwd)
n=${2:-1024}
if [ $# -gt 2 ]; then shift 2; else set -- transolver gnot factformer ifactformer_m fno fourier_mixer mano pde_transformer; fi
program=$build/fieldcast
results=$here/results/ranks_memory
export OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mkdir -p "$results"
cd "$results"

solve() { # FILE N FRAMES: fields of 2-D turbulence that hardly evolve
  [ -f "$1" ] || "$program" -q solve demo-ns2d -o "$1" --set n="$2" --set n_traj=2 --set frames="$3" --set t_skip=0.001 --set frame_dt=0.001 > /dev/null
}
solve small.hdf5 64 3
solve "flow-$n.hdf5" "$n" 2

printf '%-16s %10s' "" "weights"
for ranks in 1 2 4; do printf ' %9s %6s' "$ranks ranks" ratio; done
echo
for model in "$@"; do
  # weights of one step on a small grid: what they hold does not matter here
  sed 's/^train:.*/train: {steps: 1, batch: 1, eval_every: 0, save_every: 0, save_minutes: 0}/' "$here/../examples/operator-shootout/$model.yaml" > "$model.yaml"
  echo 'data: {train: small.hdf5, valid_fraction: 0.5}' >> "$model.yaml"
  rm -rf "run-$model"
  "$program" -q train "$model.yaml" --out "run-$model"
  "$program" export "run-$model" --raw -o weights.safetensors > /dev/null
  printf '%-16s %10.1f' "$model" "$(wc -c < weights.safetensors | awk '{ print $1 / 1048576 }')"
  one=''
  for ranks in 1 2 4; do
    rm -f rss-*
    # shellcheck disable=SC2016 # the ranks' shells read the variable
    mpirun --oversubscribe --bind-to none -n "$ranks" sh -c '/usr/bin/time -f %M -o rss-$OMPI_COMM_WORLD_RANK "$@"' sh \
      "$program" -q rollout "run-$model" -d "flow-$n.hdf5" -t 0 -n 1 -o out.hdf5 --domain "$ranks" > log.txt 2>&1 ||
      { printf ' %s' "$(grep -m 1 fieldcast: log.txt)"; continue; }
    most=$(cat rss-* | sort -n | tail -1)
    [ -n "$one" ] || one=$most
    awk -v m="$most" -v o="$one" 'BEGIN { printf " %9.0f %6.2f", m / 1024, m / o }'
  done
  echo
done
