/* cli/info.c - fieldcast info FILE...: says what any file is. The kind is told by content; the
   name only helps where the content says nothing, so that a broken file gets the right complaint. */
#include "cli/info.h"

#include "io/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HEAD = 4096 };

/* u64 length, then a JSON object */
static bool is_safetensors(const unsigned char *h, size_t n) {
  uint64_t length = 0;

  if (n < 9) return false;
  for (int i = 7; i >= 0; i--) length = length << 8 | h[i];
  return length <= 100000000 && (h[8] == '{' || h[8] == ' ');
}

static bool is_text(const unsigned char *h, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (h[i] < 32 && (!h[i] || !strchr("\t\n\r\f", h[i]))) return false;
  return n > 0;
}

/* of one line, outside quotes */
static int count_of(char separator, const char *line) {
  bool quoted = false;
  int  n      = 0;

  for (; *line && *line != '\n'; line++) {
    quoted ^= *line == '"';
    n += *line == separator && !quoted;
  }
  return n;
}

/* as many cells in the second line as in the first */
static bool is_table(const char *h) {
  const char *second = strchr(h, '\n');

  for (const char *s = ",;\t"; second && *s; s++)
    if (count_of(*s, h) > 0 && count_of(*s, h) == count_of(*s, second + 1)) return true;
  return false;
}

static bool ends_with(const char *path, const char *end) {
  const size_t n = strlen(path), m = strlen(end);
  return n >= m && !strcmp(path + n - m, end);
}

static fc_info_kind *text_kind(const char *path, const char *h) {
  if (!strncmp(h, "\357\273\277", 3)) h += 3;
  while (*h && strchr(" \t\r\n", *h)) h++;
  if (*h == '<') return fc_info_xml;
  if (*h == '{' || *h == '[') return fc_info_json;
  return is_table(h) || ends_with(path, ".csv") || ends_with(path, ".tsv") ? fc_info_csv : fc_info_yaml;
}

static fc_info_kind *by_name(const char *path) {
  if (ends_with(path, ".safetensors")) return fc_info_safetensors;
  if (ends_with(path, ".npy")) return fc_info_npy;
  if (ends_with(path, ".png")) return fc_info_png;
  if (ends_with(path, ".h5") || ends_with(path, ".hdf5") || ends_with(path, ".nc")) return fc_info_hdf5;
  return fc_info_raw;
}

static fc_info_kind *kind_of(const char *path, const unsigned char *h, size_t n) {
  if (n >= 8 && !memcmp(h, "\211HDF\r\n\032\n", 8)) return fc_info_hdf5;
  if (n >= 4 && !memcmp(h, "CDF", 3) && h[3] <= 5) return fc_info_hdf5; /* its opener explains */
  if (n >= 6 && !memcmp(h, "\223NUMPY", 6)) return fc_info_npy;
  if (n >= 4 && !memcmp(h, "\211PNG", 4)) return fc_info_png;
  if (is_safetensors(h, n)) return fc_info_safetensors;
  if (by_name(path) == fc_info_raw && is_text(h, n)) return text_kind(path, (const char *)h);
  return by_name(path);
}

static fc_status look(const char *path, const fc_info_options *o, json_t *out) {
  unsigned char head[HEAD + 1] = {0};
  struct stat   st;

  FC_REQUIRE(!stat(path, &st), FC_E_INPUT, "%s: %s", path, strerror(errno));
  if (S_ISDIR(st.st_mode)) return fc_info_folder(path, o, out);
  FC_REQUIRE(S_ISREG(st.st_mode), FC_E_INPUT, "%s: neither a file nor a folder", path);
  FC_REQUIRE(st.st_size > 0, FC_E_INPUT, "%s: the file is empty", path);
  FILE *f = fopen(path, "rb");
  FC_REQUIRE(f, FC_E_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  const size_t n = fread(head, 1, HEAD, f);
  fclose(f);
  fc_info_int(out, "bytes", st.st_size);
  return kind_of(path, head, n)(path, o, out);
}

/* The report goes to stdout at once; what is wrong with a file to stderr, and the next file is looked at. */
static fc_status one(const char *path, const fc_info_options *o, bool json) {
  json_t *out = json_object();

  FC_REQUIRE(out, FC_E_SYSTEM, "not enough memory");
  fc_info_text(out, "file", path);
  const fc_status s = look(path, o, out);
  if (s != FC_OK && json) fc_info_text(out, "error", fc_error());
  if (json)
    json_dumpf(out, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9)), putchar('\n');
  else if (s == FC_OK)
    fc_info_print(out);
  json_decref(out);
  if (s == FC_OK && (fflush(stdout) || ferror(stdout)))
    return fc_fail(FC_E_SYSTEM, "cannot write to standard output");
  fflush(stdout);
  return s;
}

typedef struct {
  const char            *path;
  const fc_info_options *o;
  bool                   json;
} job;

static fc_status attempt(void *user, int *answer) {
  const job *j = user;
  (void)answer;
  return one(j->path, j->o, j->json);
}

/* info is what one runs on a file that is suspect: the report comes from a child process */
static fc_status guarded(const char *path, const fc_info_options *o, bool json) {
  job             j = {path, o, json};
  const fc_status s = fc_trial(path, fc_trial_seconds(path), attempt, &j, NULL);

  return s == FC_OK || s == FC_E_INPUT ? s : fc_fail(FC_E_SYSTEM, "%s", fc_error());
}

fc_status fc_cmd_info(int argc, char **argv) {
  bool         json = false, quick = false, done;
  const fc_arg args[] = {
      {"json", 0, FC_ARG_FLAG, &json, NULL, "one JSON object per file instead of text"},
      {"no-statistics", 0, FC_ARG_FLAG, &quick, NULL, "do not read the values of fields"},
  };
  fc_list   files;
  fc_status worst = FC_OK;
  int       bad   = 0;

  FC_TRY(fc_args_parse(fc_command_find("info"), argc, argv, FC_COUNT(args), args, 1, FC_ARG_REPEAT, &files,
                       NULL, &done));
  const fc_info_options o = {!quick};
  for (int i = 0; i < files.n && !done; i++) {
    const fc_status s = guarded(files.v[i], &o, json);
    if (s == FC_OK) continue;
    if (files.n > 1) fprintf(stderr, "fieldcast: %s\n", fc_error());
    worst = s;
    bad++;
  }
  if (files.n > 1 && worst != FC_OK) return fc_fail(worst, "%d of %d files are not right", bad, files.n);
  return worst;
}
