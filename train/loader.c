/* train/loader.c - two slots: one is used, the other is filled. */
#include "train/loader.h"

#include "core/rng.h"
#include "hpc/comm.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  void     *batch;
  int64_t   position; /* of its first item, -1: empty */
  fc_status status;
  char      message[512];
} slot;

struct fc_loader {
  const fc_feed  *feed;
  int64_t         batch, lo, hi; /* the whole batch; this rank's part */
  int64_t         position;
  uint64_t        seed;
  int64_t        *order, epoch; /* permutation of this epoch; used by whoever fills */
  slot            slots[2];
  int             current;
  bool            threaded, busy, quit;
  pthread_t       thread;
  pthread_mutex_t lock;
  pthread_cond_t  change;
};

static int64_t item_at(fc_loader *l, int64_t position) {
  const int64_t n = l->feed->items, epoch = position / n;

  if (epoch != l->epoch) {
    const fc_rng r = {l->seed, (uint64_t)epoch, FC_RNG_SHUFFLE};
    fc_rng_permutation(&r, n, l->order);
    l->epoch = epoch;
  }
  return l->order[position % n];
}

static void fill(fc_loader *l, slot *s, int64_t position) {
  const int64_t n = l->hi - l->lo;

  s->position = position;
  s->status   = FC_OK;
  for (int64_t k = 0; k < n && s->status == FC_OK; k++)
    s->status = l->feed->kind->fetch(l->feed->self, item_at(l, position + l->lo + k), n, k, s->batch);
  if (s->status != FC_OK) snprintf(s->message, sizeof s->message, "%s", fc_error());
}

/* waits for an empty slot to be asked for, reads, sleeps again */
static void *read_ahead(void *user) {
  fc_loader *l = user;

  pthread_mutex_lock(&l->lock);
  for (;;) {
    while (!l->busy && !l->quit) pthread_cond_wait(&l->change, &l->lock);
    if (l->quit) break;
    slot         *s  = &l->slots[1 - l->current];
    const int64_t at = s->position;
    pthread_mutex_unlock(&l->lock);
    fill(l, s, at);
    pthread_mutex_lock(&l->lock);
    l->busy = false;
    pthread_cond_broadcast(&l->change);
  }
  pthread_mutex_unlock(&l->lock);
  return NULL;
}

static fc_status start_thread(fc_loader *l) {
  pthread_mutex_init(&l->lock, NULL);
  pthread_cond_init(&l->change, NULL);
  l->threaded = !pthread_create(&l->thread, NULL, read_ahead, l);
  FC_REQUIRE(l->threaded, FC_E_SYSTEM, "cannot start the thread that reads ahead");
  return FC_OK;
}

int64_t fc_loader_bytes(const fc_feed *f, int64_t batch) {
  int64_t lo, hi;

  fc_comm_block(f->ranks->data, batch, &lo, &hi);
  return (f->in_memory ? 1 : 2) * f->kind->batch_bytes(f->self, hi - lo);
}

static fc_status build(fc_loader *l) {
  const size_t bytes = (size_t)l->feed->kind->batch_bytes(l->feed->self, l->hi - l->lo);
  const int    slots = l->feed->in_memory ? 1 : 2;

  l->order = malloc((size_t)l->feed->items * sizeof *l->order);
  FC_REQUIRE(l->order, FC_E_SYSTEM, "no memory for the order of the %s", l->feed->kind->items);
  for (int i = 0; i < slots; i++) {
    l->slots[i].batch = malloc(bytes);
    FC_REQUIRE(l->slots[i].batch, FC_E_SYSTEM, "no memory for a batch; lower train.batch");
  }
  return slots == 2 ? start_thread(l) : FC_OK;
}

fc_status fc_loader_create(const fc_feed *f, int64_t batch, uint64_t seed, fc_loader **out) {
  FC_ASSERT(batch >= f->ranks->groups, "a batch of %lld for %d groups of ranks", (long long)batch,
            f->ranks->groups);
  fc_loader *l = calloc(1, sizeof *l);
  FC_REQUIRE(l, FC_E_SYSTEM, "no memory for the loader");
  l->feed  = f;
  l->batch = batch;
  l->seed  = seed;
  l->epoch = -1;
  for (int i = 0; i < 2; i++) l->slots[i].position = -1;
  fc_comm_block(f->ranks->data, batch, &l->lo, &l->hi);
  const fc_status s = build(l);
  if (s == FC_OK)
    *out = l;
  else
    fc_loader_destroy(l);
  return s;
}

void fc_loader_destroy(fc_loader *l) {
  if (!l) return;
  if (l->threaded) {
    pthread_mutex_lock(&l->lock);
    l->quit = true;
    pthread_cond_broadcast(&l->change);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->change);
    pthread_mutex_destroy(&l->lock);
  }
  for (int i = 0; i < 2; i++) free(l->slots[i].batch);
  free(l->order);
  free(l);
}

void    fc_loader_seek(fc_loader *l, int64_t position) { l->position = position; }
int64_t fc_loader_position(const fc_loader *l) { return l->position; }

void fc_loader_quiet(fc_loader *l) {
  if (!l->threaded) return;
  pthread_mutex_lock(&l->lock);
  while (l->busy) pthread_cond_wait(&l->change, &l->lock);
  pthread_mutex_unlock(&l->lock);
}

/* asks the thread for the other slot; the thread is idle */
static void ask(fc_loader *l, int64_t position) {
  pthread_mutex_lock(&l->lock);
  l->slots[1 - l->current].position = position;
  l->busy                           = true;
  pthread_cond_broadcast(&l->change);
  pthread_mutex_unlock(&l->lock);
}

static slot *take_threaded(fc_loader *l) {
  fc_loader_quiet(l);
  if (l->slots[1 - l->current].position != l->position) {
    ask(l, l->position);
    fc_loader_quiet(l);
  }
  l->current = 1 - l->current;
  ask(l, l->position + l->batch);
  return &l->slots[l->current];
}

fc_status fc_loader_next(fc_loader *l, fc_load *out) {
  slot *s = &l->slots[0];

  if (l->threaded)
    s = take_threaded(l);
  else
    fill(l, s, l->position);
  if (s->status != FC_OK) return fc_fail(s->status, "%s", s->message);
  l->position += l->batch;
  *out = (fc_load){s->batch, l->hi - l->lo, l->lo};
  return FC_OK;
}
