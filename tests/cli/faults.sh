#!/bin/sh
# Ranks that are killed, a launcher that is killed, full disks, damaged files, one rank that fails: each time one clear line, an
# exit code that is not 0, the last good checkpoint whole, nothing left over, nobody waiting. Silent when right.
set -u
program=${FC_PROGRAM:?}
command -v mpirun >/dev/null && command -v pgrep >/dev/null || exit 0
# mounts of our own, which are gone with this process however it ends; without root in a name space for users
if [ -z "${FAULTS_INSIDE:-}" ]; then
  [ "$(id -u)" = 0 ] && own=-m || own=-rm
  # shellcheck disable=SC2093
  unshare "$own" true 2>/dev/null && FAULTS_INSIDE=1 exec unshare "$own" sh "$0"
fi
folder=$(mktemp -d)
job=
finish() {
  [ -z "$job" ] || kill "$job" 2>/dev/null
  cd / && { umount "$folder/small" 2>/dev/null; rm -rf "$folder"; }
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
cd "$folder" || exit 1
failed=0
complain() { echo "faults.sh: $*" >&2; [ ! -s log ] || sed 's/^/  /' log >&2; failed=1; }
# LIMIT SECONDS: whatever happens to this script, its jobs end
ranks() { n=$1; shift; timeout -k 5 40 mpirun --allow-run-as-root --oversubscribe -n "$n" "$@"; }
now() { date +%s; }
# CODE TEXT: the job that ended has this code and said this, once
ended() {
  [ "$code" = "$1" ] || complain "$what: exit code $code instead of $1"
  [ "$(grep -c '^fieldcast: ' log)" = 1 ] && grep -q "^fieldcast: .*$2" log || complain "$what: not one line with '$2'"
  [ $(($(now) - began)) -le 30 ] || complain "$what: took $(($(now) - began)) s"
}
attempt() { # WHAT N COMMAND: runs to its end
  what=$1 began=$(now)
  shift
  ranks "$@" >log 2>&1
  code=$?
}
nothing_left() { [ -z "$(find "$1" -name '*.tmp')" ] || complain "$what: $(find "$1" -name '*.tmp') is left"; }

cat >one.sh <<'END_OF_ONE'
# one.sh WORDS -- COMMAND: the second rank gets WORDS as well
words=
while [ "$1" != -- ]; do words="$words $1"; shift; done
shift
[ "$OMPI_COMM_WORLD_RANK" = 1 ] || words=
exec "$@" $words
END_OF_ONE
"$program" -q solve demo-ns2d -o data.hdf5 --set n=32 --set n_traj=5 --set frames=12 --set t_skip=1 >/dev/null ||
  { echo "faults.sh: cannot make data" >&2; exit 1; }
cat >tiny.yaml <<'END_OF_CONFIG'
model: transolver
args: {variant: structured_2d, space_dim: 2, fun_dim: 1, out_dim: 1, n_hidden: 16, n_layers: 2, n_head: 2, slice_num: 6, mlp_ratio: 1}
data: {train: data.hdf5, valid_fraction: 0.2}
train: {steps: 1000000, batch: 4, lr: 1e-3, eval_every: 0, save_every: 10, log_every: 1}
END_OF_CONFIG

# ---- somebody dies ----

# DIR: waits for the second checkpoint, so that there is one before
wait_for_checkpoint() {
  tries=0
  while [ ! -e "$1/checkpoint-prev.h5" ] && [ $tries -lt 600 ]; do sleep 0.05; tries=$((tries + 1)); done
}
# WHAT DIR DOMAIN WHOM: a training whose last rank, or launcher, is killed
kill_one() {
  what=$1
  timeout -k 5 40 mpirun --allow-run-as-root --oversubscribe -n 2 "$program" -q train tiny.yaml --out "$2" --domain "$3" >log 2>&1 &
  job=$!
  wait_for_checkpoint "$2"
  launcher=$(pgrep -P $job) members=$(pgrep -P "$launcher")
  began=$(now)
  case $4 in
  rank) kill -9 "$(echo "$members" | tail -1)" ;;
  launcher) kill -9 "$launcher" ;;
  esac
  wait $job 2>/dev/null
  code=$?
  job=
  # a zombie has ended; who collects it is not our business
  for try in 1 2 3 4 5 6 7 8 9 10 11; do
    alive=
    for p in $members; do
      case $(sed 's/.*) //; s/ .*//' "/proc/$p/stat" 2>/dev/null) in '' | Z) ;; *) alive=$p ;; esac
    done
    [ -n "$alive" ] || break
    [ $try = 11 ] && complain "$what: rank $alive goes on" && kill -9 "$alive"
    sleep 1
  done
}
# DIR: twenty steps more than were logged; each step is in the log once
goes_on() {
  steps=$(($(tail -2 "$1/log.csv" | head -1 | cut -d, -f1) + 20))
  attempt "$what, resumed" 2 "$program" -q train tiny.yaml --out "$1" --resume --set train.steps=$steps
  [ $code = 0 ] && [ "$(tail -1 "$1/log.csv" | cut -d, -f1)" = $steps ] && [ "$(wc -l <"$1/log.csv")" = $((steps + 1)) ] ||
    complain "$what: does not reach step $steps"
  nothing_left "$1"
}

for domain in 1 2; do
  kill_one "a rank killed, domain $domain" "rank$domain" $domain rank
  ended 137 "rank 1 .* has died.*rank$domain/checkpoint.h5 of step [0-9]*0 is complete, --resume"
  goes_on rank$domain
done
kill_one "the launcher killed" launcher 1 launcher
[ $code = 137 ] || complain "$what: exit code $code"
# standard error went with it
[ "$(grep -c 'mpirun, which started the ranks, has died.*--resume' launcher/lost.txt)" = 1 ] || complain "$what: no word in lost.txt"
goes_on launcher
[ ! -e launcher/lost.txt ] || complain "$what: lost.txt stays"

# ---- damaged files ----

"$program" -q train tiny.yaml --out good --set train.steps=20 || complain "cannot train"
bytes=$(stat -c %s good/checkpoint.h5)
damage() { rm -rf bad; cp -r good bad; }
for cut in 0 100 $((bytes / 2)) $((bytes - 1)); do
  damage && truncate -s "$cut" bad/checkpoint.h5
  "$program" -q train tiny.yaml --out bad --resume --set train.steps=21 >log 2>&1 || complain "cut to $cut bytes: does not go on"
  grep -q "resuming from bad/checkpoint-prev.h5" log || complain "cut to $cut bytes: not noticed"
done
for at in 3000 $((bytes / 3)) $((bytes / 2)) $((bytes - 200)); do
  damage && printf 'UU' | dd of=bad/checkpoint.h5 bs=1 seek=$at conv=notrunc 2>/dev/null
  "$program" -q train tiny.yaml --out bad --resume --set train.steps=21 >log 2>&1 || complain "byte $at: does not go on"
  grep -q "add up.*resuming from bad/checkpoint-prev.h5" log || complain "byte $at flipped: not noticed"
done
damage && truncate -s 5000 bad/checkpoint.h5 && rm bad/checkpoint-prev.h5
attempt "no good checkpoint" 2 "$program" -q train tiny.yaml --out bad --resume
ended 2 "bad/checkpoint.h5: truncated or damaged"

# ---- one rank fails, the other does not ----

head -c 100000 data.hdf5 >cut.hdf5
for domain in 1 2; do
  attempt "one rank with a damaged file, domain $domain" 2 sh one.sh --set data.train=cut.hdf5 -- "$program" -q train tiny.yaml --out x --domain $domain
  ended 2 "cut.hdf5: .*truncated or damaged"
done
attempt "ranks with other models" 2 sh one.sh --set args.n_hidden=32 -- "$program" -q train tiny.yaml --out x
ended 2 "the ranks do not agree.*weights"
attempt "one rank does not know an option" 2 sh one.sh --bogus -- "$program" -q train tiny.yaml --out x --set train.steps=5
ended 2 "unknown option '--bogus'"
attempt "both ranks cannot find the file" 2 "$program" -q train missing.yaml --out x
ended 2 "missing.yaml: cannot open"
grep -q MPI_ABORT log && complain "$what: MPI_ABORT's banner"
attempt "one rank resumes elsewhere" 2 sh one.sh --out elsewhere -- "$program" -q train tiny.yaml --out good --resume --set train.steps=30
ended 2 "every node must see the same folder"
# several ranks write numbers as they are, so a frame can be made too large to be squared; only the second rank's file is
ranks 2 "$program" -q rollout good -d data.hdf5 -o plain.hdf5 --steps 12 >log 2>&1 || complain "no rollout"
cp plain.hdf5 huge.hdf5
i=0
while [ $i -lt 1024 ]; do printf '\377\377\177\177'; i=$((i + 1)); done >frame
dd if=frame of=huge.hdf5 bs=4096 seek=$(($(stat -c %s plain.hdf5) / 8192)) conv=notrunc 2>/dev/null
"$program" -q train tiny.yaml --out nan --set data.train=plain.hdf5 --set train.steps=5 --set train.save_every=1 || complain "cannot train"
attempt "one rank computes NaN" 2 sh one.sh --set data.train=huge.hdf5 -- "$program" -q train tiny.yaml --out nan --resume --set data.train=plain.hdf5
ended 5 "the loss became .* at step [0-9]*; the weights of the last checkpoint are kept"
goes_on nan

# ---- full disks ----

mkdir small
if ! mount -t tmpfs -o size=1500k tmpfs small 2>/dev/null; then
  echo "faults.sh: full disks are not tried: this user cannot mount a tmpfs"
  exit $failed
fi
# leaves 40 kB: enough for the configuration, not for a checkpoint
fill() { dd if=/dev/zero of=small/fill bs=1k count=$(($(df -k --output=avail small | tail -1) - 40)) 2>/dev/null; }
"$program" -q train tiny.yaml --out small/run --set train.steps=10 || complain "cannot train on the small disk"
fill
attempt "no room for a checkpoint" 2 "$program" -q train tiny.yaml --out small/run --resume --domain 2
ended 3 "small/run/checkpoint.h5: writing failed.*--resume goes on"
nothing_left small
rm small/fill
goes_on small/run
rm -rf small/*
"$program" -q train tiny.yaml --out small/run --set train.steps=10 || complain "cannot train on the small disk"
fill
attempt "no room for the log" 2 "$program" -q train tiny.yaml --out small/run --resume --set train.save_every=0 --set train.save_minutes=0
ended 3 "small/run/log.csv.*--resume goes on"
rm small/fill
goes_on small/run
rm -rf small/*
for domain in 1 2; do
  attempt "no room for a rollout, domain $domain" 2 "$program" -q rollout good -d data.hdf5 -o small/out.hdf5 --steps 100 --domain $domain
  ended 3 "small/out.hdf5.*No space left"
  [ -z "$(ls small)" ] || complain "$what: leaves $(ls small)"
done
exit $failed
