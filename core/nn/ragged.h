/* core/nn/ragged.h - batches of samples with different numbers of rows. Two forms of an input NAME:
   padded [B, M, w] with NAME_lengths [B] (absent: all M rows count), and packed [R, w], the rows of all
   samples one after the other, with NAME_lengths [B] that add up to R. Networks work on rows [R, w] and
   segments (core/segments.h), into which both forms are turned here. */
#ifndef FC_RAGGED_H
#define FC_RAGGED_H
#include "core/model.h"
#include "core/ops.h"

/* FC_E_MISMATCH unless NAME is there in the wanted form, with B samples and fitting lengths. width -1: any;
   mesh: one sample may stand for all B, then without lengths */
fc_status fc_ragged_check(const fc_batch *b, const char *name, int64_t width, bool packed, int64_t B,
                          bool mesh);

/* the segments without padding */
fc_segments fc_ragged_segments(fc_ctx *c, const fc_batch *b, const char *name, int64_t B);
/* NAME as rows. s: their segments; without mask the padding of a padded form counts as rows. One mesh for all
   samples stays one. */
fc_tensor *fc_ragged_rows(fc_ctx *c, const fc_batch *b, const char *name, int64_t B, bool mask,
                          fc_segments *s);

/* x, B samples of equal length (or their rows) -> the first rows of each, as many as s has */
fc_tensor *fc_ragged_unpad(fc_ctx *c, fc_tensor *x, int64_t B, const fc_segments *s);
/* the same shape with zeros behind the first rows of each: constants, through which no gradient passes */
fc_tensor *fc_ragged_clear(fc_ctx *c, fc_tensor *x, int64_t B, const fc_segments *s);
/* t [B, w], row b for each row of sample b: [R, w] */
fc_tensor *fc_ragged_repeat(fc_ctx *c, fc_tensor *t, const fc_segments *s);
/* rows of one mesh [N, w] for every sample: [B N, w]; x itself if it has all rows already */
fc_tensor *fc_ragged_tile(fc_ctx *c, fc_tensor *x, const fc_segments *s);

/* the cut of packed samples: none, but all ranks want a row of the longest one */
fc_cut fc_ragged_cut(const fc_tensor *lengths);
/* What a rank of a domain has of NAME, of NAME_lengths if so asked, or of rows that belong to NAME's samples:
   of padded forms entries of axis 1, cut as given; of packed ones a block of each sample. */
fc_part fc_ragged_part(const fc_batch *whole, const char *name, fc_cut padded, fc_part_kind kind);
#endif
