/* train/points_items.c */
#include "train/points_items.h"

#include <stdlib.h>
#include <string.h>

struct fc_points_items {
  fc_points *p;
  int64_t    lo, n_samples;
  int64_t   *first;   /* [n_samples + 1]: number of the first item of a sample */
  fc_sample *cache;   /* [n_samples] with all frames, or NULL */
  fc_sample  scratch; /* streaming: history and one frame of the largest sample */
};

static int64_t bytes_of(const fc_points_items *k, int64_t i) {
  const fc_cloud_size z = fc_cloud_own_size(k->p->file, k->lo + i);
  return fc_sample_bytes(k->p, &z, z.steps);
}

int64_t fc_points_items_bytes(const fc_points_items *k) {
  int64_t sum = 0;

  for (int64_t i = 0; i < k->n_samples; i++) sum += bytes_of(k, i);
  return sum;
}

static fc_status load_one(fc_points_items *k, int64_t i) {
  const fc_cloud_size z = fc_cloud_own_size(k->p->file, k->lo + i);

  FC_TRY(fc_sample_create(k->p, &z, z.steps, &k->cache[i]));
  return fc_points_read(k->p, k->lo + i, 0, z.steps, &k->cache[i]);
}

static fc_status build(fc_points_items *k, int64_t cache_bytes) {
  k->first = calloc((size_t)k->n_samples + 1, sizeof *k->first);
  FC_REQUIRE(k->first, FC_E_SYSTEM, "no memory for the list of samples");
  for (int64_t i = 0; i < k->n_samples; i++)
    k->first[i + 1] = k->first[i] + fc_points_frames(k->p, k->lo + i);
  if (fc_points_items_bytes(k) > cache_bytes)
    return fc_sample_create(k->p, &k->p->most, k->p->history + 1, &k->scratch);
  k->cache = calloc((size_t)k->n_samples, sizeof *k->cache);
  FC_REQUIRE(k->cache, FC_E_SYSTEM, "no memory for the list of samples");
  for (int64_t i = 0; i < k->n_samples; i++) FC_TRY(load_one(k, i));
  return FC_OK;
}

fc_status fc_points_items_create(fc_points *p, int64_t lo, int64_t hi, int64_t cache_bytes,
                                 fc_points_items **out) {
  fc_points_items *k = calloc(1, sizeof *k);

  FC_REQUIRE(k, FC_E_SYSTEM, "no memory for the list of samples");
  k->p              = p;
  k->lo             = lo;
  k->n_samples      = hi - lo;
  const fc_status s = build(k, cache_bytes);
  if (s == FC_OK)
    *out = k;
  else
    fc_points_items_destroy(k);
  return s;
}

void fc_points_items_destroy(fc_points_items *k) {
  if (!k) return;
  for (int64_t i = 0; k->cache && i < k->n_samples; i++) fc_sample_free(&k->cache[i]);
  fc_sample_free(&k->scratch);
  free(k->cache);
  free(k->first);
  free(k);
}

int64_t fc_points_items_size(const fc_points_items *k) { return k->first[k->n_samples]; }
bool    fc_points_items_cached(const fc_points_items *k) { return k->cache != NULL; }

void fc_points_items_at(const fc_points_items *k, int64_t i, int64_t *sample, int64_t *frame) {
  int64_t lo = 0, hi = k->n_samples - 1;

  while (lo < hi) {
    const int64_t mid = (lo + hi + 1) / 2;
    if (k->first[mid] <= i)
      lo = mid;
    else
      hi = mid - 1;
  }
  *sample = k->lo + lo;
  *frame  = k->p->history + i - k->first[lo];
}

fc_status fc_points_items_add(fc_points_items *k, int64_t i, fc_points_batch *b) {
  const int64_t h = k->p->history;
  int64_t       sample, frame;

  fc_points_items_at(k, i, &sample, &frame);
  if (k->cache) {
    fc_points_batch_add(k->p, b, &k->cache[sample - k->lo], frame);
    return FC_OK;
  }
  FC_TRY(fc_points_read(k->p, sample, frame - h, h + 1, &k->scratch));
  fc_points_batch_add(k->p, b, &k->scratch, h);
  return FC_OK;
}
