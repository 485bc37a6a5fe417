/* io/state_file.c */
#include "io/state_file.h"

#include "hpc/comm.h"
#include "hpc/watch.h"
#include "io/file.h"
#include "io/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BORDER = 4096, MOST_RANKS = 1 << 20, MOST_TEXT = 1 << 20 };

typedef struct {
  char    magic[8];
  int64_t ranks, text;
} opening;

typedef struct { /* of one rank */
  int64_t  n;
  uint64_t sum;
} entry;

static const char magic[8] = {'F', 'C', 'S', 'T', 'A', 'T', 'E', '1'};

static size_t head_size(int64_t ranks, int64_t text) {
  return sizeof(opening) + (size_t)text + (size_t)ranks * sizeof(entry) + sizeof(uint64_t);
}

static int64_t first_number(int64_t ranks, int64_t text) {
  return fc_ceil_div((int64_t)head_size(ranks, text), BORDER) * BORDER;
}

/* ---- writing ---- */

/* Sums of 64 bits do not fit a double: halves do, and all but one rank add nothing. */
static fc_status gather_entries(int64_t n, const double *x, entry *all) {
  const int      ranks = fc_comm_size(NULL), me = fc_comm_rank(NULL);
  double        *part = calloc(3 * (size_t)ranks, sizeof *part);
  const uint64_t sum  = fc_store_sum(x, (size_t)n * sizeof *x);

  FC_REQUIRE(part, FC_E_SYSTEM, "no memory for a list of ranks");
  part[3 * me]      = (double)n;
  part[3 * me + 1]  = (double)(sum >> 32);
  part[3 * me + 2]  = (double)(sum & UINT32_MAX);
  const fc_status s = fc_comm_sum_double(NULL, part, 3 * (int64_t)ranks);
  for (int r = 0; r < ranks; r++)
    all[r] = (entry){(int64_t)part[3 * r], (uint64_t)part[3 * r + 1] << 32 | (uint64_t)part[3 * r + 2]};
  free(part);
  return s;
}

static bool put(int fd, const void *from, size_t bytes, int64_t at) {
  const char *p = from;

  while (bytes) {
    const ssize_t n = pwrite(fd, p, bytes, (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = ENOSPC;
    if (n <= 0) return false;
    p += n, at += n, bytes -= (size_t)n;
  }
  return true;
}

static fc_status refused(const char *tmp) {
  return fc_fail(FC_E_SYSTEM, "%s: cannot write: %s; make room or choose another place", tmp,
                 strerror(errno));
}

static fc_status write_head(const char *tmp, const char *text, const entry *all) {
  const int64_t ranks = fc_comm_size(NULL), length = (int64_t)strlen(text);
  const size_t  size  = head_size(ranks, length);
  char         *head  = malloc(size);
  opening       begin = {.ranks = ranks, .text = length};

  FC_REQUIRE(head, FC_E_SYSTEM, "%s: no memory", tmp);
  memcpy(begin.magic, magic, sizeof magic);
  memcpy(head, &begin, sizeof begin);
  memcpy(head + sizeof begin, text, (size_t)length);
  memcpy(head + sizeof begin + length, all, (size_t)ranks * sizeof *all);
  const uint64_t sum = fc_store_sum(head, size - sizeof sum);
  memcpy(head + size - sizeof sum, &sum, sizeof sum);
  const int  fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  const bool ok = fd >= 0 && put(fd, head, size, 0);
  free(head);
  const fc_status s = ok ? FC_OK : refused(tmp);
  if (fd >= 0) close(fd);
  return s;
}

static fc_status write_numbers(const char *tmp, const double *x, int64_t n, int64_t at) {
  const int       fd = open(tmp, O_WRONLY | O_CLOEXEC);
  const bool      ok = fd >= 0 && put(fd, x, (size_t)n * sizeof *x, at) && !fsync(fd);
  const fc_status s  = ok ? FC_OK : refused(tmp);

  if (fd >= 0) close(fd);
  return s;
}

static fc_status write_all(const char *path, const char *tmp, const char *text, int64_t n, const double *x,
                           entry *all) {
  const bool first  = !fc_comm_rank(NULL);
  int64_t    length = (int64_t)strlen(text);
  fc_status  s;

  FC_TRY(gather_entries(n, x, all));
  FC_TRY(fc_comm_broadcast(NULL, &length, sizeof length, 0));
  FC_TRY(fc_comm_agree(NULL, first ? write_head(tmp, text, all) : FC_OK));
  int64_t at = first_number(fc_comm_size(NULL), length);
  for (int r = 0; r < fc_comm_rank(NULL); r++) at += all[r].n * (int64_t)sizeof *x;
  s = fc_comm_agree(NULL, write_numbers(tmp, x, n, at));
  if (first && s == FC_OK) s = fc_file_replace(tmp, path);
  return fc_comm_agree(NULL, s);
}

fc_status fc_state_file_write(const char *path, const char *text, int64_t n, const double *x,
                              fc_status mine) {
  entry *all = calloc((size_t)fc_comm_size(NULL), sizeof *all);
  char  *tmp = malloc(strlen(path) + 5);

  if (mine == FC_OK && (!all || !tmp)) mine = fc_fail(FC_E_SYSTEM, "%s: no memory", path);
  fc_status s = fc_comm_agree(NULL, mine);
  if (s == FC_OK) {
    strcat(strcpy(tmp, path), ".tmp");
    fc_watch_litter(tmp, true);
    s = write_all(path, tmp, text, n, x, all);
    if (s != FC_OK && !fc_comm_rank(NULL)) unlink(tmp);
    fc_watch_litter(tmp, false);
  }
  free(all);
  free(tmp);
  return s;
}

/* ---- reading ---- */

struct fc_state_file {
  FILE    *f;
  char    *path, *text;
  entry   *all;
  int64_t *at; /* of each rank's numbers */
  int64_t  ranks;
};

void fc_state_file_close(fc_state_file *f) {
  if (!f) return;
  if (f->f) fclose(f->f);
  free(f->path);
  free(f->text);
  free(f->all);
  free(f->at);
  free(f);
}

static fc_status damaged(const fc_state_file *f) {
  return fc_fail(FC_E_INPUT, "%s: damaged or cut: remove it and start anew", f->path);
}

/* everything in front of the numbers, whose sum stands behind it */
static fc_status read_head(fc_state_file *f) {
  opening  begin;
  uint64_t sum;

  FC_REQUIRE(fread(&begin, sizeof begin, 1, f->f) == 1 && !memcmp(begin.magic, magic, sizeof magic),
             FC_E_INPUT, "%s: not the state of a run", f->path);
  if (begin.ranks < 1 || begin.ranks > MOST_RANKS || begin.text < 0 || begin.text > MOST_TEXT)
    return damaged(f);
  const size_t size = head_size(begin.ranks, begin.text);
  char        *head = malloc(size);
  f->ranks          = begin.ranks;
  f->text           = calloc(1, (size_t)begin.text + 1);
  f->all            = calloc((size_t)f->ranks, sizeof *f->all);
  f->at             = calloc((size_t)f->ranks + 1, sizeof *f->at);
  bool ok           = head && f->text && f->all && f->at;
  if (ok) {
    rewind(f->f);
    ok = fread(head, size, 1, f->f) == 1;
    memcpy(f->text, head + sizeof begin, (size_t)begin.text);
    memcpy(f->all, head + sizeof begin + begin.text, (size_t)f->ranks * sizeof *f->all);
    memcpy(&sum, head + size - sizeof sum, sizeof sum);
    ok = ok && sum == fc_store_sum(head, size - sizeof sum);
  }
  free(head);
  return ok ? FC_OK : damaged(f);
}

static fc_status place_numbers(fc_state_file *f) {
  struct stat st;

  f->at[0] = first_number(f->ranks, (int64_t)strlen(f->text));
  for (int64_t r = 0; r < f->ranks; r++) f->at[r + 1] = f->at[r] + f->all[r].n * (int64_t)sizeof(double);
  if (fstat(fileno(f->f), &st) || st.st_size < f->at[f->ranks]) return damaged(f);
  return FC_OK;
}

fc_status fc_state_file_open(const char *path, fc_state_file **out) {
  fc_state_file *f = calloc(1, sizeof *f);

  *out = NULL;
  FC_REQUIRE(f, FC_E_SYSTEM, "%s: no memory", path);
  f->path     = strdup(path);
  f->f        = fopen(path, "rbe");
  fc_status s = f->path ? FC_OK : fc_fail(FC_E_SYSTEM, "%s: no memory", path);
  if (s == FC_OK && !f->f) s = fc_fail(FC_E_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
  if (s == FC_OK) s = read_head(f);
  if (s == FC_OK) s = place_numbers(f);
  if (s == FC_OK)
    *out = f;
  else
    fc_state_file_close(f);
  return s;
}

const char *fc_state_file_text(const fc_state_file *f) { return f->text; }
int64_t     fc_state_file_ranks(const fc_state_file *f) { return f->ranks; }
int64_t     fc_state_file_size(const fc_state_file *f, int64_t rank) { return f->all[rank].n; }

fc_status fc_state_file_read(const fc_state_file *f, int64_t rank, double *x) {
  const size_t n = (size_t)f->all[rank].n;

  if (fseeko(f->f, (off_t)f->at[rank], SEEK_SET) || fread(x, sizeof *x, n, f->f) != n ||
      fc_store_sum(x, n * sizeof *x) != f->all[rank].sum)
    return damaged(f);
  return FC_OK;
}
