/* hpc/job.c - options of a job, and what is wrong with them. */
#include "hpc/job.h"

#include "core/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINES(field, help)                                                                                   \
  { #field, FC_T_TEXT, offsetof(fc_job, field), "", help, 1, 0, "lines" }

const fc_option fc_job_options[] = {
    FC_OPT_TEXT(fc_job, name, "", "name in the queue; empty: that of the run folder, or of the command"),
    FC_OPT_INT(fc_job, nodes, "0", 0, 1 << 20, "nodes; 0: as many as the ranks need"),
    FC_OPT_INT(fc_job, ntasks, "0", 0, 1 << 24, "ranks; 0: nodes times ntasks_per_node, or 1"),
    FC_OPT_INT(fc_job, ntasks_per_node, "0", 0, 1 << 16, "ranks on each node; 0: SLURM chooses"),
    FC_OPT_INT(fc_job, cpus_per_task, "1", 1, 1 << 16, "cores of each rank, which are its threads"),
    FC_OPT_TEXT(fc_job, time, "", "limit: minutes, 1:30:00 or 2-12:00:00; empty: that of the partition"),
    FC_OPT_TEXT(fc_job, partition, "", "partition; empty: the site's default"),
    FC_OPT_TEXT(fc_job, account, "", "account that pays"),
    FC_OPT_TEXT(fc_job, qos, "", "quality of service"),
    FC_OPT_TEXT(fc_job, constraint, "", "features that the nodes must have"),
    FC_OPT_TEXT(fc_job, reservation, "", "reservation to run in"),
    FC_OPT_TEXT(fc_job, mem, "", "memory of each node, such as 64G"),
    FC_OPT_TEXT(fc_job, mem_per_cpu, "", "memory of each core, instead of mem"),
    FC_OPT_TEXT(fc_job, mail_type, "", "events that send mail, such as END,FAIL"),
    FC_OPT_TEXT(fc_job, mail_user, "", "where mail goes"),
    FC_OPT_INT(fc_job, array_limit, "0", 0, 1 << 20, "tasks of a sweep that run at once; 0: all"),
    FC_OPT_INT(fc_job, signal, "120", 0, 1 << 16,
               "training and solve: seconds before the limit at which all ranks get SIGUSR1; 0: not"),
    FC_OPT_BOOL(fc_job, requeue, "true",
                "training and solve: back into the queue with exit code 85; all: after a node has failed"),
    FC_OPT_INT(fc_job, restarts, "1000", 0, 1 << 30, "most times that a job puts itself into the queue"),
    FC_OPT_TEXT(fc_job, log, "", "file of the output, appended to; empty: slurm.log in the run folder"),
    FC_OPT_TEXT(fc_job, mpi, "pmix", "how srun starts ranks (srun --mpi=list); empty: the site's default"),
    FC_OPT_TEXT(fc_job, program, "", "fieldcast on the nodes; empty: this one"),
    LINES(extra, "further options of sbatch, such as --exclusive; one a line"),
    LINES(setup, "lines of shell before the program, such as module load openmpi"),
    FC_OPT_END,
};

bool fc_job_takes_lines(const fc_option *o) { return o->choices && !strcmp(o->choices, "lines"); }

int64_t fc_job_ranks(const fc_job *j) {
  if (j->ntasks) return j->ntasks;
  return fc_max64(1, j->nodes) * fc_max64(1, j->ntasks_per_node);
}

/* ---- times ---- */

/* numbers between colons: at most three */
static bool fields(const char *s, int *n, double v[3]) {
  for (*n = 0; *n < 3; s++) {
    const size_t digits = strspn(s, "0123456789");
    if (!digits || digits > 9) return false;
    v[(*n)++] = strtod(s, NULL);
    s += digits;
    if (!*s) return true;
    if (*s != ':') return false;
  }
  return false;
}

bool fc_job_seconds(const char *text, double *seconds) {
  static const double whole[3] = {3600, 60, 1}, part[3][3] = {{60}, {60, 1}, {3600, 60, 1}};
  const char         *dash = strchr(text, '-');
  char                days[12];
  double              v[3] = {0};
  int                 n;

  *seconds = INFINITY;
  if (fc_text_same(text, "UNLIMITED") || fc_text_same(text, "INFINITE")) return true;
  *seconds = 0;
  if (dash) {
    snprintf(days, sizeof days, "%.*s", (int)(dash - text), text);
    if (dash == text || dash - text > 9 || strspn(days, "0123456789") != strlen(days)) return false;
    *seconds = 86400 * strtod(days, NULL);
  }
  if (!fields(dash ? dash + 1 : text, &n, v)) return false;
  for (int i = 0; i < n; i++) *seconds += v[i] * (dash ? whole[i] : part[n - 1][i]);
  return true;
}

/* ---- checks ---- */

static fc_status check_time(const fc_job *j, bool signals) {
  double seconds;

  if (!j->time[0]) return FC_OK;
  FC_REQUIRE(fc_job_seconds(j->time, &seconds) && seconds > 0, FC_E_USAGE,
             "job.time = %.80s: a limit is minutes (90), hours:minutes:seconds (1:30:00) or "
             "days-hours:minutes:seconds (2-12:00:00)",
             j->time);
  FC_REQUIRE(
      !signals || (double)j->signal < seconds, FC_E_USAGE,
      "job.signal = %lld seconds before the end of job.time = %s is before its start; give more time or "
      "a smaller job.signal",
      (long long)j->signal, j->time);
  return FC_OK;
}

static fc_status check_memory(const char *key, const char *text) {
  const size_t digits = strspn(text, "0123456789");

  FC_REQUIRE(!text[0] || (digits && (!text[digits] || (strchr("KMGT", text[digits]) && !text[digits + 1]))),
             FC_E_USAGE, "job.%s = %.80s: a number with K, M, G or T behind it is wanted, such as 64G", key,
             text);
  return FC_OK;
}

static fc_status check_counts(const fc_job *j) {
  const int64_t ranks = fc_job_ranks(j), room = j->nodes * j->ntasks_per_node;

  FC_REQUIRE(j->nodes <= ranks, FC_E_USAGE,
             "job.nodes = %lld is more than one node for each of %lld ranks; raise job.ntasks",
             (long long)j->nodes, (long long)ranks);
  FC_REQUIRE(!room || ranks <= room, FC_E_USAGE,
             "job.ntasks = %lld does not fit on job.nodes = %lld with job.ntasks_per_node = %lld",
             (long long)ranks, (long long)j->nodes, (long long)j->ntasks_per_node);
  return FC_OK;
}

/* each line that is not blank is an option */
static fc_status check_extra(const char *text) {
  for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
    const int n = (int)strcspn(line, "\n");
    if ((int)strspn(line, " \t") >= n) continue;
    FC_REQUIRE(line[0] == '-', FC_E_USAGE,
               "job.extra: '%.*s' is no option of sbatch; these start with a dash", n, line);
  }
  return FC_OK;
}

fc_status fc_job_check(const fc_job *j, bool signals) {
  FC_TRY(check_time(j, signals));
  FC_TRY(check_counts(j));
  FC_TRY(check_memory("mem", j->mem));
  FC_TRY(check_memory("mem_per_cpu", j->mem_per_cpu));
  FC_REQUIRE(!j->mem[0] || !j->mem_per_cpu[0], FC_E_USAGE,
             "job.mem and job.mem_per_cpu exclude each other; keep one of them");
  return check_extra(j->extra);
}
