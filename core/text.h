/* core/text.h - small helpers on strings: UTF-8, words, numbers, edit distance. */
#ifndef FC_TEXT_H
#define FC_TEXT_H
#include "core/base.h"

/* Code point at s and its length in bytes (1-4). 0 bytes: not valid UTF-8 (RFC 3629) or the end of the text.
 */
int  fc_utf8_next(const char *s, uint32_t *code);
bool fc_utf8_valid(const char *s);

/* true if nothing but white space is left */
bool fc_text_blank(const char *s);
/* true if the texts are equal but for the case of ASCII letters */
bool fc_text_same(const char *a, const char *b);

/* The fewest digits that read back to the same double: "100", "0.001", "1e-08"; "nan". 32 bytes are enough.
 */
void fc_text_real(double v, char *buf, size_t size);

/* The next of words separated by commas, perhaps with brackets around them, without blanks at its ends: "a,
   b c" or "[a, b c]". What does not fit into out is cut off. False at the end. */
bool fc_text_item(const char **list, size_t size, char *out);

/* Edits (insert, delete, replace, swap neighbours; each once per place) that turn a into b, case ignored.
   Words are compared up to 127 bytes. Damerau, Comm. ACM 7 (1964) 171; restricted form. */
int fc_text_distance(const char *a, const char *b);
#endif
