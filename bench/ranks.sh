#!/bin/sh
# Training on several ranks of one thread each: seconds a step, speed-up, share of communication, memory; beside the
# prediction of `fieldcast plan`. Wants a quiet machine with as many cores as ranks.
# usage: bench/ranks.sh [BUILD] [STEPS] [MODEL...]     models: factformer transolver pde-transformer ifactformer-m
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:-$here/../build}" && pwd)
steps=${2:-7}
if [ $# -gt 2 ]; then shift 2; else set -- factformer transolver pde-transformer; fi
program=$build/fieldcast
results=$here/results/ranks
cores=$(nproc)
export OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mkdir -p "$results"
cd "$results"
[ -f flow.hdf5 ] || "$program" -q solve demo-ns2d -o flow.hdf5 --set n=256 --set n_traj=4 --set frames=5 --set t_skip=1 > /dev/null

# published widths, Transolver's half of it; fields of 256 x 256, two a step
cat > factformer.yaml <<END
model: factformer
args: {variant: kolmogorov2d, in_time_window: 1, max_latent_steps: 1}
END
cat > transolver.yaml <<END
model: transolver
args: {variant: structured_2d, space_dim: 2, fun_dim: 1, out_dim: 1, n_hidden: 64, n_layers: 8, n_head: 8, slice_num: 64, mlp_ratio: 1}
END
cat > pde-transformer.yaml <<END
model: pde_transformer
args: {in_channels: 1, out_channels: 1}
END
cat > ifactformer-m.yaml <<END
model: ifactformer_m
args: {}
END
for model in "$@"; do
  printf 'data: {train: flow.hdf5, valid_fraction: 0.25}\ntrain: {steps: %s, batch: 2, lr: 1e-4, eval_every: 0, save_every: 0, save_minutes: 0, log_every: 1}\n' \
    "$steps" >> "$model.yaml"
done

# medians over the steps after the third: seconds a step, share of communication; the largest memory
numbers() { # LOG
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } NR > 4 { print 2 / $at["samples_per_s"], $at["communication"], $at["memory_mib"] }' "$1" |
    sort -n | awk '{ s[NR] = $1; c[NR] = $2; if ($3 > m) m = $3 } END { k = int((NR + 1) / 2); print s[k], c[k], m }'
}

printf '%-16s %5s %6s %9s %9s %7s %8s %10s %9s\n' "" ranks domain "s / step" speed-up "comm %" MiB "plan: s" speed-up
for model in "$@"; do
  one='' plan_one=''
  for shape in "1 1" "2 1" "2 2" "4 4"; do
    ranks=${shape% *} domain=${shape#* } note=''
    bind=core
    [ "$ranks" -gt "$cores" ] && note='  more ranks than cores: for the memory' bind=none
    rm -rf "run-$model"
    if ! mpirun --oversubscribe --bind-to $bind -n "$ranks" "$program" -q train "$model.yaml" --domain "$domain" \
      --out "run-$model" > log.txt 2>&1; then
      echo "$model on $ranks ranks, domains of $domain: $(grep -m 1 fieldcast: log.txt)"
      continue
    fi
    seconds=$(numbers "run-$model/log.csv")
    step=${seconds%% *} rest=${seconds#* }
    plan=$("$program" plan "$model.yaml" --grid 256x256 --ranks "$ranks" --domain "$domain" | awk -v r="$ranks" '$1 == r && NF == 12 { print $5 }')
    [ -n "$one" ] || one=$step plan_one=$plan
    awk -v m="$model" -v r="$ranks" -v d="$domain" -v s="$step" -v c="${rest%% *}" -v mib="${rest#* }" -v one="$one" -v p="$plan" -v p1="$plan_one" -v note="$note" \
      'BEGIN { printf "%-16s %5d %6d %9.4f %9.2f %7.1f %8.0f %10.4f %9.2f%s\n", m, r, d, s, one / s, 100 * c, mib, p, p1 / p, note }'
  done
done
