#!/bin/sh
# tests/cli/solve.sh - fieldcast solve: output, exit codes, and nothing left behind after a failure.
set -u
program=${FC_PROGRAM:-build/fieldcast}
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
bad=0
fail() { echo "solve.sh: $*" >&2; bad=1; }

# expect CODE TEXT ARGUMENTS...: the exit code, and TEXT somewhere in the output
expect() {
  code=$1 text=$2
  shift 2
  "$program" "$@" > "$folder/out" 2>&1
  got=$?
  [ $got = "$code" ] || fail "'$*' exits with $got instead of $code: $(tail -1 "$folder/out")"
  grep -qF -- "$text" "$folder/out" || fail "'$*' does not say '$text' but: $(tail -1 "$folder/out")"
}
gone() { # only out may be there
  left=$(ls "$folder" | grep -v '^out$')
  [ -z "$left" ] || fail "$1 leaves $left behind"
}

expect 0 'factformer-km2d' solve --list
expect 0 'kinematic viscosity' solve --help
expect 0 '2048 x 2048 computed, 256 x 256 kept' solve factformer-km2d --plan
expect 0 'accurate   fourth-order' solve factformer-km2d --about
expect 0 'source:' solve darcy --about
expect 2 'no solver or preset' solve nothing --about
expect 0 'judging by the speed' solve fno-ns-v1e-3 --accurate --set n=16 --set n_keep=8 --plan
expect 2 "did you mean 'demo-ns2d'" solve demo-ns2 -o "$folder/x.hdf5"
expect 2 '-o FOLDER' solve demo-ns2d --split train=1
expect 2 'which preset' solve
expect 2 "nearest is 'nu'" solve demo-ns2d -o "$folder/x.hdf5" --set nuu=1
expect 2 'train=40,valid=4' solve demo-ns2d -o "$folder/x" --split train
expect 3 'cannot' solve demo-ns2d -o "$folder/missing/x.hdf5"
gone 'a wrong call'

small='--set n=16 --set t_skip=0.1 --set frame_dt=0.1 --set frames=3'
expect 5 'lower dt' solve spectral_2d -o "$folder/x.hdf5" --set n=32 --set nu=0 --set dt=0.5 --set scheme=euler_cn \
  --set frame_dt=500
gone 'a blow-up'

expect 0 'frames     6 of 2 trajectories' -q solve demo-ns2d -o "$folder/x.hdf5" $small --set n_traj=2
[ -f "$folder/x.hdf5" ] && [ -f "$folder/x.xmf" ] || fail 'no x.hdf5 or x.xmf'
expect 0 'energy' -q solve demo-ns2d -o "$folder/set" --split train=2,test=1 $small
[ -f "$folder/set/data/train/demo-ns2d.hdf5" ] && [ -f "$folder/set/data/test/demo-ns2d.hdf5" ] || fail 'no splits'
expect 0 '9 x 9, steady' -q solve fno-darcy-85 -o "$folder/x.hdf5" --set n=41 --set n_traj=3
expect 0 'constant in time' info "$folder/x.hdf5"
expect 0 'grid       128, time 0 to 1 every 1' -q solve fno-burgers-r10 -o "$folder/x.hdf5" --set n=128 --set n_traj=2
expect 0 '12288 points' solve fno-burgers-r10 --plan
expect 0 'grid       8 x 8 x 8, time 1.5 to 2.25 every 0.75' -q solve factformer-smoke3d -o "$folder/x.hdf5" --set nx=8 --set ny=8 \
  --set nz=8 --set t_skip=1.5 --set frames=2 --set n_traj=1
expect 0 'lower face along its own axis' info "$folder/x.hdf5"
expect 2 'lower dt' solve pdearena-smoke2d --plan --set nx=256 --set ny=256
expect 0 'smoke drift' -q solve pdearena-smoke2d --accurate --set nx=16 --set ny=16 --set frames=2 --set n_traj=1
expect 0 'energy' -q solve ks-22 -o "$folder/x.hdf5" --set t_skip=5 --set n_traj=2 --set frames=3
rm -rf "$folder/x.hdf5" "$folder/x.xmf" "$folder/set"

# Without a file: what is measured in the last frame. Energy of Taylor vortices decays as
# exp(-2 nu |k|^2 t)/4 with |k|^2 = 2: e^(-0.08)/4 = 0.230779, which a scheme of second order meets to six digits.
expect 0 'energy     0.230779' -q solve spectral_2d --set n=16 --set initial=taylor --set initial_mode=1 --set nu=0.01 \
  --set dt=0.01 --set t_skip=1 --set frames=2 --set frame_dt=1
grep -q '^enstrophy  *0\.[0-9]\{11\}' "$folder/out" || fail 'enstrophy is not printed with all its digits'
gone 'a run without a file'

# an interrupt removes what is unfinished, where there is nothing to go on with (for the rest see solve_restart.sh)
for signal in TERM USR1; do
  "$program" -q solve darcy --set n=421 --set n_traj=200 -o "$folder/x.hdf5" > /dev/null 2> "$folder/out" &
  pid=$!
  tries=0
  while [ ! -e "$folder/x.hdf5.tmp" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
  [ $tries -lt 100 ] || fail 'x.hdf5.tmp does not appear'
  sleep 0.5
  kill -$signal $pid
  wait $pid
  got=$?
  [ $got = 85 ] || fail "a run interrupted by $signal exits with $got instead of 85"
  grep -q 'nothing was written' "$folder/out" || fail "an interrupted run says: $(cat "$folder/out")"
  gone 'an interrupt'
done
exit $bad
