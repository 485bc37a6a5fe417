#!/bin/sh
# tests/cli/plot.sh - fieldcast plot: pictures of fields, spectra and logs; exit codes; nothing half-written.
set -u
program=${FC_PROGRAM:-build/fieldcast}
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
bad=0
fail() { echo "plot.sh: $*" >&2; bad=1; }

# expect CODE TEXT ARGUMENTS...: the exit code, and TEXT somewhere in the output
expect() {
  code=$1 text=$2
  shift 2
  "$program" plot "$@" > "$folder/out" 2>&1
  got=$?
  [ $got = "$code" ] || fail "'$*' exits with $got instead of $code: $(tail -1 "$folder/out")"
  grep -qF -- "$text" "$folder/out" || fail "'$*' does not say '$text' but: $(tail -1 "$folder/out")"
}
# a PNG of plausible size; removed afterwards
picture() {
  [ "$(head -c 4 "$1" 2>/dev/null | tail -c 3)" = PNG ] || fail "$1 is no PNG"
  [ "$(wc -c < "$1")" -gt 2000 ] || fail "$1 is too small for a picture"
  rm -f "$1"
}

data=$folder/flow.hdf5 png=$folder/a.png
"$program" -q solve demo-ns2d -o "$data" --set n=16 --set t_skip=0.1 --set frame_dt=0.1 --set frames=4 --set n_traj=2 \
  > /dev/null 2>&1 || fail 'no data to draw'

expect 0 "$png" "$data" -o "$png"
picture "$png"
expect 0 "$png" "$data" -o "$png" --trajectory 1 --frames 0,3 --channel vorticity
picture "$png"
expect 0 "$png" "$data" -o "$png" --kind spectrum
picture "$png"
name=$PWD
cd "$folder" || exit 1
case $program in /*) ;; *) program=$name/$program ;; esac
expect 0 'flow-field.png' "$data"
picture "$folder/flow-field.png"

mkdir "$folder/run"
cat > "$folder/run/log.csv" <<END
step,loss,lr,valid_vrmse
10,1.5,1e-3,
20,0.8,9e-4,0.9
30,0.4,5e-4,
END
expect 0 'run-loss.png' "$folder/run"
picture "$folder/run-loss.png"
expect 0 "$png" "$folder/run/log.csv" -o "$png" --channel lr --channel loss
picture "$png"

expect 2 "did you mean 'vorticity'" "$data" -o "$png" --channel vorticiti
expect 2 'frames 0 to 3, not 4' "$data" -o "$png" --frames 0,4
expect 2 'with commas between' "$data" -o "$png" --frames 0,x
expect 2 'with commas between' "$data" -o "$png" --frames 0,
expect 2 'trajectories 0 to 1' "$data" -o "$png" --trajectory 2
expect 2 'kinds field, points, spectrum, series, statistics and loss' "$data" -o "$png" --kind pie
expect 2 'absent.hdf5' "$folder/absent.hdf5" -o "$png"
expect 2 'plot wants' -o "$png"
printf '1,2\n3,4\n' > "$folder/bare.csv"
expect 2 'no header' "$folder/bare.csv" -o "$png"
printf 'step,loss\n' > "$folder/young.csv"
expect 2 'no line of numbers yet' "$folder/young.csv" -o "$png"
: > "$folder/empty.csv"
expect 2 'is empty' "$folder/empty.csv" -o "$png"
expect 3 'missing' "$data" -o "$folder/missing/a.png"
left=$(ls "$folder" | grep png)
[ -z "$left" ] || fail "a wrong call leaves $left behind"
exit $bad
