/* io/file.c */
#include "io/file.h"

#include "hpc/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool fc_file_exists(const char *path) { return access(path, F_OK) == 0; }

/* ---- folders ---- */

static fc_status make_one(const char *path) {
  struct stat st;

  if (mkdir(path, 0777) == 0) return FC_OK;
  const int why = errno; /* EEXIST, or EROFS and the like for a folder that is there */
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return FC_OK;
  return fc_fail(FC_E_SYSTEM, "%s: cannot make the folder: %s", path,
                 why == EEXIST ? "a file of this name is in the way" : strerror(why));
}

fc_status fc_make_folder(const char *path) {
  char         part[PATH_MAX];
  const size_t n = strlen(path);

  FC_REQUIRE(n && n < sizeof part, FC_E_USAGE, "'%.60s': not a name for a folder", path);
  memcpy(part, path, n + 1);
  for (char *p = part + 1; *p; p++) {
    if (*p != '/') continue;
    *p = 0;
    FC_TRY(make_one(part));
    *p = '/';
  }
  return make_one(part);
}

/* ---- writing ---- */

static fc_status temporary(const char *path, char tmp[PATH_MAX]) {
  const int n = snprintf(tmp, PATH_MAX, "%s.tmp", path);

  FC_REQUIRE(*path && n < PATH_MAX, FC_E_USAGE, "'%.60s': not a name for a file", path);
  return FC_OK;
}

/* Renaming onto a device would replace the device. */
fc_status fc_file_check_target(const char *path) {
  struct stat st;

  if (stat(path, &st)) return FC_OK;
  FC_REQUIRE(!S_ISDIR(st.st_mode), FC_E_SYSTEM, "%s: cannot write the file: it is a folder", path);
  FC_REQUIRE(S_ISREG(st.st_mode), FC_E_SYSTEM, "%s: cannot write here: not a plain file", path);
  return FC_OK;
}

/* Pipes and some file systems cannot sync; that is no failure. */
static int sync_file(int fd) { return fsync(fd) && errno != EINVAL && errno != ENOTSUP && errno != EROFS; }

static fc_status sync_folder(const char *path) {
  char        folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  const int   n     = slash ? (int)(slash - path) : 1;

  snprintf(folder, sizeof folder, "%.*s", n ? n : 1, slash ? path : ".");
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FC_OK; /* a folder may be writable and not readable */
  const bool failed = sync_file(fd);
  const int  why    = errno;
  close(fd);
  FC_REQUIRE(!failed, FC_E_SYSTEM, "%s: written, but its folder could not be synced: %s", path,
             strerror(why));
  return FC_OK;
}

static fc_status rename_synced(const char *tmp, const char *path) {
  FC_TRY(fc_file_check_target(path));
  FC_REQUIRE(rename(tmp, path) == 0, FC_E_SYSTEM, "%s: cannot put the new file in place: %s", path,
             strerror(errno));
  return sync_folder(path);
}

fc_status fc_file_begin(const char *path, FILE **out) {
  char tmp[PATH_MAX];

  *out = NULL;
  FC_TRY(temporary(path, tmp));
  FC_TRY(fc_file_check_target(path));
  *out = fopen(tmp, "wbe");
  FC_REQUIRE(*out, FC_E_SYSTEM, "%s: cannot write here: %s", tmp, strerror(errno));
  fc_watch_litter(tmp, true);
  return FC_OK;
}

fc_status fc_file_commit(const char *path, FILE *f) {
  char      tmp[PATH_MAX];
  fc_status s = temporary(path, tmp);

  errno             = 0;
  const bool bad    = ferror(f) || fflush(f) || sync_file(fileno(f));
  int        why    = errno; /* 0 if an earlier write failed: its reason is lost by now */
  const bool closed = fclose(f) == 0;
  if (!bad && !closed) why = errno;
  if (s != FC_OK) return s;
  if (bad || !closed)
    s = fc_fail(FC_E_SYSTEM, "%s: writing failed: %s; the file is as it was before", path,
                why ? strerror(why) : "the disk may be full");
  else
    s = rename_synced(tmp, path);
  if (s != FC_OK) unlink(tmp);
  fc_watch_litter(tmp, false);
  return s;
}

void fc_file_abandon(const char *path, FILE *f) {
  char tmp[PATH_MAX];

  if (!f) return;
  fclose(f);
  if (snprintf(tmp, sizeof tmp, "%s.tmp", path) >= PATH_MAX) return;
  unlink(tmp);
  fc_watch_litter(tmp, false);
}

fc_status fc_file_replace(const char *tmp, const char *path) {
  fc_status  s   = FC_OK;
  const int  fd  = open(tmp, O_RDONLY | O_CLOEXEC);
  const bool bad = fd < 0 || sync_file(fd);

  if (bad)
    s = fc_fail(FC_E_SYSTEM, "%s: writing failed: %s; the file is as it was before", path, strerror(errno));
  if (fd >= 0) close(fd);
  if (s == FC_OK) s = rename_synced(tmp, path);
  if (s != FC_OK) unlink(tmp);
  return s;
}

int fc_file_put(int fd, const void *x, int64_t bytes, int64_t at) {
  for (const char *from = x; bytes > 0;) {
    const ssize_t n = pwrite(fd, from, (size_t)bytes, (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : ENOSPC;
    from += n, at += n, bytes -= n;
  }
  return 0;
}

/* ---- reading ---- */

/* grows by doubling: sizes of pipes and of files in /proc are not known before */
static fc_status read_all(const char *path, FILE *f, size_t limit, char **text, size_t *bytes) {
  size_t room = 0, n = 0;

  do {
    room       = room ? 2 * room : 4096;
    char *more = realloc(*text, room + 1);
    FC_REQUIRE(more, FC_E_SYSTEM, "%s: no memory to read %zu bytes", path, room);
    *text = more;
    n += fread(more + n, 1, room - n, f);
    FC_REQUIRE(!ferror(f), FC_E_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    FC_REQUIRE(n <= limit, FC_E_INPUT, "%s: larger than %zu bytes, the most that is read of such a file",
               path, limit);
  } while (n == room);
  (*text)[n] = 0;
  *bytes     = n;
  return FC_OK;
}

fc_status fc_file_read(const char *path, size_t limit, char **text, size_t *bytes) {
  size_t n = 0;
  FILE  *f = fopen(path, "rbe");

  *text = NULL;
  FC_REQUIRE(f, FC_E_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
  const fc_status s = read_all(path, f, limit, text, &n);
  fclose(f);
  if (s != FC_OK) {
    free(*text);
    *text = NULL;
  }
  if (bytes) *bytes = n;
  return s;
}
