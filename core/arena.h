/* core/arena.h - one reserved address range, pushed and popped like a stack.
   Pages are committed on first touch, so reserving is free and pointers never
   move. After the first step the pages are there: no malloc, no faults. */
#ifndef FC_ARENA_H
#define FC_ARENA_H
#include "core/base.h"

typedef struct fc_arena fc_arena;

/* reserve_bytes of address space; FC_E_SYSTEM if the system refuses. large_pages suits arenas that
   will be filled, not those of a plan, which touch a few bytes here and there. */
fc_status fc_arena_create(size_t reserve_bytes, bool large_pages, fc_arena **out);
void      fc_arena_destroy(fc_arena *a); /* NULL is fine */

/* 64-byte aligned, not cleared, never NULL. Running past the reserve is a programming error:
   whoever runs a step plans it first (train/plan.h) and refuses what does not fit. */
void  *fc_arena_push(fc_arena *a, size_t bytes);
size_t fc_arena_mark(const fc_arena *a);
size_t fc_arena_round(size_t bytes);           /* what a push of so many bytes takes */
void  *fc_arena_top(const fc_arena *a);        /* where the next push will lie */
void   fc_arena_pop(fc_arena *a, size_t mark); /* everything pushed since the mark is gone */
/* pops to the mark but keeps bytes at p, which move down to the mark; move = false leaves their values */
void  *fc_arena_keep(fc_arena *a, size_t mark, const void *p, size_t bytes, bool move);
bool   fc_arena_above(const fc_arena *a, size_t mark, const void *p); /* was p pushed after the mark? */
size_t fc_arena_peak(const fc_arena *a);                              /* bytes; what the log reports */
void   fc_arena_peak_reset(fc_arena *a);
#endif
