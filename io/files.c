/* io/files.c */
#include "io/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_folder(const char *path) {
  struct stat st;
  return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* folder/(ending), with the characters that glob would take as a pattern escaped in the folder's name */
static void add_files(const char *folder, const char *ending, int length, glob_t *g) {
  char *pattern = malloc(2 * strlen(folder) + (size_t)length + 2), *to = pattern;

  if (!pattern) return;
  for (const char *p = folder; *p; p++) {
    if (strchr("*?[]\\", *p)) *to++ = '\\';
    *to++ = *p;
  }
  sprintf(to, "/%.*s", length, ending);
  glob(pattern, GLOB_NOSORT | (g->gl_pathc ? GLOB_APPEND : 0), NULL, g);
  free(pattern);
}

static void folder_files(const char *folder, const char *endings, glob_t *g) {
  for (const char *p = endings; *p;) {
    const int n = (int)strcspn(p, " ");
    add_files(folder, p, n, g);
    p += n + (p[n] == ' ');
  }
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

fc_status fc_files_list(const char *path, const char *endings, glob_t *g) {
  static const char *const below[] = {"", "/data/train", "/train"};
  char                     folder[4096];

  *g = (glob_t){0};
  if (is_folder(path)) {
    for (int i = 0; i < FC_COUNT(below) && !g->gl_pathc; i++) {
      snprintf(folder, sizeof folder, "%s%s", path, below[i]);
      folder_files(folder, endings, g);
    }
    FC_REQUIRE(g->gl_pathc, FC_E_INPUT, "%s: a folder without %s, also none in data/train", path, endings);
  } else if (access(path, F_OK) && strpbrk(path, "*?[")) {
    glob(path, GLOB_NOSORT, NULL, g);
    FC_REQUIRE(g->gl_pathc, FC_E_INPUT, "%s: no file fits this pattern", path);
  }
  if (g->gl_pathc) qsort(g->gl_pathv, g->gl_pathc, sizeof *g->gl_pathv, by_name);
  return FC_OK;
}
