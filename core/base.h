/* core/base.h - numbers, status codes, errors. Includes nothing of ours. */
#ifndef FC_BASE_H
#define FC_BASE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef FC_DOUBLE /* the test build: same sources, exact gradient checks */
typedef double fc_real;
#define FC_REAL_NAME "double"
#else
typedef float fc_real;
#define FC_REAL_NAME "float"
#endif

/* One list: enumerator, process exit code and text cannot drift apart.
   Everything a user or a file can cause exits with 2. */
#define FC_STATUS_LIST(X)                                                                                    \
  X(FC_OK, 0, "ok")                                                                                          \
  X(FC_E_USAGE, 2, "bad option or configuration")                                                            \
  X(FC_E_INPUT, 2, "a file is missing or not what it should be")                                             \
  X(FC_E_MISMATCH, 2, "weights or data do not fit the model")                                                \
  X(FC_E_SYSTEM, 3, "the system refused: memory, disk or permission")                                        \
  X(FC_E_COMM, 4, "communication failed or another rank failed")                                             \
  X(FC_E_NUMERIC, 5, "a value became infinite or NaN")                                                       \
  X(FC_E_DIFFERS, 1, "a comparison is outside its tolerance")                                                \
  X(FC_STOPPED, 85, "stopped by a signal; a checkpoint was written")
#define FC_STATUS_ENUM(name, code, text) name,
typedef enum { FC_STATUS_LIST(FC_STATUS_ENUM) } fc_status;

int         fc_exit_code(fc_status s);
const char *fc_status_text(fc_status s);

/* Sets the text of the last failure on this thread and returns s: "what, where, what to do", one line. */
fc_status   fc_fail(fc_status s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *fc_error(void); /* "" if nothing failed yet */

/* Programming errors only: prints and aborts. */
_Noreturn void fc_panic(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define FC_TRY(call)                                                                                         \
  do {                                                                                                       \
    fc_status s_ = (call);                                                                                   \
    if (s_ != FC_OK) return s_;                                                                              \
  } while (0)
#define FC_REQUIRE(cond, status, ...)                                                                        \
  do {                                                                                                       \
    if (!(cond)) return fc_fail((status), __VA_ARGS__);                                                      \
  } while (0)
/* for functions that own things: sets s and jumps to the one exit label */
#define FC_TRY_TO(label, s, call)                                                                            \
  do {                                                                                                       \
    if (((s) = (call)) != FC_OK) goto label;                                                                 \
  } while (0)
#define FC_ASSERT(cond, ...)                                                                                 \
  do {                                                                                                       \
    if (!(cond)) fc_panic(__FILE__, __LINE__, __VA_ARGS__);                                                  \
  } while (0)

#define FC_VERSION      "0.1.0"
#define FC_COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static inline int64_t fc_min64(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t fc_max64(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t fc_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
#endif
