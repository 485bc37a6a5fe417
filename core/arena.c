/* core/arena.c - mmap'ed stack. */
#include "core/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGN = 64 };

struct fc_arena {
  unsigned char *base;
  size_t         size, used, peak;
};

fc_status fc_arena_create(size_t reserve_bytes, bool large_pages, fc_arena **out) {
  fc_arena *a = calloc(1, sizeof *a);

  FC_REQUIRE(a, FC_E_SYSTEM, "no memory for an arena");
  a->size = reserve_bytes;
  a->base = mmap(NULL, a->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (a->base == MAP_FAILED) {
    free(a);
    return fc_fail(FC_E_SYSTEM, "cannot reserve %.1f GiB of address space: %s",
                   (double)reserve_bytes / 0x1p30, strerror(errno));
  }
  /* large pages halve the page faults of the first step and TLB misses of all others */
  if (large_pages) madvise(a->base, a->size, MADV_HUGEPAGE);
  *out = a;
  return FC_OK;
}

void fc_arena_destroy(fc_arena *a) {
  if (!a) return;
  munmap(a->base, a->size);
  free(a);
}

size_t fc_arena_round(size_t bytes) { return (bytes + ALIGN - 1) / ALIGN * ALIGN; }

void *fc_arena_push(fc_arena *a, size_t bytes) {
  unsigned char *p    = a->base + a->used;
  const size_t   need = fc_arena_round(bytes);

  FC_ASSERT(need <= a->size - a->used, "arena of %zu bytes is full: %zu used, %zu more wanted", a->size,
            a->used, need);
  a->used += need;
  if (a->used > a->peak) a->peak = a->used;
  return p;
}

size_t fc_arena_mark(const fc_arena *a) { return a->used; }
void  *fc_arena_top(const fc_arena *a) { return a->base + a->used; }

void fc_arena_pop(fc_arena *a, size_t mark) {
  FC_ASSERT(mark <= a->used, "arena popped to %zu, but only %zu bytes are in use", mark, a->used);
#ifdef FC_POISON /* debug builds: dead memory reads as NaN in float and double */
  memset(a->base + mark, 0xff, a->used - mark);
#endif
  a->used = mark;
}

void *fc_arena_keep(fc_arena *a, size_t mark, const void *p, size_t bytes, bool move) {
  const size_t end = mark + fc_arena_round(bytes);

  FC_ASSERT(end <= a->used, "fc_arena_keep: %zu bytes from mark %zu, but only %zu are in use", bytes, mark,
            a->used);
  if (move) memmove(a->base + mark, p, bytes);
  fc_arena_pop(a, end);
  return a->base + mark;
}

bool fc_arena_above(const fc_arena *a, size_t mark, const void *p) {
  const unsigned char *q = p;

  return q >= a->base + mark && q < a->base + a->used;
}

size_t fc_arena_peak(const fc_arena *a) { return a->peak; }
void   fc_arena_peak_reset(fc_arena *a) { a->peak = a->used; }
