/* io/trial.c */
#include "io/trial.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LEAST_SECONDS = 5, BYTES_A_SECOND = 1000000 };

typedef struct { /* what the child sends; shorter than what a pipe takes at once */
  fc_status status;
  int       answer;
  char      message[1024];
} verdict;

int64_t fc_trial_seconds(const char *path) {
  struct stat st;

  return LEAST_SECONDS + (stat(path, &st) ? 0 : st.st_size / BYTES_A_SECOND);
}

/* processor time, not time of day: a busy machine makes no file bad */
static void limit_time(int64_t seconds) {
  const struct rlimit limit = {(rlim_t)seconds, (rlim_t)seconds + 1}, none = {0, 0};

  signal(SIGXCPU, SIG_DFL);
  setrlimit(RLIMIT_CPU, &limit);
  setrlimit(RLIMIT_CORE, &none);
}

static _Noreturn void child(int64_t seconds, fc_trial_work *work, void *user, int end) {
  verdict v = {0};

  /* handlers of the program are not for the child: a crash ends it */
  static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
  for (int k = 0; k < FC_COUNT(crashes); k++) signal(crashes[k], SIG_DFL);
  limit_time(seconds);
  v.status = work(user, &v.answer);
  if (v.status != FC_OK) snprintf(v.message, sizeof v.message, "%s", fc_error());
  _exit(write(end, &v, sizeof v) == (ssize_t)sizeof v ? 0 : 1);
}

static fc_status judge(const char *path, int64_t seconds, int status, bool complete, const verdict *v,
                       int *answer) {
  FC_REQUIRE(!WIFSIGNALED(status) || (WTERMSIG(status) != SIGXCPU && WTERMSIG(status) != SIGKILL), FC_E_INPUT,
             "%s: reading it took more than %lld s of processor time; the file is damaged", path,
             (long long)seconds);
  FC_REQUIRE(!WIFSIGNALED(status), FC_E_INPUT, "%s: reading it crashed (%s); the file is damaged", path,
             strsignal(WTERMSIG(status)));
  FC_REQUIRE(complete, FC_E_INPUT, "%s: reading it ended without a word; the file is damaged", path);
  if (answer) *answer = v->answer;
  return v->status == FC_OK ? FC_OK : fc_fail(v->status, "%s", v->message);
}

fc_status fc_trial(const char *path, int64_t seconds, fc_trial_work *work, void *user, int *answer) {
  verdict v = {0};
  int     ends[2], status = 0;
  size_t  n = 0;

  FC_REQUIRE(!pipe(ends), FC_E_SYSTEM, "no pipe: %s", strerror(errno));
  fflush(stdout);
  fflush(stderr);
  const pid_t pid = fork();
  if (pid == 0) child(seconds, work, user, ends[1]);
  close(ends[1]);
  for (ssize_t k = 1; pid > 0 && k != 0 && n<sizeof v; n += k> 0 ? (size_t)k : 0) {
    k = read(ends[0], (char *)&v + n, sizeof v - n);
    if (k < 0 && errno != EINTR) break;
  }
  close(ends[0]);
  FC_REQUIRE(pid > 0, FC_E_SYSTEM, "no child process: %s", strerror(errno));
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  return judge(path, seconds, status, n == sizeof v, &v, answer);
}
