#!/bin/sh
# fieldcast solve on several ranks: trajectories are divided, and the file is the one that one process writes, byte for byte;
# a rank that fails ends all. Silent when right.
. tests/cli/helpers

# in RANKS ARGUMENTS...: 'solve ARGUMENTS' in a folder of its own, since files know the command that made them
in_folder() {
  n=$1
  shift
  mkdir -p "on$n"
  (cd "on$n" && if [ "$n" = 1 ]; then "$program" -q solve "$@"; else ranks "$n" solve "$@"; fi) >"said$n" 2>err ||
    { complain "'solve $*' on $n ranks fails"; cat err >&2; }
}
like_one() { # FILE RANKS: ranks that had the same file
  cmp "on1/$1" "on$2/$1" >&2 || complain "$1 of $2 ranks differs from that of one"
}

flow="demo-ns2d --set n=16 --set frames=4 --set t_skip=0.1 --set frame_dt=0.1"
# shellcheck disable=SC2086 # words
for n in 1 2 3; do
  in_folder $n $flow --set n_traj=5 -o x.hdf5
  grep -v '^wall' "said$n" >"flow$n"
  in_folder $n fno-burgers-r10 --set n=64 --set n_traj=4 -o b.hdf5
  in_folder $n $flow --split train=3,test=2 -o set
  in_folder $n $flow --set n_traj=3
  grep -v '^wall' "said$n" >"measured$n"
done
for n in 2 3; do
  like_one x.hdf5 $n
  like_one x.xmf $n
  like_one b.hdf5 $n
  like_one set/data/train/demo-ns2d.hdf5 $n
  like_one set/data/test/demo-ns2d.hdf5 $n
  cmp flow1 flow$n >&2 || complain "$n ranks sum up otherwise"
  cmp measured1 measured$n >&2 || complain "$n ranks measure otherwise"
done
[ "$(grep -c '^energy' measured1)" = 3 ] || complain "not every trajectory is measured"
# steady: one process compresses, so ranks are compared with each other
for n in 2 3; do in_folder $n fno-darcy-85 --set n=21 --set n_traj=3 -o d.hdf5; done
cmp on2/d.hdf5 on3/d.hdf5 >&2 || complain "two and three ranks write different coefficients or solutions"
[ -z "$(find . -name '*.tmp' -o -name '*.state')" ] || complain "left behind: $(find . -name '*.tmp' -o -name '*.state')"

# all ranks together: the same numbers but for rounding, which ten digits do not show after ten steps
for n in 1 2 3; do
  in_folder $n tgv --set n=16 --set dt=0.01 --set t_end=0.1
  awk '/^(energy|enstrophy|dissipation) / { printf "%s %.10g\n", $1, $2 }' "said$n" >"vortices$n"
  cmp vortices1 vortices$n >&2 || complain "vortices on $n ranks differ from those on one"
done
[ "$(grep -c . vortices1)" = 3 ] || complain "vortices are not measured"

# CODE TEXT RANKS ARGUMENTS...: one line of ours, and no file
refused() {
  code=$1 text=$2 n=$3
  shift 3
  timeout -k 5 60 mpirun --allow-run-as-root --oversubscribe -n "$n" "$program" -q solve "$@" >out 2>err
  got=$?
  [ $got -eq "$code" ] || complain "'solve $*' exits with $got, not $code"
  [ "$(grep -c '^fieldcast: ' err)" = 1 ] && grep -q "^fieldcast: .*$text" err ||
    { complain "'solve $*': not one line with '$text'"; cat err >&2; }
  [ -z "$(find . -name 'no*')" ] || complain "'solve $*' leaves $(find . -name 'no*')"
}
# shellcheck disable=SC2086
{
  refused 2 '3 ranks for 2 trajectories' 3 $flow --set n_traj=2 -o no.hdf5
  refused 3 'cannot' 2 $flow --set n_traj=2 -o nowhere/x.hdf5
}
# the first trajectory blows up near t = 3, the second near t = 9, when the first rank has long failed
refused 5 'trajectory 0 became infinite' 2 spectral_2d --set n=32 --set nu=1e-4 --set scheme=euler_cn --set dt=0.02 \
  --set n_traj=2 --set frame_dt=7 --set frames=2 -o no.hdf5
exit $failed
