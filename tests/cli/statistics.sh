#!/bin/sh
# tests/cli/statistics.sh - fieldcast statistics and filter on real solver output: what they print and write, files
# of statistics as input and reference, published tables, pictures, wrong calls.
. "${FC_SOURCE_DIR:-.}/tests/cli/helpers"

"$program" -q solve channel -o flow.h5 --set nx=8 --set ny=16 --set nz=8 --set mean=reichardt --set nu=1e-3 \
  --set t_skip=1 --set frame_dt=0.5 --set frames=12 --set cfl=0.8 --set dt=0.1 >/dev/null || complain 'no channel'
"$program" -q solve tgv -o box.h5 --set n=16 --set t_end=0.2 >/dev/null || complain 'no Taylor-Green vortices'

# a channel: bulk velocity and viscosity are those of the solver; what was filtered is said
expect 0 '' "$program" -q statistics flow.h5 -o flow-s.h5
say '^channel, 12 frames, time 1 to 6.5, 12 batches'
say 'Re_tau'
say '^ *y_plus .*mean_u_plus'
say 'written to flow-s.h5'
expect 0 '' "$program" info flow-s.h5
say 'fieldcast statistics (channel)'
expect 0 '' "$program" -q filter flow.h5 -o coarse.h5 --set nx=4 --set ny=9 --set nz=4 --set frame_stride=2
say 'x: sharp Fourier cut-off, modes below 2, 8 to 4 points; y: every 2. point, 17 to 9 points'
say '1 trajectories of 6 frames, 4 x 9 x 4 points'
expect 0 '' "$program" -q statistics coarse.h5 -o coarse-s.h5 --reference flow-s.h5
say '^filter: x: sharp'
say '^ *mean_u  *y '
expect 0 '' "$program" -q filter flow.h5 -o free.h5 --set project=true
say 'rms of the divergence.* after'

# statistics against themselves: nothing differs; fields as a reference are treated alike
expect 0 '' "$program" -q statistics flow-s.h5 --reference flow.h5
say ' tie$'
grep -q 'differs$' out && complain 'a flow differs from itself'
expect 0 '' "$program" -q statistics flow-s.h5 -o again.h5 --from 1

expect 0 '' "$program" -q statistics coarse-s.h5 --reference flow-s.h5 --errors errors.csv
grep -q '^flow-s.h5,mean_u,y,5,[0-9.e-]*,[0-9.e-]*,[0-9.e-]*,[a-z]*$' errors.csv || complain 'no mean_u in errors.csv'
expect 2 'no --reference' "$program" -q statistics coarse-s.h5 --errors errors.csv

# a table whose columns are named
"$program" -q statistics flow-s.h5 | awk '/y_plus/ { on = 1; next } on && NF { print $1, $2 }' >profile.txt
expect 0 '' "$program" -q statistics flow-s.h5 --reference profile.txt --columns y_plus=1,mean_u_plus=2
say 'against profile.txt'
say 'mean_u_plus  *y_plus  *[89]  *0\.0'

# a box, and histories
expect 0 '' "$program" -q statistics box.h5 -o box-s.h5
say '^isotropic'
say 'energy  *0.124'
say 'enstrophy  *0.37'

"$program" plot flow-s.h5 coarse-s.h5 -o two.png >/dev/null || complain 'no picture of two'
picture two.png
"$program" plot box-s.h5 -o box.png --channel E --channel energy_t >/dev/null || complain 'no picture of a box'
picture box.png

# wrong calls
expect 2 'no frame between' "$program" -q statistics flow.h5 --from 100
expect 2 'later than' "$program" -q statistics flow.h5 --from 3 --to 2
expect 2 'KEY=VALUE' "$program" -q statistics flow.h5 --set halves
expect 2 'did you mean .* halves\|halve' "$program" -q statistics flow.h5 --set halve=true
expect 2 'absent.h5' "$program" -q statistics absent.h5
expect 2 'no quantity in common' "$program" -q statistics flow-s.h5 --reference box-s.h5
expect 2 'once for each' "$program" -q statistics flow-s.h5 --columns y=1,u=2
expect 2 'there is no column 3' "$program" -q statistics flow-s.h5 --reference profile.txt --columns y_plus=1,mean_u_plus=3
expect 3 'cannot write' "$program" -q statistics flow-s.h5 -o missing/s.h5
expect 2 'says where' "$program" -q filter flow.h5
expect 2 'cannot make 32' "$program" -q filter flow.h5 -o no.h5 --set nx=32
expect 2 'no Fourier modes' "$program" -q filter flow.h5 -o no.h5 --set ny=9 --set filter_y=cutoff
expect 2 'only files of statistics are drawn together' "$program" plot flow.h5 flow-s.h5
expect 2 "did you mean 'mean_u'" "$program" plot flow-s.h5 --channel mean_uu -o no.png
ls no.* 2>/dev/null && complain 'a wrong call leaves a file'
exit $failed
