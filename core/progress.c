/* core/progress.c */
#include "core/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 400, BAR = 24, SHORT = 40 };

double fc_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- parts of a line ---- */

static double fraction(const fc_progress *p) {
  const double f = p->total > 0 ? (double)p->done / (double)p->total : 0;
  return f < 0 ? 0 : f > 1 ? 1 : f;
}

/* units per second of this run; 0 if not known yet */
static double rate(const fc_progress *p) {
  const double seconds = fc_now() - p->started;
  return p->done > p->first && seconds > 0 ? (double)(p->done - p->first) / seconds : 0;
}

static const char *clock_text(double seconds, char buf[SHORT]) {
  const long long s = llround(fmin(fmax(seconds, 0), 1e12));
  snprintf(buf, SHORT, "%lld:%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
  return buf;
}

static const char *rate_text(const fc_progress *p, char buf[SHORT]) {
  const double r = rate(p);

  if (r == 0)
    snprintf(buf, SHORT, "-");
  else if (r >= 1)
    snprintf(buf, SHORT, "%.3g %.12ss/s", r, p->unit);
  else
    snprintf(buf, SHORT, "%.3g s/%.12s", 1 / r, p->unit);
  return buf;
}

static const char *left_text(const fc_progress *p, char buf[SHORT]) {
  const double r = rate(p);

  if (r > 0) return clock_text(((double)p->total - (double)p->done) / r, buf);
  snprintf(buf, SHORT, "-:--:--");
  return buf;
}

/* ---- lines ---- */

static void moving_line(const fc_progress *p, const char *note) {
  char           line[LINE], bar[BAR + 1], speed[SHORT], left[SHORT];
  const int      full = (int)(fraction(p) * BAR);
  struct winsize w;

  for (int i = 0; i < BAR; i++) bar[i] = i < full ? '#' : '.';
  bar[BAR] = 0;
  snprintf(line, sizeof line, "%s [%s] %3d %%  %lld/%lld  %s  %s left%s%s", p->what, bar,
           (int)(100 * fraction(p)), (long long)p->done, (long long)p->total, rate_text(p, speed),
           left_text(p, left), note ? "  " : "", note ? note : "");
  /* a wrapped line could not be overwritten */
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 && strlen(line) >= w.ws_col)
    line[w.ws_col - 1] = 0;
  fprintf(stderr, "\r%s\033[K", line);
}

static void plain_line(const fc_progress *p, const char *note) {
  char speed[SHORT], left[SHORT];

  fprintf(stderr, "%s: %d %%, %s %lld of %lld, %s, %s left%s%s\n", p->what, (int)(100 * fraction(p)), p->unit,
          (long long)p->done, (long long)p->total, rate_text(p, speed), left_text(p, left), note ? ", " : "",
          note ? note : "");
}

static const char *some(const char *note) { return note && *note ? note : NULL; }

static void show(fc_progress *p, const char *note) {
  if (p->terminal)
    moving_line(p, some(note));
  else
    plain_line(p, some(note));
  p->shown = fc_now();
}

/* ---- public ---- */

/* FIELDCAST_PROGRESS_SECONDS if it is a number */
static double chosen_interval(bool terminal) {
  const char  *text   = getenv("FIELDCAST_PROGRESS_SECONDS");
  char        *end    = NULL;
  const double second = text ? strtod(text, &end) : 0;

  if (text && end != text && !*end && second >= 0) return second;
  return terminal ? 0.2 : -1;
}

/* Long runs need fewer lines: 1 % of the expected time, within limits. */
static double expected_interval(const fc_progress *p) {
  const double r = rate(p);
  return r > 0 ? fmin(fmax(0.01 * (double)(p->total - p->first) / r, 10), 60) : 10;
}

void fc_progress_start(fc_progress *p, const char *what, const char *unit, int64_t first, int64_t total,
                       bool quiet) {
  const double now = fc_now();

  *p          = (fc_progress){.what     = what,
                              .unit     = unit,
                              .done     = first,
                              .total    = total,
                              .first    = first,
                              .started  = now,
                              .shown    = now,
                              .quiet    = quiet,
                              .terminal = isatty(STDERR_FILENO)};
  p->interval = chosen_interval(p->terminal);
  if (quiet) return;
  if (p->terminal)
    moving_line(p, NULL);
  else if (first > 0)
    fprintf(stderr, "%s: goes on from %s %lld of %lld\n", what, unit, (long long)first, (long long)total);
  else
    fprintf(stderr, "%s: started\n", what);
}

bool fc_progress_due(const fc_progress *p) {
  if (p->quiet) return false;
  return fc_now() - p->shown >= (p->interval >= 0 ? p->interval : expected_interval(p));
}

void fc_progress_update(fc_progress *p, int64_t done, const char *note) {
  const bool due = fc_progress_due(p); /* asked before done changes, as the caller may have asked */

  p->done = done;
  if (due) show(p, note);
}

void fc_progress_end(fc_progress *p, const char *note) {
  char time[SHORT], speed[SHORT];

  if (p->quiet) return;
  if (p->terminal) fputs("\r\033[K", stderr);
  note = some(note);
  clock_text(fc_now() - p->started, time);
  if (p->done < p->total)
    fprintf(stderr, "%s: stopped at %s %lld of %lld after %s", p->what, p->unit, (long long)p->done,
            (long long)p->total, time);
  else
    fprintf(stderr, "%s: %lld %s%s in %s, %s", p->what, (long long)(p->done - p->first), p->unit,
            p->done - p->first == 1 ? "" : "s", time, rate_text(p, speed));
  fprintf(stderr, "%s%s\n", note ? ", " : "", note ? note : "");
}
