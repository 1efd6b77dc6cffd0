/* Filling, moving and reading ag_error. Invariant: an error can always be filled; when a text cannot be allocated the
 * class, codes and flags are still right and nomem is set. */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

static const char *const names[AG_EXC_COUNT] = {
#define X(id, name, parent) name,
    AG_EXC_LIST(X)
#undef X
};

static const uint8_t parents[AG_EXC_COUNT] = {
#define X(id, name, parent) AG_EXC_##parent,
    AG_EXC_LIST(X)
#undef X
};

const char *ag_exc_name(ag_exc cls)
{
    return (unsigned)cls < AG_EXC_COUNT ? names[cls] : names[AG_EXC_ERROR];
}

ag_exc ag_exc_parent(ag_exc cls)
{
    return (unsigned)cls < AG_EXC_COUNT ? (ag_exc)parents[cls] : AG_EXC_ERROR;
}

/* A zero-initialised error is usable too: its texts then come from libc. */
static const ag_alloc *text_alloc(ag_error *err)
{
    if (!err->alloc)
        err->alloc = ag_alloc_libc();
    return err->alloc;
}

void ag_error_init(ag_error *err, const ag_alloc *alloc)
{
    *err = (ag_error){.alloc = alloc};
}

void ag_error_clear(ag_error *err)
{
    const ag_alloc *a = err->alloc;
    if (a) {
        char *texts[] = {err->message, err->detail, err->hint, err->constraint, err->table, err->column, err->schema};
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            ag_mem_free(a, texts[i]);
    }
    ag_error_init(err, a);
}

const char *ag_error_message(const ag_error *err)
{
    if (err->message)
        return err->message;
    if (!err->set)
        return "no error";
    return err->nomem ? "out of memory" : ag_exc_name(err->cls);
}

/* Formatted text, or NULL when out of memory (or when the format itself fails, which no format of ours does). */
static char *format(const ag_alloc *a, const char *fmt, va_list ap)
{
    char small[256];
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    char *text = NULL;
    if (n >= 0 && (size_t)n < sizeof small) {
        text = ag_mem_strndup(a, small, (size_t)n);
    } else if (n >= 0) {
        text = ag_mem_new(a, (size_t)n + 1);
        if (text)
            (void)vsnprintf(text, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    return text;
}

ag_status ag_failv(ag_error *err, ag_exc cls, const char *fmt, va_list ap)
{
    ag_status st = cls == AG_EXC_MEMORY ? AG_NOMEM : AG_ERROR;
    if (!err)
        return st;
    /* formatted before err is cleared: the arguments may be its own texts */
    char *text = format(text_alloc(err), fmt, ap);
    ag_error_clear(err);
    err->set = true;
    err->cls = cls;
    err->message = text;
    err->nomem = !text;
    return st;
}

ag_status ag_fail(ag_error *err, ag_exc cls, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ag_status st = ag_failv(err, cls, fmt, ap);
    va_end(ap);
    return st;
}

ag_status ag_fail_nomem(ag_error *err)
{
    if (err) {
        ag_error_clear(err);
        err->set = true;
        err->cls = AG_EXC_MEMORY;
        err->nomem = true;
    }
    return AG_NOMEM;
}

void ag_error_text(ag_error *err, char **field, const char *s, size_t len)
{
    char *copy = ag_mem_strndup(text_alloc(err), s, len);
    ag_mem_free(err->alloc, *field);
    *field = copy;
    if (!copy)
        err->nomem = true;
}

void ag_error_move(ag_error *dst, ag_error *src)
{
    if (dst == src)
        return;
    ag_error_clear(dst);
    *dst = *src;
    ag_error_init(src, src->alloc);
}

static char *copy_text(ag_error *dst, const char *s)
{
    if (!s)
        return NULL;
    char *p = ag_mem_strndup(dst->alloc, s, strlen(s));
    if (!p)
        dst->nomem = true;
    return p;
}

void ag_error_copy(ag_error *dst, const ag_error *src)
{
    if (dst == src)
        return;
    ag_error_clear(dst);
    const ag_alloc *a = text_alloc(dst);
    *dst = *src;
    dst->alloc = a;
    dst->message = copy_text(dst, src->message);
    dst->detail = copy_text(dst, src->detail);
    dst->hint = copy_text(dst, src->hint);
    dst->constraint = copy_text(dst, src->constraint);
    dst->table = copy_text(dst, src->table);
    dst->column = copy_text(dst, src->column);
    dst->schema = copy_text(dst, src->schema);
}
