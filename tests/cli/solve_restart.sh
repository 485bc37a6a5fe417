#!/bin/sh
# fieldcast solve is cut by signals, by its time limit, by SIGKILL, and goes on: the file ends as that of the run that was not
# cut, byte for byte. Silent when right.
. tests/cli/helpers

flow="solve demo-ns2d --set n=32 --set n_traj=5 --set frames=600 --set t_skip=0.5 --set frame_dt=0.1 -o x.hdf5 --keep-every 0.002"
mkdir whole
# shellcheck disable=SC2086 # words
(cd whole && "$program" -q $flow >/dev/null) || complain "the run without a cut fails"

# start RANKS WORDS...: in the background, until it has written frames
start() {
  n=$1
  shift
  if [ "$n" = 1 ]; then
    # shellcheck disable=SC2086
    "$program" -q $flow "$@" >out 2>err &
  else
    # shellcheck disable=SC2086
    mpirun --allow-run-as-root --oversubscribe -n "$n" "$program" -q $flow "$@" >out 2>err &
  fi
  pid=$!
}
wait_for() { # FILE
  tries=0
  while [ ! -e "$1" ] && [ $tries -lt 500 ]; do sleep 0.02; tries=$((tries + 1)); done
  [ -e "$1" ] || complain "$1 does not appear"
}
stopped() { # WHAT: the run that was started ended with its state kept
  wait $pid
  got=$?
  [ $got -eq 85 ] || { complain "$1: exit code $got instead of 85"; cat err >&2; }
  [ "$(grep -c '^fieldcast: stopped.*x.hdf5.state is written, --resume' err)" = 1 ] || { complain "$1: says"; cat err >&2; }
  [ -e x.hdf5.state ] && [ -e x.hdf5.tmp ] && [ ! -e x.hdf5 ] || complain "$1: wrong files: $(echo x.*)"
}
ends_whole() { # WHAT RANKS WORDS...: goes on to the end
  what=$1 n=$2
  shift 2
  # shellcheck disable=SC2086
  ranks "$n" $flow --resume "$@" >out 2>err || { complain "$what: resuming on $n ranks fails"; cat err >&2; }
  cmp x.hdf5 whole/x.hdf5 >&2 || complain "$what: the file differs from that of the run without a cut"
  say 'frames     3000 of 5'
  [ ! -e x.hdf5.state ] && [ ! -e x.hdf5.tmp ] || complain "$what: left behind: $(echo x.*)"
  rm -f x.hdf5 x.xmf
}

for signal in USR1 TERM; do
  start 1
  wait_for x.hdf5.tmp
  sleep 0.1
  kill -$signal $pid
  stopped "SIG$signal"
  ends_whole "SIG$signal" 1
done
# the launcher hands USR1 on; what two ranks have kept, three take over
start 2
wait_for x.hdf5.tmp
sleep 0.1
kill -USR1 $pid
stopped "two ranks"
cp x.hdf5.state two.state
cp x.hdf5.tmp two.tmp
ends_whole "two ranks" 3
# cut twice, with other lanes
mv two.state x.hdf5.state
mv two.tmp x.hdf5.tmp
OMP_NUM_THREADS=3 start 1 --resume --max-seconds 1.05
stopped "the time limit"
ends_whole "the time limit" 1
# killed, with a state from before
start 1
wait_for x.hdf5.state
kill -9 $pid
wait $pid 2>/dev/null
[ -e x.hdf5.tmp ] || complain "a killed run leaves no x.hdf5.tmp"
cp x.hdf5.state good
cp x.hdf5.tmp frames

# what does not fit is refused, and what was kept stays
expect 2 'a run into this file was cut' "$program" -q $flow
expect 2 'kept by a run with nu=0.02, not 0.002' "$program" -q $flow --set nu=0.002 --resume
expect 2 'kept by a run with solver=spectral_2d' "$program" -q solve ks-22 -o x.hdf5 --resume
printf x | dd of=x.hdf5.state bs=1 seek=9000 conv=notrunc 2>dd
expect 2 'damaged or cut' "$program" -q $flow --resume
head -c 5000 good >x.hdf5.state
expect 2 'damaged or cut' "$program" -q $flow --resume
cp good x.hdf5.state
rm x.hdf5.tmp
expect 2 'x.hdf5.tmp' "$program" -q $flow --resume
cmp good x.hdf5.state >&2 || complain "a refused run changes the state"
cp frames x.hdf5.tmp
ends_whole "SIGKILL" 2

# ranks that compute one flow together, with a table of its history: two go on, three or one do not
vortices="solve tgv --set n=16 --set dt=0.01 --set t_end=1 --set frames=5 --set history=h.csv -o t.hdf5"
# shellcheck disable=SC2086
(cd whole && ranks 2 $vortices >/dev/null 2>err) || { complain "vortices on two ranks fail"; cat whole/err >&2; }
# a job that ends in ten seconds, which SLURM may take for the end: every run makes a step or two, however fast it is
for again in '' --resume --resume; do
  # shellcheck disable=SC2086
  mpirun --allow-run-as-root --oversubscribe -n 2 env SLURM_JOB_ID=1 SLURM_JOB_END_TIME=$(($(date +%s) + 10)) \
    "$program" -q $vortices $again >out 2>err
  got=$?
  [ $got -eq 85 ] && [ -e t.hdf5.state ] || { complain "vortices on two ranks do not stop, but end with $got"; cat err >&2; }
  grep -q 'stopped before the time limit' err || { complain "vortices stop for another reason"; cat err >&2; }
done
# shellcheck disable=SC2086
{
  expect 2 'kept by 2 ranks that computed together' "$program" -q $vortices --resume
  ranks 2 $vortices --resume >/dev/null 2>err || { complain "vortices on two ranks do not go on"; cat err >&2; }
}
cmp t.hdf5 whole/t.hdf5 >&2 || complain "vortices that were cut differ"
cmp h.csv whole/h.csv >&2 || complain "the history of vortices that were cut differs"

# states at the end of a run are where another one begins: 2 + 3 units of time are 5
short="solve demo-ns2d --set n=32 --set n_traj=2 --set frames=1 --set dt=0.01 --set cfl=0 --set accurate=false"
expect 0 '' "$program" -q $short --set t_skip=2 --last end.state
expect 0 '' "$program" -q $short --set t_skip=3 --from end.state
grep -e '^energy' -e '^enstrophy' out >parts
expect 0 '' "$program" -q $short --set t_skip=5
grep -e '^energy' -e '^enstrophy' out | cmp - parts >&2 || complain "two runs in a row are not one long one"
expect 2 'kept by a run with n=32, not 16' "$program" -q $short --set t_skip=3 --set n=16 --from end.state
expect 2 'no state of trajectory 2' "$program" -q $short --set t_skip=3 --set n_traj=3 --from end.state
exit $failed
