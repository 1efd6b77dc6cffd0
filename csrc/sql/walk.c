/* Walks driven by the field tables, with a stack of their own. Most statements fit the frames on the C stack. */
#include "sql/walk.h"

#include "sql/idmap.h"
#include <string.h>

const ag_node *ag_child_next(const ag_node *n, ag_child_iter *it)
{
    const ag_field *fields = ag_kind_get(n->kind)->fields;
    for (; fields[it->field].kind != AG_FIELD_END; it->field++, it->item = 0) {
        const void *p = (const char *)n + fields[it->field].offset;
        switch (fields[it->field].kind) {
        case AG_FIELD_CHILD:
        case AG_FIELD_OPT: {
            const ag_node *c = *(const ag_node *const *)p;
            if (c) {
                it->field++;
                return c;
            }
            break;
        }
        case AG_FIELD_LIST:
            if (it->item < ((const ag_nlist *)p)->n)
                return ag_nlist_at(n, *(const ag_nlist *)p, it->item++);
            break;
        default: break;
        }
    }
    return NULL;
}

uint32_t ag_child_count(const ag_node *n)
{
    uint32_t count = 0;
    ag_child_iter it = {0};
    while (ag_child_next(n, &it))
        count++;
    return count;
}

/* ---- walk ---- */

#define INLINE_FRAMES 32

typedef struct frame {
    const ag_node *node, *parent;
    ag_child_iter it;
} frame;

typedef struct stack {
    const ag_alloc *alloc;
    frame *items;
    size_t len, cap;
    frame local[INLINE_FRAMES];
} stack;

static void stack_init(stack *s, const ag_alloc *alloc)
{
    s->alloc = alloc;
    s->items = s->local;
    s->len = 0;
    s->cap = INLINE_FRAMES;
}

static void stack_clear(stack *s)
{
    if (s->items != s->local)
        ag_mem_free(s->alloc, s->items);
}

static bool stack_push(stack *s, const ag_node *n, const ag_node *parent)
{
    if (s->len == s->cap) {
        size_t cap = s->cap * 2;
        frame *items = ag_mem_new(s->alloc, cap * sizeof *items);
        if (!items)
            return false;
        memcpy(items, s->items, s->len * sizeof *items);
        stack_clear(s);
        s->items = items;
        s->cap = cap;
    }
    s->items[s->len++] = (frame){n, parent, {0, 0}};
    return true;
}

static bool counts_once(const ag_node *n)
{
    return n->kind == AG_K_BIND || ag_node_is(n, AG_CLASS_FROM) || ag_node_has_identity(n);
}

typedef struct walk {
    const ag_walker *w;
    stack stack;
    ag_idmap seen;
    bool nomem, aborted;
} walk;

/* Enter n; push it when its children are to be visited. */
static void enter(walk *k, const ag_node *n, const ag_node *parent)
{
    if (k->w->once && counts_once(n)) {
        bool added;
        if (!ag_idmap_put(&k->seen, n, n, &added)) {
            k->nomem = true;
            return;
        }
        if (!added)
            return;
    }
    ag_visit v = k->w->enter ? k->w->enter(k->w->ud, n, parent) : AG_VISIT_CONTINUE;
    if (v == AG_VISIT_ABORT)
        k->aborted = true;
    else if (v == AG_VISIT_CONTINUE && !stack_push(&k->stack, n, parent))
        k->nomem = true;
}

ag_status ag_walk(const ag_node *root, const ag_walker *w, const ag_alloc *alloc, bool *aborted, ag_error *err)
{
    walk k = {.w = w};
    stack_init(&k.stack, alloc);
    ag_idmap_init(&k.seen, alloc);
    enter(&k, root, NULL);
    while (k.stack.len && !k.nomem && !k.aborted) {
        frame *f = &k.stack.items[k.stack.len - 1];
        const ag_node *node = f->node, *parent = f->parent, *c = ag_child_next(node, &f->it);
        if (c) {
            enter(&k, c, node);
            continue;
        }
        k.stack.len--;
        if (w->leave && w->leave(w->ud, node, parent) == AG_VISIT_ABORT)
            k.aborted = true;
    }
    stack_clear(&k.stack);
    ag_idmap_clear(&k.seen);
    if (aborted)
        *aborted = k.aborted;
    return k.nomem ? ag_fail_nomem(err) : AG_OK;
}

typedef struct search {
    ag_kind kind;
    const ag_node *found;
} search;

static ag_visit search_enter(void *ud, const ag_node *n, const ag_node *parent)
{
    search *s = ud;
    (void)parent;
    if (n->kind != (unsigned)s->kind)
        return AG_VISIT_CONTINUE;
    s->found = n;
    return AG_VISIT_ABORT;
}

const ag_node *ag_find_kind(const ag_node *root, ag_kind kind, const ag_alloc *alloc)
{
    search s = {kind, NULL};
    const ag_walker w = {.ud = &s, .enter = search_enter, .once = true};
    return ag_walk(root, &w, alloc, NULL, NULL) == AG_OK ? s.found : NULL;
}
