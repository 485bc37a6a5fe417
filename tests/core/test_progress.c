/* tests/core/test_progress.c - what is printed is read back from a file put in the place of stderr. */
#include "core/progress.h"
#include "tests/check.h"

#include <fcntl.h>
#include <unistd.h>

static int  kept = -1;
static char said[4000];

static void capture(void) {
  const int fd = open(check_path("stderr"), O_RDWR | O_CREAT | O_TRUNC, 0600);

  kept = dup(STDERR_FILENO);
  dup2(fd, STDERR_FILENO);
  close(fd);
}

static const char *captured(void) {
  const ssize_t n = pread(STDERR_FILENO, said, sizeof said - 1, 0);

  said[n > 0 ? n : 0] = 0;
  dup2(kept, STDERR_FILENO);
  close(kept);
  return said;
}

static int lines(const char *s) {
  int n = 0;
  for (; *s; s++) n += *s == '\n';
  return n;
}

static void clock_moves_forward(void) {
  const double a = fc_now(), b = fc_now();
  CHECK(b >= a && a > 0);
}

/* a fast run: one line at the start, one at the end, nothing between */
static void plain_and_quick(void) {
  fc_progress p;

  unsetenv("FIELDCAST_PROGRESS_SECONDS");
  capture();
  fc_progress_start(&p, "solve", "frame", 0, 50, false);
  for (int i = 1; i <= 50; i++) fc_progress_update(&p, i, "never seen");
  fc_progress_end(&p, "energy 1.5");
  const char *s = captured();
  CHECK(lines(s) == 2 && !strchr(s, '\r') && !strchr(s, 033));
  CHECK(strstr(s, "solve: started\nsolve: 50 frames in 0:00:00, ") && strstr(s, " frames/s, energy 1.5\n"));
}

/* the clock is set back by changing what the object remembers */
static void plain_lines_when_due(void) {
  fc_progress p;

  capture();
  fc_progress_start(&p, "train", "step", 100, 1100, false);
  p.started -= 3600, p.shown -= 9; /* 9 s since the last line: not yet */
  const bool early = fc_progress_due(&p);
  p.shown -= 2;
  const bool now = fc_progress_due(&p);
  fc_progress_update(&p, 600, "loss 1.0e-02"); /* 500 steps an hour: 500 more take an hour */
  p.shown -= 59; /* 1 % of two hours is more than a minute; a minute is the most */
  fc_progress_update(&p, 601, NULL);
  p.shown -= 2;
  fc_progress_update(&p, 1100, "");
  fc_progress_end(&p, "");
  const char *s = captured();
  CHECK(!early && now && lines(s) == 4);
  CHECK(strstr(s, "train: goes on from step 100 of 1100\n"));
  CHECK(strstr(s, "train: 54 %, step 600 of 1100, 7.2 s/step, 1:00:00 left, loss 1.0e-02\n"));
  CHECK(strstr(s, "train: 100 %, step 1100 of 1100, 3.6 s/step, 0:00:00 left\n"));
  CHECK(strstr(s, "train: 1000 steps in 1:00:00, 3.6 s/step\n"));
}

static void interval_from_the_environment(void) {
  fc_progress p;

  setenv("FIELDCAST_PROGRESS_SECONDS", "0", 1);
  capture();
  fc_progress_start(&p, "a", "step", 0, 3, false);
  for (int i = 1; i <= 3; i++) fc_progress_update(&p, i, NULL);
  const char *s = captured();
  CHECK(lines(s) == 4 && strstr(s, "a: 33 %, step 1 of 3, "));
  setenv("FIELDCAST_PROGRESS_SECONDS", "5", 1);
  capture();
  fc_progress_start(&p, "a", "step", 0, 3, false);
  p.shown -= 4.5;
  const bool early = fc_progress_due(&p);
  p.shown -= 1;
  CHECK(!early && fc_progress_due(&p));
  captured();
  setenv("FIELDCAST_PROGRESS_SECONDS", "often", 1); /* not a number: as if unset */
  capture();
  fc_progress_start(&p, "a", "step", 0, 3, false);
  captured();
  CHECK(p.interval < 0);
  unsetenv("FIELDCAST_PROGRESS_SECONDS");
}

/* a pseudo-terminal in the place of stderr: one line that moves, at most five times a second */
static void terminal(void) {
  const int   master = posix_openpt(O_RDWR | O_NOCTTY);
  char        s[8000];
  fc_progress p;

  if (master < 0 || grantpt(master) || unlockpt(master)) return;
  const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  if (slave < 0) return;
  kept = dup(STDERR_FILENO);
  dup2(slave, STDERR_FILENO);
  fc_progress_start(&p, "rollout", "frame", 0, 1000, false);
  const bool is_terminal = p.terminal;
  p.shown += 100; /* however slow the machine is */
  for (int i = 1; i < 500; i++) fc_progress_update(&p, i, "too early");
  p.started -= 10000, p.shown -= 101;
  fc_progress_update(&p, 500, "error 3 %");
  fc_progress_end(&p, NULL);
  dup2(kept, STDERR_FILENO);
  close(kept);
  size_t n = 0;
  while (n < sizeof s - 1 &&
         (n == 0 || s[n - 1] != '\n')) { /* the kernel hands terminals' text on in pieces */
    const ssize_t got = read(master, s + n, sizeof s - 1 - n);
    if (got <= 0) break;
    n += (size_t)got;
  }
  s[n] = 0;
  close(slave);
  close(master);
  CHECK(is_terminal && lines(s) == 1 && !strstr(s, "too early"));
  CHECK(strstr(s, "\rrollout [........................]   0 %  0/1000  -  -:--:-- left\033[K"));
  CHECK(strstr(
      s, "\rrollout [############............]  50 %  500/1000  20 s/frame  2:46:40 left  error 3 %\033[K"));
  CHECK(strstr(s, "\r\033[Krollout: stopped at frame 500 of 1000 after 2:46:40"));
}

static void quiet_is_silent(void) {
  fc_progress p;

  setenv("FIELDCAST_PROGRESS_SECONDS", "0", 1);
  capture();
  fc_progress_start(&p, "train", "step", 0, 2, true);
  fc_progress_update(&p, 1, "x");
  fc_progress_end(&p, "x");
  CHECK(!strcmp(captured(), ""));
  unsetenv("FIELDCAST_PROGRESS_SECONDS");
}

/* an unknown or wrong total must not divide by zero or overflow the bar */
static void odd_totals(void) {
  static const int64_t done[] = {0, 5, INT64_MAX}, total[] = {0, 1, -3};
  fc_progress          p;

  setenv("FIELDCAST_PROGRESS_SECONDS", "0", 1);
  for (int i = 0; i < 9; i++) {
    capture();
    fc_progress_start(&p, "x", "step", 0, total[i / 3], false);
    p.terminal = i % 2;
    fc_progress_update(&p, done[i % 3], NULL);
    fc_progress_end(&p, NULL);
    CHECK(strstr(captured(), "x") != NULL && strlen(said) < 400);
  }
  unsetenv("FIELDCAST_PROGRESS_SECONDS");
}

CHECK_SUITE(progress, clock_moves_forward, plain_and_quick, plain_lines_when_due,
            interval_from_the_environment, terminal, quiet_is_silent, odd_totals)
