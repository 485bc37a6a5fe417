#!/bin/sh
# tests/every_op_is_tested.sh - every constructor declared in core/ops.h must be called in some tests/core/op_*.c.
cd "${FC_SOURCE_DIR:-.}" || exit 1
bad=0
for op in $(sed -n 's/^fc_tensor \*\(fc_[a-z0-9_]*\)(fc_ctx.*/\1/p' core/ops.h); do
  cat tests/core/op_*.c | grep -q "$op(" || { echo "$op has no test in tests/core"; bad=1; }
done
exit $bad
