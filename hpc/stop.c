/* hpc/stop.c */
#include "hpc/stop.h"

#include "core/progress.h"
#include "hpc/job.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* squeue counts in seconds, and processes need a moment to end */
enum { RESERVE = 10 };

static volatile sig_atomic_t last;
static struct sigaction      before[2];
static double                own = INFINITY, job = INFINITY; /* limits on the clock of fc_now */

/* ---- signals ---- */

static void remember(int number) { last = number; }

static void watch(int number, struct sigaction *old) {
  struct sigaction a;

  memset(&a, 0, sizeof a);
  a.sa_handler = remember;
  a.sa_flags   = SA_RESTART;
  sigaction(number, &a, old);
}

void fc_stop_listen(void) {
  watch(SIGUSR1, NULL);
  watch(SIGUSR2, NULL);
}

void fc_stop_catch(void) {
  fc_stop_listen();
  watch(SIGTERM, &before[0]);
  watch(SIGINT, &before[1]);
}

void fc_stop_release(void) {
  sigaction(SIGTERM, &before[0], NULL);
  sigaction(SIGINT, &before[1], NULL);
  last = 0;
}

int fc_stop_signal(void) { return last; }

fc_status fc_stop_check(const fc_comm *ranks, const char *left) {
  FC_REQUIRE(!fc_comm_any(ranks, last != 0), FC_STOPPED, "stopped by a signal; %s", left);
  return FC_OK;
}

/* ---- time ---- */

void fc_stop_after(double seconds) { own = fc_now() + seconds; }

/* A task of an array is named by both numbers: one of the tasks has the array's own number as SLURM_JOB_ID,
   of which squeue lists them all. Only digits get near the shell. */
static bool job_name(char *out, size_t size) {
  const char *array = getenv("SLURM_ARRAY_JOB_ID"), *task = getenv("SLURM_ARRAY_TASK_ID");
  const char *id = getenv("SLURM_JOB_ID");

  if (array && task)
    snprintf(out, size, "%s_%s", array, task);
  else
    snprintf(out, size, "%s", id ? id : "");
  return out[0] && strspn(out, "0123456789_") == strlen(out);
}

static double from_squeue(const char *name) {
  char   command[160], line[80] = "";
  double seconds;

  snprintf(command, sizeof command, "timeout 20 squeue -h -j %s -o %%L 2>/dev/null", name);
  FILE *f = popen(command, "r");
  if (!f) return INFINITY;
  if (!fgets(line, sizeof line, f)) line[0] = 0;
  pclose(f);
  line[strcspn(line, " \n")] = 0;
  return fc_job_seconds(line, &seconds) ? seconds : INFINITY;
}

void fc_stop_ask_job(void) {
  const char *end = getenv("SLURM_JOB_END_TIME");
  char        name[64];

  if (!job_name(name, sizeof name)) return;
  const double left = end && atof(end) > 0 ? atof(end) - (double)time(NULL) : from_squeue(name);
  job               = fc_now() + left - RESERVE;
}

/* the environment would not know of a limit that was raised; no answer: as before */
static void ask_again(void) {
  char name[64];

  if (!job_name(name, sizeof name)) return;
  const double left = from_squeue(name);
  if (isfinite(left)) job = fc_now() + left - RESERVE;
}

double fc_stop_seconds_left(void) { return fmin(own, job) - fc_now(); }

bool fc_stop_due(double margin) {
  if (fc_stop_seconds_left() > margin) return false;
  if (job < own) ask_again();
  return fc_stop_seconds_left() <= margin;
}
