/* train/log.c */
#include "train/log.h"

#include "core/progress.h"
#include "hpc/comm.h"
#include "io/file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* seconds: the last but one cell */
static double seconds_of(const char *line) {
  const char *last = strrchr(line, ','), *p = last;

  while (p && p > line && p[-1] != ',') p--;
  return p ? strtod(p, NULL) : 0;
}

/* keeps the header and the lines up to from_step; a cut-off last line goes too */
static fc_status trim(fc_log *l, int64_t from_step) {
  enum { LIMIT = 1 << 30 };
  char  *text, *keep;
  size_t bytes;
  FILE  *f;

  FC_TRY(fc_file_read(l->path, LIMIT, &text, &bytes));
  fc_status s = fc_file_begin(l->path, &f);
  if (s == FC_OK) {
    fprintf(f, "%s\n", l->columns);
    char *line = strtok_r(text, "\n", &keep);
    while (line && (line = strtok_r(NULL, "\n", &keep))) {
      if (strtoll(line, NULL, 10) > from_step) break;
      fprintf(f, "%s\n", line);
      l->earlier = seconds_of(line);
    }
    s = fc_file_commit(l->path, f);
  }
  free(text);
  return s;
}

static void name_columns(fc_log *l, const fc_feed_kind *kind) {
  const size_t size = sizeof l->columns;
  size_t       at;

  at =
      (size_t)snprintf(l->columns, size, "step,epoch,samples,loss,grad_norm,lr,beta1,frames_per_call,pushes");
  for (int i = 0; kind->score[i]; i++)
    at += (size_t)snprintf(l->columns + at, size - at, ",%s", kind->score[i]);
  snprintf(l->columns + at, size - at, ",memory_mib,communication,seconds,samples_per_s");
}

fc_status fc_log_open(fc_log *l, const char *dir, const fc_trainer *t) {
  memset(l, 0, sizeof *l);
  snprintf(l->path, sizeof l->path, "%s/log.csv", dir);
  name_columns(l, t->feed.kind);
  const bool old = t->k.step > 0 && fc_file_exists(l->path);
  if (old) FC_TRY(trim(l, t->k.step));
  l->f = fopen(l->path, old ? "a" : "w");
  FC_REQUIRE(l->f, FC_E_SYSTEM, "cannot write %s: %s", l->path, strerror(errno));
  if (!old) fprintf(l->f, "%s\n", l->columns);
  l->started = l->last_time = fc_now();
  l->last_samples           = t->k.position;
  return FC_OK;
}

void fc_log_close(fc_log *l) {
  if (l->f) fclose(l->f);
  l->f = NULL;
}

void fc_log_add(fc_log *l, const fc_step_facts *f) {
  l->loss_sum += f->loss;
  l->steps++;
}

static void cell(FILE *f, double v) {
  if (isfinite(v))
    fprintf(f, "%.9g,", v);
  else
    fputc(',', f);
}

/* MiB; getrusage counts in KiB on Linux */
static double peak_memory(void) {
  struct rusage r;

  return getrusage(RUSAGE_SELF, &r) ? NAN : (double)r.ru_maxrss / 1024;
}

fc_status fc_log_line(fc_log *l, const fc_trainer *t, const fc_step_facts *f, const fc_scores *scores) {
  const double now = fc_now(), since = now - l->last_time;

  if (!l->f) return FC_OK; /* ranks other than the first */
  fprintf(l->f, "%lld,%.6g,%lld,", (long long)t->k.step, (double)t->k.position / (double)t->feed.items,
          (long long)t->k.position);
  cell(l->f, l->steps ? l->loss_sum / (double)l->steps : f->loss);
  cell(l->f, f->grad_norm);
  cell(l->f, f->lr);
  cell(l->f, f->beta1);
  fprintf(l->f, "%lld,%lld,", (long long)f->k, (long long)f->pushes);
  for (int i = 0; t->feed.kind->score[i]; i++) cell(l->f, scores ? scores->v[i] : NAN);
  cell(l->f, peak_memory());
  cell(l->f, since > 0 ? (fc_comm_seconds() - l->last_comm) / since : 0);
  fprintf(l->f, "%.3f,%.4g\n", l->earlier + now - l->started,
          since > 0 ? (double)(t->k.position - l->last_samples) / since : 0);
  l->loss_sum     = 0;
  l->steps        = 0;
  l->last_time    = now;
  l->last_comm    = fc_comm_seconds();
  l->last_samples = t->k.position;
  FC_REQUIRE(!fflush(l->f) && !ferror(l->f), FC_E_SYSTEM, "cannot write %s: %s", l->path, strerror(errno));
  return FC_OK;
}
