/* cli/submit_sbatch.c - the run folder of a job, and the call of sbatch. */
#include "cli/submit.h"
#include "io/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = FC_TEXT + 320, ANSWER = 4096 };

static const char *const kept[] = {"job.yaml", "job.sh", "sweep.csv"};

/* ---- folders ---- */

void fc_submit_task_folder(const fc_submission *s, int64_t task, char *out, size_t size) {
  char name[256];

  fc_sweep_name(&s->sweep, task, name, sizeof name);
  snprintf(out, size, "%s/%s", s->folder, name);
}

static fc_status unused(const char *folder, const char *file) {
  char path[PATH];

  snprintf(path, sizeof path, "%s/%s", folder, file);
  FC_REQUIRE(
      !fc_file_exists(path), FC_E_USAGE,
      "%s already holds a %s; 'sbatch %s/job.sh' goes on with a job that has ended, --out names another "
      "folder",
      folder, file[0] == 'j' ? "job" : "run", folder);
  return FC_OK;
}

fc_status fc_submit_folders(const fc_submission *s) {
  char        path[PATH];
  struct stat st;

  if (!s->config) return FC_OK;
  FC_TRY(unused(s->folder, "job.sh"));
  FC_TRY(unused(s->folder, "checkpoint.h5"));
  FC_REQUIRE(stat(s->folder, &st) || S_ISDIR(st.st_mode), FC_E_USAGE, "%s is no folder; --out names another",
             s->folder);
  for (int64_t i = 0; i < s->call.tasks; i++) {
    fc_submit_task_folder(s, i, path, sizeof path);
    FC_REQUIRE(stat(path, &st), FC_E_USAGE, "%s is there already; --out names another folder", path);
  }
  return FC_OK;
}

/* ---- files ---- */

static fc_status put(const fc_submission *s, const char *name, void (*write)(const fc_submission *, FILE *)) {
  char  path[PATH];
  FILE *f;

  snprintf(path, sizeof path, "%s/%s", s->folder, name);
  FC_TRY(fc_file_begin(path, &f));
  write(s, f);
  return fc_file_commit(path, f);
}

static void write_script(const fc_submission *s, FILE *f) { fputs(s->script, f); }

static void cell(const char *text, FILE *f) {
  if (!strpbrk(text, ",\"\n")) {
    fputs(text, f);
    return;
  }
  fputc('"', f);
  for (; *text; text++) fprintf(f, "%s%c", *text == '"' ? "\"" : "", *text);
  fputc('"', f);
}

static void write_tasks(const fc_submission *s, FILE *f) {
  char path[PATH];

  fputs("task", f);
  for (int a = 0; a < s->sweep.n; a++) fputc(',', f), cell(s->sweep.axis[a].key, f);
  fputs(",folder\n", f);
  for (int64_t i = 0; i < s->call.tasks; i++) {
    fprintf(f, "%lld", (long long)i);
    for (int a = 0; a < s->sweep.n; a++) fputc(',', f), cell(fc_sweep_value(&s->sweep, i, a), f);
    fc_submit_task_folder(s, i, path, sizeof path);
    fputc(',', f), cell(path, f), fputc('\n', f);
  }
}

/* The job may start days from now: it gets the configuration as it is today. */
static fc_status copy_config(const fc_submission *s) {
  char   path[PATH], *text;
  size_t bytes;
  FILE  *f;

  FC_TRY(fc_file_read(s->config, (size_t)1 << 20, &text, &bytes));
  snprintf(path, sizeof path, "%s/job.yaml", s->folder);
  fc_status st = fc_file_begin(path, &f);
  if (st == FC_OK) {
    fwrite(text, 1, bytes, f);
    st = fc_file_commit(path, f);
  }
  free(text);
  return st;
}

static fc_status fill_folder(const fc_submission *s) {
  if (!s->config) return FC_OK;
  FC_TRY(fc_make_folder(s->folder));
  FC_TRY(copy_config(s));
  FC_TRY(put(s, "job.sh", write_script));
  return s->call.tasks ? put(s, "sweep.csv", write_tasks) : FC_OK;
}

static void empty_folder(const fc_submission *s) {
  char path[PATH];

  if (!s->config) return;
  for (int i = 0; i < FC_COUNT(kept); i++) {
    snprintf(path, sizeof path, "%s/%s", s->folder, kept[i]);
    remove(path);
  }
  rmdir(s->folder); /* fails, as it should, if anything else is in it */
}

/* ---- sbatch ---- */

/* The last line tells; what stands before it are details and warnings. */
static char *last_line(char *text) {
  static const char *const heads[] = {"sbatch: ", "error: "};
  size_t                   n       = strlen(text);

  while (n && text[n - 1] == '\n') text[--n] = 0;
  char *line = strrchr(text, '\n') ? strrchr(text, '\n') + 1 : text;
  for (int i = 0; i < FC_COUNT(heads); i++)
    if (!strncmp(line, heads[i], strlen(heads[i]))) line += strlen(heads[i]);
  return line;
}

static fc_status ask(const char *flags, const char *file, char answer[ANSWER], char **line) {
  char command[256];

  snprintf(command, sizeof command, "sbatch %s 2>&1 < %s", flags, file);
  FILE *f = popen(command, "r");
  FC_REQUIRE(f, FC_E_SYSTEM, "cannot start sbatch: %s", strerror(errno));
  const size_t n = fread(answer, 1, ANSWER - 1, f);
  answer[n]      = 0;
  const int code = pclose(f);
  *line          = last_line(answer);
  FC_REQUIRE(code != 127 << 8, FC_E_USAGE,
             "sbatch is not here, so this machine cannot submit jobs; --dry-run prints the script");
  FC_REQUIRE(!code, FC_E_USAGE, "sbatch refuses the job: %s", *line[0] ? *line : "it does not say why");
  return FC_OK;
}

/* the script goes through a file of its own: those in the run folder have names that a shell may not like */
static fc_status call_sbatch(const fc_submission *s, const char *flags, char answer[ANSWER], char **line) {
  char      file[] = "/tmp/fieldcast-job-XXXXXX";
  const int fd     = mkstemp(file);
  FILE     *f      = fd < 0 ? NULL : fdopen(fd, "w");

  FC_REQUIRE(f, FC_E_SYSTEM, "cannot write %s: %s", file, strerror(errno));
  fputs(s->script, f);
  const fc_status st = fclose(f) ? fc_fail(FC_E_SYSTEM, "cannot write %s: %s", file, strerror(errno))
                                 : ask(flags, file, answer, line);
  remove(file);
  return st;
}

fc_status fc_submit_test(const fc_submission *s) {
  char answer[ANSWER], *line;

  FC_TRY(call_sbatch(s, "--test-only", answer, &line));
  printf("%s\n", line);
  return FC_OK;
}

fc_status fc_submit_now(const fc_submission *s) {
  char      answer[ANSWER], *line = answer;
  fc_status st = fill_folder(s);

  if (st == FC_OK) st = call_sbatch(s, "--parsable", answer, &line);
  if (st != FC_OK) {
    empty_folder(s);
    return st;
  }
  line[strcspn(line, ";")] = 0; /* the name of a cluster may follow */
  printf("job %s", line);
  if (s->call.tasks) printf(", %lld tasks", (long long)s->call.tasks);
  if (s->config) printf(", %s", s->folder);
  printf(", output in %s\n", s->log);
  return FC_OK;
}
