#!/bin/sh
# fieldcast solve --start: runs that begin at fields of a file, and what is refused.
set -u
program=${FC_PROGRAM:-build/fieldcast}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
complain() { echo "solve_start.sh: $*" >&2; failed=1; }
cd "$folder" || exit 1
solve() { "$program" -q solve "$@" >/dev/null 2>err; }
refused() { # words, arguments
  words=$1
  shift
  solve "$@"
  [ $? -eq 2 ] && [ "$(wc -l <err)" -eq 1 ] && grep -q "$words" err || { complain "not refused: $*"; cat err >&2; }
}
flow="--set n=16 --set nu=0.02 --set dt=0.02 --set cfl=0 --set frame_dt=0.1"
# shellcheck disable=SC2086
{
solve hit-64 -o whole.hdf5 $flow --set t_skip=0.5 --set frames=4 --set n_traj=2 || { complain "no data"; cat err >&2; exit 1; }
# from the first frame, which single precision has rounded, the run is met again
solve hit-64 -o again.hdf5 $flow --set frames=4 --start whole.hdf5 || { complain "--start fails"; cat err >&2; }
solve hit-64 -o later.hdf5 $flow --set frames=2 --start whole.hdf5 --start-at 0.7 || { complain "--start-at fails"; cat err >&2; }
cat >tiny.yaml <<'END'
model: factformer
args: {variant: isotropic3d, in_dim: 3, out_dim: 3, in_time_window: 1, max_latent_steps: 1, dim: 24, depth: 1, heads: 2, dim_head: 8}
data: {train: whole.hdf5, valid_fraction: 0.5}
train: {steps: 1, batch: 1, eval_every: 0}
END
"$program" -q train tiny.yaml --out run >/dev/null 2>err || { complain "training fails"; cat err >&2; }
"$program" -q compare run --data whole.hdf5 -o out --with again.hdf5 >/dev/null 2>err || { complain "compare fails"; cat err >&2; }
awk -F, '$1 == "again" { near = $12 > 0 && $12 < 1e-5 } END { exit !near }' out/contest.csv ||
  { complain "the run from the first frame is another one"; cat out/contest.csv >&2; }
# the solver that made the data is a rival of the network, although its field is a vector
grep -q '^solver' out/contest.csv || { complain "no coarse solver beside the network"; cat out/contest.csv >&2; }
"$program" info later.hdf5 | grep -q 'trajectories *2' || complain "one trajectory is missing"

refused "has no frame at time 9" hit-64 $flow --start whole.hdf5 --start-at 9
refused "has 16 points along axis 1" hit-64 $flow --set n=32 --start whole.hdf5
refused "channel 0 is 'velocity_x'" spectral_2d --set n=16 --start whole.hdf5
refused "cannot begin at given fields" darcy --start whole.hdf5
refused "without --from" hit-64 $flow --start whole.hdf5 --last x.state
refused "none.hdf5" hit-64 $flow --start none.hdf5
}
exit $failed
