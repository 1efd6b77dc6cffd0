/* Replacement traversal: a tree is rebuilt from the leaves up with some nodes exchanged. Two stacks, one of nodes
 * whose children are
 * being done and one of finished results; a map from old to new keeps shared nodes shared. */
#include "sql/walk.h"

#include "base/vec.h"
#include "sql/idmap.h"
#include <string.h>

typedef struct frame {
    const ag_node *node;
    ag_child_iter it;
    size_t results; /* length of the result stack when its first child was started */
} frame;

typedef struct job {
    ag_builder *b;
    const ag_replacer *r;
    const ag_node *root;
    AG_VEC(frame) frames;
    AG_VEC(const ag_node *) results;
    ag_idmap done;
    uint32_t nbinds;
    bool failed;
} job;

static void fail_nomem(job *j)
{
    (void)ag_fail_nomem(j->b->err);
    j->failed = true;
}

static void give(job *j, const ag_node *old, const ag_node *result)
{
    bool added;
    if (!result)
        j->failed = true;
    else if (!ag_vec_push(&j->results, result) || !ag_idmap_put(&j->done, old, result, &added))
        fail_nomem(j);
}

/* What stands for n without looking at its children, or NULL. */
static const ag_node *decide(job *j, const ag_node *n)
{
    const ag_node *result = ag_idmap_get(&j->done, n);
    if (!result && j->r->fn)
        result = j->r->fn(j->r->ud, n);
    if (result)
        return result;
    bool schema = n->kind == AG_K_COLUMN || n->kind == AG_K_TABLE;
    if (schema && !(j->r->copy_all && j->r->copy_schema))
        return n;
    if (j->r->skip_subqueries && n != j->root && (n->kind == AG_K_SELECT || n->kind == AG_K_COMPOUND))
        return n;
    return NULL;
}

static void start(job *j, const ag_node *n)
{
    const ag_node *result = decide(j, n);
    if (result) {
        give(j, n, result);
    } else if (!j->failed) {
        frame f = {n, {0, 0}, j->results.len};
        if (!ag_vec_push(&j->frames, f))
            fail_nomem(j);
    }
}

/* The block as it is, in the builder's memory. */
static ag_node *raw_copy(job *j, const ag_node *n)
{
    ag_node *copy = ag_node_new(j->b, (ag_kind)n->kind, n->type, n->size - ag_kind_get(n->kind)->fixed);
    if (!copy)
        return NULL;
    uint16_t scratch = copy->flags & AG_NF_SCRATCH;
    memcpy(copy, n, n->size);
    copy->flags = (uint16_t)((n->flags & ~AG_NF_SCRATCH) | scratch);
    return copy;
}

/* A BIND without its value. Values that decide the text stay. */
static ag_node *bare_bind(job *j, const ag_node *n)
{
    const ag_n_bind *old = AG_AS(bind, BIND, n);
    ag_node *copy = NULL;
    if (n->flags & AG_BIND_LITERAL_EXECUTE) {
        copy = raw_copy(j, n);
    } else {
        ag_str key = ag_nstr_get(old, old->key);
        ag_n_bind *c = ag_node_new(j->b, AG_K_BIND, n->type, ag_room_str(key.n) + ag_room_list(old->types.n));
        if (!c)
            return NULL;
        uint32_t size = c->node.size;
        uint16_t scratch = c->node.flags & AG_NF_SCRATCH;
        *c = *old;
        c->node.size = size;
        c->node.flags = (uint16_t)((n->flags & ~AG_NF_SCRATCH) | scratch);
        c->key = ag_node_str(c, key);
        c->value = (ag_nval){.kind = AG_V_NULL};
        c->values.off = 0;
        c->types = ag_node_types(
            c, old->types.n ? (const ag_type *const *)(const void *)((const char *)old + old->types.off) : NULL,
            old->types.n);
        copy = &c->node;
    }
    if (copy)
        ((ag_n_bind *)(void *)copy)->origin = ++j->nbinds;
    return copy;
}

static void set_children(ag_node *n, const ag_node *const *with)
{
    for (const ag_field *f = ag_kind_get(n->kind)->fields; f->kind != AG_FIELD_END; f++) {
        void *p = (char *)n + f->offset;
        if (f->kind == AG_FIELD_CHILD || (f->kind == AG_FIELD_OPT && *(const ag_node **)p)) {
            *(const ag_node **)p = *with++;
        } else if (f->kind == AG_FIELD_LIST) {
            const ag_nlist *l = p;
            if (l->n)
                memcpy((char *)n + l->off, (const void *)with, l->n * sizeof *with);
            with += l->n;
        }
    }
}

static bool children_changed(const ag_node *n, const ag_node *const *results)
{
    ag_child_iter it = {0};
    for (const ag_node *c; (c = ag_child_next(n, &it)) != NULL; results++) {
        if (c != *results)
            return true;
    }
    return false;
}

/* All children of the top frame are done. */
static void finish(job *j)
{
    frame f = ag_vec_pop(&j->frames);
    const ag_node *n = f.node, *result = n;
    const ag_node *const *children = j->results.items + f.results;
    bool changed = j->results.len > f.results && children_changed(n, children);
    if (changed || j->r->copy_all) {
        bool bare = n->kind == AG_K_BIND && j->r->drop_values;
        ag_node *copy = bare ? bare_bind(j, n) : raw_copy(j, n);
        if (copy && changed) {
            set_children(copy, children);
            /* copies of everything hash as the originals do */
            result = j->r->copy_all && !j->r->fn ? copy : ag_node_finish(j->b, copy);
        } else {
            result = copy;
        }
    }
    j->results.len = f.results;
    give(j, n, result);
}

const ag_node *ag_replace(ag_builder *b, const ag_node *root, const ag_replacer *r)
{
    job j = {.b = b, .r = r, .root = root};
    ag_vec_init(&j.frames, b->alloc);
    ag_vec_init(&j.results, b->alloc);
    ag_idmap_init(&j.done, b->alloc);
    start(&j, root);
    while (j.frames.len && !j.failed) {
        frame *f = &ag_vec_last(&j.frames);
        const ag_node *c = ag_child_next(f->node, &f->it);
        if (c)
            start(&j, c);
        else
            finish(&j);
    }
    const ag_node *result = j.failed ? NULL : j.results.items[0];
    ag_vec_clear(&j.frames);
    ag_vec_clear(&j.results);
    ag_idmap_clear(&j.done);
    return result;
}
