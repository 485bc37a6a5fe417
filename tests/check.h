/* tests/check.h - the few helpers all tests share. A test file defines its cases as
   static void functions and ends with CHECK_SUITE(name, case, case, ...). Silent when right. */
#ifndef FC_CHECK_H
#define FC_CHECK_H
#include "core/ops.h"
#include "core/parallel.h"
#include "core/rng.h"

#include <CUnit/CUnit.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*check_case)(void);
int check_run(const char *suite, int n, const check_case *cases, const char *names);

#define CHECK_SUITE(name, ...)                                                                               \
  int main(void) {                                                                                           \
    static const check_case cases[] = {__VA_ARGS__};                                                         \
    return check_run(#name, (int)(sizeof cases / sizeof cases[0]), cases, #__VA_ARGS__);                     \
  }

/* One-line failures with values; the test goes on. */
#define CHECK(cond)           check_true((cond), #cond, __FILE__, __LINE__)
#define CHECK_OK(call)        check_ok((call), #call, __FILE__, __LINE__)
#define CHECK_NEAR(a, b, tol) check_near((double)(a), (double)(b), (tol), #a, __FILE__, __LINE__)
/* the call must fail with this status and the message must contain the text */
#define CHECK_FAILS(call, status, text) check_fails((call), (status), (text), #call, __FILE__, __LINE__)
void check_true(bool ok, const char *what, const char *file, int line);
void check_ok(fc_status s, const char *what, const char *file, int line);
void check_near(double a, double b, double tol, const char *what, const char *file, int line);
void check_fails(fc_status s, fc_status want, const char *text, const char *what, const char *file, int line);

/* a context that lives until the program ends; every call starts it afresh */
fc_ctx *check_ctx(void);
/* normal numbers, exactly representable in float, the same in every build */
fc_tensor *check_random(fc_ctx *c, int ndim, const int64_t *dim);
/* max |a - b| / max |b| */
double check_distance(const fc_tensor *a, const fc_tensor *b);

/* a folder for scratch files, made afresh, removed at the end; and a path in it (valid for 8 calls) */
const char *check_path(const char *name);

/* ---- one call tests a differentiable op ---- */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* what a check_in leaves out is false */
typedef struct check_in {
  int     ndim;
  int64_t dim[FC_MAX_DIMS];
  bool    fixed;    /* takes no gradient (positions, targets) */
  bool    positive; /* |normal| + 0.5 */
} check_in;
typedef fc_tensor *(*check_fn)(fc_ctx *c, fc_tensor **in);

/* In the double build: for each input <v, J u> by a five-point difference equals <J^T v, u> to tol (1e-8 if
   0); gradients accumulate; forward and gradients have the same bits with 1, 2 and 3 threads; a recomputed
   block gives the same gradients; nothing is recorded when nothing needs a gradient; and the plan of a dry
   run covers what a real run takes, but for a little scratch in backward. Writes outputs and gradients for
   the float build, which compares with them to float_tol (2e-5 if 0) relative to the largest value. */
void check_op(const char *name, check_fn fn, int n_in, const check_in *in, double tol, double float_tol);
#define CHECK_INS(...)                                                                                       \
  (int)(sizeof((check_in[]){__VA_ARGS__}) / sizeof(check_in)), (check_in[]) { __VA_ARGS__ }
#endif
