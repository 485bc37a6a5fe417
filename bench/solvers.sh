#!/bin/sh
# Flow solvers on 1 and 2 ranks of one thread each: time per grid point and step, beside FFTW's own for the same
# transforms and beside other codes. Wants a quiet machine.
# usage: bench/solvers.sh [BUILD] [WORD]      WORD: only cases whose name contains it
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:-$here/../build}" && pwd)
word=${2:-}
cores=$(env -u OMP_NUM_THREADS nproc)
out=$here/results/solvers.txt
export OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mkdir -p "$here/results"

printf '%-40s %5s %9s %9s %9s %7s\n' 'microseconds per point and step' ranks processor wall FFTW ratio
: > "$out"
for ranks in 1 2; do
  [ "$ranks" -le "$cores" ] || continue
  mpirun --oversubscribe --bind-to core -n $ranks "$build/bench/bench_solvers" $word | tee -a "$out"
done
awk '{ name = substr($0, 1, 40); $0 = substr($0, 41) } $1 == 1 { one[name] = $3; ratio[name] = $5 }
  $1 == 2 && one[name] { printf "%s two ranks %.2f times as fast%s\n", name, one[name] / $3, ratio[name] > 2 ? "; MORE THAN TWICE THE BARE TRANSFORMS" : "" }' "$out"
cat << 'END'

Other codes, measured on a 2-core EPYC Zen 4, microseconds per point and step of three Runge-Kutta stages (wall, idle):
case                                     code                                           1 rank  2 ranks
Taylor-Green 64^3                        CaNS, second-order differences                 0.18    0.10
                                         Xcompact3d, sixth-order compact differences    1.09    0.56
channel 128 x 128 x 64                   CaNS                                           0.20    0.11
                                         CaLES, dynamic Smagorinsky                     0.70    0.35
channel 128 x 129 x 64                   channelflow, spectral, one rate a step         0.50    -
                                         Xcompact3d                                     1.64    0.81
LES 32 x 33 x 16                         CaLES, dynamic Smagorinsky                     0.51    0.31
                                         Xcompact3d, its dynamic model                  4.5     3.3
END
