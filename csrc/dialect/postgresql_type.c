/* PostgreSQL's type names and literals. */
#include "dialect/postgresql.h"

#include "value/datetime.h"
#include "value/row.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Types that PostgreSQL has by itself, and words of SQL for them: an unqualified name of a user's type among these would mean them. Sorted. */
static const char *const own_types[] = {"aclitem",
                                        "bigint",
                                        "bit",
                                        "bool",
                                        "boolean",
                                        "box",
                                        "bpchar",
                                        "bytea",
                                        "char",
                                        "character",
                                        "cid",
                                        "cidr",
                                        "circle",
                                        "cstring",
                                        "date",
                                        "datemultirange",
                                        "daterange",
                                        "dec",
                                        "decimal",
                                        "float",
                                        "float4",
                                        "float8",
                                        "inet",
                                        "int",
                                        "int2",
                                        "int4",
                                        "int4multirange",
                                        "int4range",
                                        "int8",
                                        "int8multirange",
                                        "int8range",
                                        "integer",
                                        "internal",
                                        "interval",
                                        "json",
                                        "jsonb",
                                        "jsonpath",
                                        "line",
                                        "lseg",
                                        "macaddr",
                                        "macaddr8",
                                        "money",
                                        "name",
                                        "national",
                                        "nchar",
                                        "numeric",
                                        "nummultirange",
                                        "numrange",
                                        "oid",
                                        "path",
                                        "pg_lsn",
                                        "pg_snapshot",
                                        "point",
                                        "polygon",
                                        "real",
                                        "record",
                                        "refcursor",
                                        "regclass",
                                        "regcollation",
                                        "regconfig",
                                        "regdictionary",
                                        "regnamespace",
                                        "regoper",
                                        "regoperator",
                                        "regproc",
                                        "regprocedure",
                                        "regrole",
                                        "regtype",
                                        "smallint",
                                        "text",
                                        "tid",
                                        "time",
                                        "timestamp",
                                        "timestamptz",
                                        "timetz",
                                        "trigger",
                                        "tsmultirange",
                                        "tsquery",
                                        "tsrange",
                                        "tstzmultirange",
                                        "tstzrange",
                                        "tsvector",
                                        "unknown",
                                        "uuid",
                                        "varbit",
                                        "varchar",
                                        "void",
                                        "xid",
                                        "xid8",
                                        "xml"};

static int by_name(const void *key, const void *item)
{
    const ag_str *name = key;
    const char *own = *(const char *const *)item;
    int cmp = strncmp(name->p, own, name->n);
    return cmp == 0 && own[name->n] ? -1 : cmp;
}

bool ag_postgresql_is_one_of(ag_str name, const char *const *sorted, size_t n)
{
    return name.n && bsearch(&name, sorted, n, sizeof *sorted, by_name);
}

bool ag_postgresql_own_type(ag_str name)
{
    return ag_postgresql_is_one_of(name, own_types, sizeof own_types / sizeof *own_types);
}

void ag_postgresql_plain_type(ag_compiler *c, const ag_type *t)
{
    ag_c_str(c, ag_type_lua_name(t));
    if (t->id == AG_TYPE_PG_CITEXT)
        ag_c_collation(c, t);
}

void ag_postgresql_float(ag_compiler *c, const ag_type *t)
{
    ag_c_type_args(c, "FLOAT", t->precision > 0 ? t->precision : -1, -1);
}

void ag_postgresql_double(ag_compiler *c, const ag_type *t)
{
    (void)t;
    ag_c_str(c, "DOUBLE PRECISION");
}

static void zoned(ag_compiler *c, const ag_type *t, const char *name)
{
    ag_c_type_args(c, name, t->precision, -1);
    ag_c_str(c, t->flags & AG_TYPE_TIMEZONE ? " WITH TIME ZONE" : " WITHOUT TIME ZONE");
}

void ag_postgresql_timestamp(ag_compiler *c, const ag_type *t)
{
    zoned(c, t, "TIMESTAMP");
}

void ag_postgresql_time(ag_compiler *c, const ag_type *t)
{
    zoned(c, t, "TIME");
}

void ag_postgresql_interval(ag_compiler *c, const ag_type *t)
{
    if (t->id == AG_TYPE_INTERVAL && !(t->flags & AG_TYPE_NATIVE)) {
        ag_c_str(c, "TIMESTAMP WITHOUT TIME ZONE");
        return;
    }
    ag_c_str(c, "INTERVAL");
    if (t->name) {
        ag_c_str(c, " ");
        ag_c_str(c, t->name);
    }
    if (t->precision >= 0) {
        ag_c_str(c, " (");
        ag_buf_int(&c->out, t->precision);
        ag_c_str(c, ")");
    }
}

void ag_postgresql_bit(ag_compiler *c, const ag_type *t)
{
    ag_c_type_args(c, t->flags & AG_TYPE_VARYING ? "BIT VARYING" : "BIT", t->length > 0 ? t->length : -1, -1);
}

void ag_postgresql_bytea(ag_compiler *c, const ag_type *t)
{
    (void)t;
    ag_c_str(c, "BYTEA");
}

void ag_postgresql_array(ag_compiler *c, const ag_type *t)
{
    size_t at = c->out.len;
    if (!t->item) {
        ag_c_fail(c, AG_EXC_COMPILE, "an ARRAY needs the type of its items");
        return;
    }
    ag_c_type(c, t->item);
    if (c->failed)
        return;
    /* "VARCHAR(5) COLLATE x": the brackets go before the collation. */
    ag_str text = ag_c_cut(c, at);
    const char *m = text.n ? memmem(text.p, text.n, " COLLATE ", 9) : NULL;
    size_t head = m ? (size_t)(m - text.p) : text.n;
    ag_buf_add(&c->out, text.p, head);
    for (int32_t i = 0; i < (t->dims > 0 ? t->dims : 1); i++)
        ag_c_str(c, "[]");
    ag_buf_add(&c->out, text.p + head, text.n - head);
}

void ag_postgresql_named(ag_compiler *c, const ag_type *t)
{
    if (t->id == AG_TYPE_ENUM && !(t->flags & AG_TYPE_NATIVE)) {
        ag_c_type_args(c, "VARCHAR", t->length > 0 ? t->length : -1, -1);
        return;
    }
    ag_c_type_name(c, t, t->schema ? (ag_str){t->schema, strlen(t->schema)} : (ag_str){0});
}

/* ---- literals ---- */

static void special_float(ag_compiler *c, double f)
{
    ag_c_str(c, isnan(f) ? "'NaN'" : f == 0 ? "'-0'" : f > 0 ? "'Infinity'" : "'-Infinity'");
    ag_c_str(c, "::float8");
}

static void array_item(ag_compiler *c, const ag_value *v, const ag_type *item, size_t *at, unsigned dim)
{
    const char *bytes = v->u.s.p;
    size_t n = v->u.s.n, count = (size_t)ag_array_dim_get(bytes, n, dim).length;
    ag_c_str(c, dim ? "[" : "ARRAY[");
    for (size_t i = 0; i < count && !c->failed; i++) {
        ag_c_str(c, i ? ", " : "");
        if (dim + 1 < ag_array_ndim(bytes, n)) {
            array_item(c, v, item, at, dim + 1);
            continue;
        }
        ag_value one;
        ag_array_get(&one, bytes, n, (*at)++);
        ag_c_literal(c, &one, one.kind == AG_V_NULL ? NULL : item); /* NULL in an array is SQL's */
    }
    ag_c_str(c, "]");
}

static void array_literal(ag_compiler *c, const ag_value *v, const ag_type *t)
{
    size_t at = 0;
    const ag_type *item = t->item ? t->item : ag_type_plain(AG_TYPE_NULL);
    if (ag_array_count(v->u.s.p, v->u.s.n) == 0)
        ag_c_str(c, "ARRAY[]");
    else /* the host has converted the elements already: no hooks again */
        array_item(c, v, ag_type_impl(item, c->d->name), &at, 0);
    if (item->id != AG_TYPE_NULL) {
        ag_c_str(c, "::");
        ag_c_type(c, t);
    }
}

/* The text of a type of PostgreSQL's own, with a cast to it where text alone would not do. */
static bool raw_literal(ag_compiler *c, const ag_value *v, const ag_type *t)
{
    switch (ag_type_affinity(t) == AG_AFF_RAW ? t->id : AG_TYPE_NULL) {
    case AG_TYPE_PG_BIT: /* B'…' keeps every bit, a cast to BIT(n) would cut or fill */
        for (size_t i = 0; i < v->u.s.n; i++) {
            if (v->u.s.p[i] != '0' && v->u.s.p[i] != '1') {
                ag_c_fail(c, AG_EXC_DATA, "BIT takes a string of 0 and 1, not '%.*s'",
                          (int)(v->u.s.n < 60 ? v->u.s.n : 60), v->u.s.p);
                return true;
            }
        }
        ag_c_str(c, "B");
        ag_c_string(c, v->u.s);
        return true;
    case AG_TYPE_NULL:
        if (ag_type_affinity(t) != AG_AFF_RANGE && ag_type_affinity(t) != AG_AFF_MULTIRANGE)
            return false;
        break;
    default: break;
    }
    ag_c_string(c, v->u.s);
    ag_c_str(c, "::");
    ag_c_type(c, t);
    return true;
}

bool ag_postgresql_literal(ag_compiler *c, const ag_value *v, const ag_type *t)
{
    switch ((ag_vkind)v->kind) {
    case AG_V_FLOAT:
        if (!isnan(v->u.f) && !isinf(v->u.f) &&
            !(v->u.f == 0 && signbit(v->u.f))) /* -0.0 would be numeric, without a sign */
            return false;
        special_float(c, v->u.f);
        return true;
    case AG_V_DECIMAL:
        if (v->u.s.n && ((v->u.s.p[0] >= '0' && v->u.s.p[0] <= '9') || (v->u.s.p[0] == '-' && v->u.s.p[1] != 'I')))
            return false;
        ag_c_string(c, v->u.s);
        ag_c_str(c, "::numeric");
        return true;
    case AG_V_BYTES: /* E'': whatever standard_conforming_strings is */
        ag_c_str(c, "E'\\\\x");
        ag_c_hex(c, v->u.s);
        ag_c_str(c, "'::bytea");
        return true;
    case AG_V_INTERVAL: {
        char text[AG_TEMPORAL_MAX];
        size_t n = ag_temporal_write(text, v, ' ', -1);
        ag_c_string(c, (ag_str){text, n});
        ag_c_str(c, "::interval");
        return true;
    }
    case AG_V_ARRAY: array_literal(c, v, t); return true;
    case AG_V_TEXT:
    case AG_V_RAW: return raw_literal(c, v, t);
    default: return false;
    }
}

/* ---- values among others ---- */

/* Is t, on PostgreSQL, an ENUM or a DOMAIN of one? */
static bool is_label(const ag_type *t)
{
    while ((t->id == AG_TYPE_PG_DOMAIN || t->id == AG_TYPE_DECORATOR) && t->item)
        t = t->item;
    return t->id == AG_TYPE_ENUM && (t->flags & AG_TYPE_NATIVE) && t->name;
}

/* Behind a value in VALUES and ARRAY[…], where nothing else says that it is a label. */
void ag_postgresql_label_cast(ag_compiler *c, const ag_node *n, const ag_type *t)
{
    t = ag_type_impl(t, "postgresql");
    if (c->failed || n->kind != AG_K_BIND || !is_label(t))
        return;
    ag_c_str(c, "::");
    ag_c_type(c, t);
}

/* Are all items texts, or of no known type? */
static bool holds_texts(const ag_n_array *a)
{
    for (uint32_t i = 0; i < a->items.n; i++) {
        const ag_type *t = ag_type_impl(ag_nlist_at(a, a->items, i)->type, "postgresql");
        if (is_label(t) || (ag_type_affinity(t) != AG_AFF_STRING && ag_type_affinity(t) != AG_AFF_NULL))
            return false;
    }
    return true;
}

void ag_postgresql_visit_array(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_array *a = AG_AS(array, ARRAY, n);
    bool texts = holds_texts(a);
    ag_c_str(c, "ARRAY[");
    for (uint32_t i = 0; i < a->items.n && !c->failed; i++) {
        ag_c_str(c, i ? ", " : "");
        const ag_node *item = ag_nlist_at(a, a->items, i);
        ag_c_visit_operand(c, item, AG_OP_COMMA, k & AG_KW_DOWN);
        ag_postgresql_label_cast(c, item, item->type);
        if (texts && item->type == ag_type_plain(AG_TYPE_STRING)) /* text[], whatever varchar stands beside it */
            ag_c_resolve(c, item);
    }
    ag_c_str(c, "]");
    if (a->items.n || !n->type->item || n->type->item->id == AG_TYPE_NULL)
        return;
    ag_c_str(c, "::");
    ag_c_type(c, n->type);
}
