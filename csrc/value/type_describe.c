/* Types as their user would write them: positional arguments, then the options table of what differs from the default. */
#include "value/type.h"

#include "base/buf.h"

typedef struct describe {
    ag_buf *out;
    bool args, options; /* something was written */
} describe;

static void next_arg(describe *d)
{
    ag_buf_str(d->out, d->args ? ", " : "(");
    d->args = true;
}

static void next_option(describe *d, const char *key)
{
    if (d->options) {
        ag_buf_str(d->out, ", ");
    } else {
        next_arg(d);
        ag_buf_char(d->out, '{');
    }
    d->options = true;
    ag_buf_str(d->out, key);
    ag_buf_str(d->out, " = ");
}

static void quoted(ag_buf *out, const char *s)
{
    ag_buf_char(out, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            ag_buf_char(out, '\\');
        ag_buf_char(out, *s);
    }
    ag_buf_char(out, '"');
}

static void number_arg(describe *d, int32_t n)
{
    if (n < 0)
        return;
    next_arg(d);
    ag_buf_int(d->out, n);
}

static void text_option(describe *d, const char *key, const char *s)
{
    if (!s)
        return;
    next_option(d, key);
    quoted(d->out, s);
}

static void number_option(describe *d, const char *key, int32_t n)
{
    if (n < 0)
        return;
    next_option(d, key);
    ag_buf_int(d->out, n);
}

static void write_labels(describe *d, const ag_type *t)
{
    next_arg(d);
    ag_buf_char(d->out, '{');
    for (unsigned i = 0; i < t->nlabels; i++) {
        if (i)
            ag_buf_str(d->out, ", ");
        quoted(d->out, t->labels[i]);
    }
    ag_buf_char(d->out, '}');
}

/* The option that the type of texts read out of t is given by; NULL: t->item is an argument. */
static const char *text_key(const ag_type *t)
{
    return ag_type_affinity(t) == AG_AFF_JSON && t->id != AG_TYPE_DECORATOR ? "astext_type"
           : t->id == AG_TYPE_PG_HSTORE                                     ? "text_type"
                                                                            : NULL;
}

static void write_args(describe *d, const ag_type *t)
{
    bool temporal = ag_type_affinity(t) >= AG_AFF_TIME && ag_type_affinity(t) <= AG_AFF_INTERVAL;
    bool number = ag_type_affinity(t) == AG_AFF_NUMERIC;
    if (t->id == AG_TYPE_ENUM)
        write_labels(d, t);
    else if (!number)
        number_arg(d, t->length);
    if (t->id == AG_TYPE_PG_DOMAIN && t->name) {
        next_arg(d);
        quoted(d->out, t->name);
    }
    if (t->item && !text_key(t)) {
        next_arg(d);
        ag_type_describe(d->out, t->item);
    }
    if (temporal) {
        number_option(d, t->id == AG_TYPE_INTERVAL ? "second_precision" : "precision", t->precision);
    } else {
        number_arg(d, t->precision);
        number_arg(d, t->scale);
    }
    if (number)
        number_option(d, "decimal_return_scale", t->length);
}

static const struct {
    uint32_t flag;
    const char *key;
} flag_options[] = {
    {AG_TYPE_TIMEZONE, "timezone"},
    {AG_TYPE_ASDECIMAL, "asdecimal"},
    {AG_TYPE_NATIVE, "native"},
    {AG_TYPE_CREATE_CHECK, "create_constraint"},
    {AG_TYPE_NONE_AS_NULL, "none_as_null"},
    {AG_TYPE_VALIDATE, "validate_strings"},
    {AG_TYPE_SQLITE_TEXT, "sqlite_text"},
    {AG_TYPE_AS_UUID, "as_uuid"},
    {AG_TYPE_VARYING, "varying"},
    {AG_TYPE_ZERO_INDEXES, "zero_indexes"},
    {AG_TYPE_INHERIT_SCHEMA, "inherit_schema"},
    {AG_TYPE_TRUNCATE, "truncate_microseconds"},
};

/* What t->name is called; NULL: it is written elsewhere, or follows from another option. */
static const char *name_key(const ag_type *t)
{
    switch (t->id) {
    case AG_TYPE_PG_DOMAIN: return NULL;
    case AG_TYPE_PG_INTERVAL: return "fields";
    case AG_TYPE_SQL_DATE:
    case AG_TYPE_SQL_TIME:
    case AG_TYPE_SQL_DATETIME: return t->flags & AG_TYPE_TRUNCATE ? NULL : "storage_format";
    default: return "name";
    }
}

/* The length of an Enum where it is not that of its longest label. */
static void enum_length(describe *d, const ag_type *t)
{
    int32_t longest = 0;
    for (unsigned i = 0; i < t->nlabels; i++) {
        int32_t n = 0;
        for (const char *p = t->labels[i]; *p; p++)
            n += ((unsigned char)*p & 0xc0) != 0x80;
        longest = n > longest ? n : longest;
    }
    if (t->length > longest)
        number_option(d, "length", t->length);
}

static const char *flag_key(const ag_type *t, size_t i)
{
    if (flag_options[i].flag != AG_TYPE_NATIVE)
        return flag_options[i].key;
    return t->id == AG_TYPE_ENUM ? "native_enum" : t->id == AG_TYPE_UUID_GENERIC ? "native_uuid" : "native";
}

static void write_options(describe *d, const ag_type *t)
{
    uint32_t changed = t->flags ^ ag_type_plain((ag_type_id)t->id)->flags;
    if (t->item && text_key(t)) {
        next_option(d, text_key(t));
        ag_type_describe(d->out, t->item);
    }
    if (name_key(t))
        text_option(d, name_key(t), t->name);
    if (t->id == AG_TYPE_ENUM)
        enum_length(d, t);
    text_option(d, t->collation && t->id != AG_TYPE_PG_DOMAIN ? "collation_schema" : "schema", t->schema);
    text_option(d, "collation", t->collation);
    number_option(d, "dimensions", t->dims);
    for (size_t i = 0; i < sizeof flag_options / sizeof flag_options[0]; i++) {
        if (!(changed & flag_options[i].flag))
            continue;
        next_option(d, flag_key(t, i));
        ag_buf_str(d->out, t->flags & flag_options[i].flag ? "true" : "false");
    }
}

static void write_variants(ag_buf *out, const ag_type *t, bool args)
{
    for (uint32_t i = 0; i < t->nvariants; i++) {
        ag_buf_str(out, i || args ? ":with_variant(" : "():with_variant(");
        ag_type_describe(out, t->variants[i].type);
        ag_buf_str(out, ", ");
        quoted(out, t->variants[i].dialect);
        ag_buf_char(out, ')');
    }
}

void ag_type_describe(ag_buf *out, const ag_type *t)
{
    describe d = {.out = out};
    ag_buf_str(out, ag_type_lua_name(t));
    write_args(&d, t);
    write_options(&d, t);
    if (d.options)
        ag_buf_char(out, '}');
    if (d.args)
        ag_buf_char(out, ')');
    write_variants(out, t, d.args);
}
