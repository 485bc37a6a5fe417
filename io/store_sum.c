/* io/store_sum.c - the sum behind the last byte of a store. HDF5 has none for arrays that lie in one piece,
   and a weight of which a bit has flipped is a number like any other.

     h_k <- (h_k xor word) * prime, four lanes k in turn over words of eight bytes, zeros at the end;
     the sum is the lanes, mixed likewise, and the length. A change of one word always changes it. */
#include "io/store_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 4, BLOCK = 8 * LANES, PIECE = 1 << 20 };

static const uint64_t prime    = 0x9e3779b97f4a7c15u;
static const char     magic[8] = {'F', 'C', 'S', 'U', 'M', ' ', '1', '\n'};

typedef struct {
  char     magic[8];
  uint64_t sum;
} trailer;

static void add(uint64_t h[LANES], const char *x, size_t n) {
  uint64_t word[LANES];

  for (; n >= BLOCK; x += BLOCK, n -= BLOCK) {
    memcpy(word, x, BLOCK);
    for (int k = 0; k < LANES; k++) h[k] = (h[k] ^ word[k]) * prime;
  }
  if (!n) return;
  memset(word, 0, BLOCK);
  memcpy(word, x, n);
  for (int k = 0; k < LANES; k++) h[k] = (h[k] ^ word[k]) * prime;
}

static uint64_t mixed(const uint64_t h[LANES], uint64_t n) {
  for (int k = 0; k < LANES; k++) n = ((n ^ h[k]) * prime) ^ (n >> 29);
  return n;
}

uint64_t fc_store_sum(const void *bytes, size_t n) {
  uint64_t h[LANES] = {1, 2, 3, 4};

  add(h, bytes, n);
  return mixed(h, n);
}

/* of the first n bytes */
static bool sum_of(FILE *f, int64_t n, uint64_t *out) {
  uint64_t h[LANES] = {1, 2, 3, 4};
  char    *piece    = malloc(PIECE);
  int64_t  left     = n;

  for (size_t got = 1; piece && left > 0 && got; left -= (int64_t)got) {
    got = fread(piece, 1, (size_t)fc_min64(left, PIECE), f);
    add(h, piece, got);
  }
  free(piece);
  *out = mixed(h, (uint64_t)n);
  return piece && !left;
}

int fc_store_put_sum(const char *file) {
  FILE   *f = fopen(file, "r+be");
  trailer t;
  int     why = f ? 0 : errno;

  if (!f) return why;
  memcpy(t.magic, magic, sizeof magic);
  errno                = 0;
  const bool    on_end = !fseeko(f, 0, SEEK_END);
  const int64_t n      = on_end ? (int64_t)ftello(f) : -1;
  rewind(f);
  if (n < 0 || !sum_of(f, n, &t.sum) || fseeko(f, 0, SEEK_END) || fwrite(&t, sizeof t, 1, f) != 1 ||
      fflush(f))
    why = errno ? errno : EIO;
  if (fclose(f) && !why) why = errno ? errno : EIO;
  return why;
}

fc_status fc_store_check_sum(const char *path, FILE *f, bool *found) {
  trailer  t;
  uint64_t sum = 0;

  *found = !fseeko(f, -(off_t)sizeof t, SEEK_END) && fread(&t, sizeof t, 1, f) == 1 &&
           !memcmp(t.magic, magic, sizeof magic);
  if (!*found) return FC_OK;
  const int64_t n = (int64_t)ftello(f) - (int64_t)sizeof t;
  rewind(f);
  FC_REQUIRE(sum_of(f, n, &sum) && sum == t.sum, FC_E_INPUT,
             "%s: damaged: its bytes do not add up to its sum", path);
  return FC_OK;
}
