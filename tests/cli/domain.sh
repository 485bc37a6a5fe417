#!/bin/sh
# Ranks that share fields: training on 1, 2, 4 ranks (data, domain, both) gives the losses of one rank; a checkpoint written by
# shared ranks goes on alone and the other way round; rollouts write the same file. Silent when right.
set -u
program=${FC_PROGRAM:?}
command -v mpirun >/dev/null || exit 0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0
complain() { echo "domain.sh: $*" >&2; failed=1; }
ranks() { n=$1; shift; mpirun --allow-run-as-root --oversubscribe -n "$n" "$program" -q "$@"; }

"$program" -q solve demo-ns2d -o data.hdf5 --set n=32 --set n_traj=5 --set frames=8 --set t_skip=1 >/dev/null ||
  { echo "domain.sh: cannot make data" >&2; exit 1; }
cat >tiny.yaml <<'END'
model: transolver
args: {variant: structured_2d, space_dim: 2, fun_dim: 1, out_dim: 1, n_hidden: 16, n_layers: 2, n_head: 2, slice_num: 6, mlp_ratio: 1}
data: {train: data.hdf5, valid_fraction: 0.2}
train: {steps: 20, batch: 4, lr: 1e-3, eval_every: 10, eval_frames: 4, save_every: 10, log_every: 1, noise: 0.01, loss_derivative: 0.1, loss_ring: true}
END
# RANKS DOMAIN: into run-RANKS-DOMAIN
for shape in "1 1" "2 1" "2 2" "4 2" "3 3" "4 4"; do
  # shellcheck disable=SC2086 # two numbers
  set -- $shape
  ranks "$1" train tiny.yaml --out "run-$1-$2" --domain "$2" 2>err || { complain "training on $1 ranks, domains of $2"; cat err >&2; }
  # loss of each step, validation scores where there are some: 1e-5 relative, rounding of 20 steps of a float network
  paste -d, run-1-1/log.csv "run-$1-$2/log.csv" | awk -F, '
    function far(a, b) { d = a - b; if (d < 0) d = -d; return d > 1e-5 * (a < 0 ? -a : a) }
    NR > 1 && (far($4, $(4 + NF / 2)) || far($10, $(10 + NF / 2)) || far($12, $(12 + NF / 2)) || $1 != $(1 + NF / 2)) { bad = 1 }
    END { exit bad || NR != 21 }' || complain "$1 ranks in domains of $2 do not learn like one"
done

# a run of shared ranks goes on alone, and a lone one on shared ranks: both end like run-1-1
ranks 2 train tiny.yaml --out first --domain 2 --set train.steps=10 2>err || cat err >&2
ranks 1 train tiny.yaml --out second --set train.steps=10 2>err || cat err >&2
ranks 1 train tiny.yaml --out first --resume 2>err || { complain "resuming alone"; cat err >&2; }
ranks 3 train tiny.yaml --out second --resume --domain 3 2>err || { complain "resuming on three ranks"; cat err >&2; }
[ "$(cut -d, -f1 first/log.csv | tail -1)" = 20 ] || complain "the resumed run did not reach step 20"

for shape in "1 1" "2 2" "4 2" "3 1"; do
  # shellcheck disable=SC2086
  set -- $shape
  ranks "$1" rollout run-1-1 -d data.hdf5 -o "out-$1-$2.hdf5" -c --domain "$2" >"out-$1-$2.txt" 2>err ||
    { complain "rollout on $1 ranks, domains of $2"; cat err >&2; }
  "$program" info "out-$1-$2.hdf5" | sed -n '/^  trajectories/,/^  channels/p' >"axes-$1-$2"
  cmp -s axes-1-1 "axes-$1-$2" || complain "rollout on $1 ranks in domains of $2 writes other axes"
  # same errors to three digits, up to the first table that a lone rank alone can fill
  head -10 "out-$1-$2.txt" | awk 'NR > 3 { print $1, $2, $3 }' >"table-$1-$2"
  cmp -s table-1-1 "table-$1-$2" || complain "rollout on $1 ranks in domains of $2 has other errors"
done

ranks 2 train tiny.yaml --out x --domain 3 >log 2>&1 && complain "2 ranks form domains of 3"
grep -q "must be a multiple" log || complain "the message about domains of 3 is missing"
ranks 2 train tiny.yaml --out x --domain 2 --set model=dlinear >log 2>&1 && complain "dlinear is shared"
exit $failed
