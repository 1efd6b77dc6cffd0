/* The identity map: one object for a primary key in a session. The map itself is the host's (weak references are only the
 * host's to give: architecture decision 5), one for each session and base mapper; this is the core's view of it. */
#ifndef AG_ORM_IDENTITY_H
#define AG_ORM_IDENTITY_H

#include "orm/state.h"

/* Keys in the host's map: one integer key is that integer; one text-like key is its bytes behind a kind byte; anything else is
 * what ag_identity_key writes. Equal keys give equal bytes: integers and integral floats alike. */

/* Bytes of a key into a buffer: unambiguous, each part preceded by its kind. pk: m->npk values. */
struct ag_buf;
/* One value, so that equal ones give equal bytes and no value is the beginning of another. */
void ag_identity_add(struct ag_buf *out, const ag_value *v);
void ag_identity_key(struct ag_buf *out, const ag_mapper *m, const ag_value *pk);
/* Is any part NULL (or, without partial keys, absent)? Such a key is none. */
bool ag_identity_is_null(const ag_mapper *m, const ag_value *pk);
/* Readable: "User(5)", "Line(3, 'x')". */
void ag_identity_describe(struct ag_buf *out, const ag_mapper *m, const ag_value *pk);

#define AG_NO_OBJECT UINT32_MAX

#endif
