#!/bin/sh
# tests/layers.sh - fails if a folder includes a header of a folder it may not know (docs/architecture.md),
# if anything but hpc/comm.c and the parallel HDF5 files mentions MPI, or if OpenMP is used outside core/parallel.h.
cd "${FC_SOURCE_DIR:-.}" || exit 1
rules="core:core
hpc:core|hpc
io:core|hpc|io
solvers:core|hpc|io|solvers
operators:core|hpc|operators
forecast:core|hpc|forecast
train:core|hpc|io|solvers/solver.h|train|operators/operators.def|forecast/forecast.def
cli:core|hpc|io|solvers/solver.h|solvers/kept.h|solvers/flow_statistics.h|solvers/flow_filter.h|train|cli"
bad=0
for rule in $rules; do
  grep -rnE --include='*.[ch]' '^#include "' "${rule%%:*}" 2>/dev/null |
    grep -vE "\"(${rule#*:})[/\"]" && bad=1
done
grep -rln --include='*.[ch]' '<mpi.h>' core io solvers operators forecast train cli && bad=1
grep -rnE --include='*.[ch]' 'pragma omp|<omp.h>' core hpc io solvers operators forecast train cli |
  grep -v '^core/parallel\.[ch]:' && bad=1
exit $bad
