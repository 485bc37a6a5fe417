/* hpc/job_script.c - the script of a job, in the order in which it is read: options for sbatch, environment,
   what each task of an array does, the program, and what its exit code means. */
#include "hpc/job.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

fc_status fc_words_add(fc_words *w, const char *text) {
  if (w->n == w->room) {
    const int room = w->room ? 2 * w->room : 16;
    char    **v    = realloc(w->v, (size_t)room * sizeof *v);
    FC_REQUIRE(v, FC_E_SYSTEM, "no memory for the arguments of a job");
    w->v    = v;
    w->room = room;
  }
  w->v[w->n] = strdup(text);
  FC_REQUIRE(w->v[w->n], FC_E_SYSTEM, "no memory for the arguments of a job");
  w->n++;
  return FC_OK;
}

void fc_words_free(fc_words *w) {
  for (int i = 0; i < w->n; i++) free(w->v[i]);
  free(w->v);
  *w = (fc_words){0};
}

static bool harmless(char c) { return isalnum((unsigned char)c) || (c && strchr("_-+=:,./@%", c)); }

void fc_shell_word(const char *text, FILE *f) {
  const char *p = text;

  while (harmless(*p)) p++;
  if (*text && !*p) {
    fputs(text, f);
    return;
  }
  fputc('\'', f);
  for (p = text; *p; p++)
    if (*p == '\'')
      fputs("'\\''", f);
    else
      fputc(*p, f);
  fputc('\'', f);
}

static void put_words(const fc_words *w, FILE *f) {
  for (int i = 0; i < w->n; i++) {
    fputc(' ', f);
    fc_shell_word(w->v[i], f);
  }
}

/* ---- options for sbatch ---- */

/* sbatch reads its lines itself: words in double quotes, in which a backslash hides a quote or another one */
static void put_value(const char *value, FILE *f) {
  const char *p = value;

  while (harmless(*p)) p++;
  if (!*p) {
    fputs(value, f);
    return;
  }
  fputc('"', f);
  for (p = value; *p; p++) fprintf(f, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
  fputc('"', f);
}

static fc_status option(const char *key, const char *value, FILE *f) {
  for (const char *p = value; *p; p++)
    FC_REQUIRE((unsigned char)*p >= 0x20 && *p != 0x7F, FC_E_USAGE,
               "the value of --%s holds a control character, which no line of a script can", key);
  if (!value[0]) return FC_OK;
  fprintf(f, "#SBATCH --%s=", key);
  put_value(value, f);
  fputc('\n', f);
  return FC_OK;
}

static void count(const char *key, int64_t n, FILE *f) {
  if (n) fprintf(f, "#SBATCH --%s=%lld\n", key, (long long)n);
}

static void array(const fc_job *j, int64_t tasks, FILE *f) {
  if (!tasks) return;
  fprintf(f, "#SBATCH --array=0-%lld", (long long)tasks - 1);
  if (j->array_limit) fprintf(f, "%%%lld", (long long)j->array_limit);
  fputc('\n', f);
}

static void extra_lines(const char *text, const char *prefix, FILE *f) {
  for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
    const int n = (int)strcspn(line, "\n");
    if (n) fprintf(f, "%s%.*s\n", prefix, n, line);
  }
}

/* In --output, % starts a pattern, and a backslash would switch all patterns off. */
static fc_status log_options(const char *log, FILE *f) {
  FC_REQUIRE(!strchr(log, '\\'), FC_E_USAGE, "%s: sbatch takes no backslash in the name of a log", log);
  FC_TRY(option("output", log, f));
  fputs("#SBATCH --open-mode=append\n", f);
  return FC_OK;
}

static fc_status options(const fc_job *j, const fc_job_call *call, FILE *f) {
  FC_TRY(option("job-name", j->name, f));
  FC_TRY(log_options(call->log, f));
  array(j, call->tasks, f);
  count("nodes", j->nodes, f);
  count("ntasks", fc_job_ranks(j), f);
  count("ntasks-per-node", j->ntasks_per_node, f);
  count("cpus-per-task", j->cpus_per_task, f);
  FC_TRY(option("time", j->time, f));
  FC_TRY(option("partition", j->partition, f));
  FC_TRY(option("account", j->account, f));
  FC_TRY(option("qos", j->qos, f));
  FC_TRY(option("constraint", j->constraint, f));
  FC_TRY(option("reservation", j->reservation, f));
  FC_TRY(option("mem", j->mem, f));
  FC_TRY(option("mem-per-cpu", j->mem_per_cpu, f));
  FC_TRY(option("mail-type", j->mail_type, f));
  FC_TRY(option("mail-user", j->mail_user, f));
  if (call->continues && j->signal) fprintf(f, "#SBATCH --signal=USR1@%lld\n", (long long)j->signal);
  fprintf(f, "#SBATCH --%srequeue\n", j->requeue ? "" : "no-");
  extra_lines(j->extra, "#SBATCH ", f);
  return FC_OK;
}

/* ---- the shell's part ---- */

/* srun no longer hands sbatch's --cpus-per-task on (since SLURM 22.05), so it is said again. A task that
   ends alone takes the others with it after --wait seconds: ranks that wait for a dead one would wait for
   the time limit. */
static void run(const fc_job *j, const fc_job_call *call, FILE *f) {
  fputs("srun", f);
  if (j->mpi[0]) fputs(" --mpi=", f), fc_shell_word(j->mpi, f);
  fputs(" --cpus-per-task=\"$OMP_NUM_THREADS\" --wait=20 ", f);
  fc_shell_word(j->program, f);
  put_words(&call->words, f);
  fputs(call->tasks ? " \"$@\"\n" : "\n", f);
}

static void tasks(const fc_job_call *call, FILE *f) {
  if (!call->tasks) return;
  fputs("case $SLURM_ARRAY_TASK_ID in\n", f);
  for (int64_t i = 0; i < call->tasks; i++) {
    fprintf(f, "%lld) set --", (long long)i);
    put_words(&call->task[i], f);
    fputs(" ;;\n", f);
  }
  fputs("esac\n", f);
}

/* One task of an array carries the array's own number as $SLURM_JOB_ID: requeuing that would start all tasks
   again, so a task is named by both numbers. */
static void again(const fc_job *j, const fc_job_call *call, FILE *f) {
  fputs("code=$?\n", f);
  if (call->continues && j->requeue) {
    fprintf(f,
            "# 85: stopped in time, the checkpoint is written, the next run goes on from it\n"
            "if [ $code -eq 85 ] && [ \"${SLURM_RESTART_COUNT:-0}\" -lt %lld ]; then\n",
            (long long)j->restarts);
    fprintf(f, "  scontrol requeue \"%s\"\nfi\n",
            call->tasks ? "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" : "$SLURM_JOB_ID");
  }
  fputs("exit $code\n", f);
}

/* the command line in a comment: what would end it becomes a blank */
static void comment(const char *text, FILE *f) {
  fputs("# ", f);
  for (; *text; text++) fputc((unsigned char)*text < 0x20 ? ' ' : *text, f);
  fputc('\n', f);
}

fc_status fc_job_script(const fc_job *j, const fc_job_call *call, FILE *f) {
  fputs("#!/bin/bash\n", f);
  comment(call->command, f);
  FC_TRY(options(j, call, f));
  fputc('\n', f);
  extra_lines(j->setup, "", f);
  fputs("export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}\n", f);
  tasks(call, f);
  run(j, call, f);
  again(j, call, f);
  return FC_OK;
}
