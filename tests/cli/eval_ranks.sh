#!/bin/sh
# fieldcast eval of fields on several ranks prints what one process prints; eval and rollout that get a signal end with one line
# and leave nothing unfinished. Silent when right.
. tests/cli/helpers

"$program" -q solve demo-ns2d -o data.hdf5 --set n=32 --set n_traj=5 --set frames=12 --set t_skip=1 >/dev/null ||
  { complain "cannot make data"; exit 1; }
cat >tiny.yaml <<'END'
model: transolver
args: {variant: structured_2d, space_dim: 2, fun_dim: 1, out_dim: 1, n_hidden: 16, n_layers: 2, n_head: 2, slice_num: 6, mlp_ratio: 1}
data: {train: data.hdf5, valid_fraction: 0.2}
train: {steps: 2, batch: 2, lr: 1e-3, eval_every: 0}
END
"$program" -q train tiny.yaml --out run >/dev/null 2>err || { complain "cannot train"; cat err >&2; }

# sums over windows are taken in one order, so that every digit is the same
for n in 1 2 3; do
  ranks $n eval run --data data.hdf5 --windows 7 >eval$n 2>err || { complain "eval on $n ranks fails"; cat err >&2; }
  cmp eval1 eval$n >&2 || complain "eval on $n ranks prints something else"
done
grep -q VRMSE eval1 || complain "eval prints no VRMSE"

# WHAT RANKS ARGUMENTS...: far more work than there is time for, then SIGTERM to every rank or USR1 through the launcher
stopped() {
  what=$1 n=$2
  shift 2
  if [ "$n" = 1 ]; then
    "$program" -q "$@" >out 2>err &
  else
    mpirun --allow-run-as-root --oversubscribe -n "$n" "$program" -q "$@" >out 2>err &
  fi
  pid=$!
  sleep 1.5
  [ "$n" = 1 ] && kill -TERM $pid || kill -USR1 $pid
  wait $pid
  got=$?
  [ $got -eq 85 ] || { complain "$what ends with $got instead of 85"; cat err >&2; }
  [ "$(grep -c '^fieldcast: stopped by a signal; nothing was written' err)" = 1 ] || { complain "$what says"; cat err >&2; }
  [ -z "$(find . -name '*.tmp')" ] && [ ! -e far.hdf5 ] || complain "$what leaves $(find . -name '*.tmp' -o -name 'far*')"
}
for n in 1 2; do
  stopped "rollout on $n ranks" $n rollout run --data data.hdf5 -o far.hdf5 --steps 100000
  stopped "rollout of $n ranks that share fields" $n rollout run --data data.hdf5 -o far.hdf5 --steps 100000 --domain $n
done
# a long trajectory: windows of 2 frames of it
"$program" -q solve demo-ns2d -o long.hdf5 --set n=32 --set n_traj=2 --set frames=6000 --set frame_dt=0.02 >/dev/null
for n in 1 2; do stopped "eval on $n ranks" $n eval run --data long.hdf5 --windows 11000 --frames 20; done
exit $failed
