/* The statement cache of an engine: from a tree's hash to a compiled statement. Equal hashes are confirmed by a walk (sql/key.h), which
 * gathers the new statement's binds in the same pass. Bounded by bytes and entries, the least recently used goes first. */
#include "compile/dialect.h"

#include <string.h>

typedef struct entry entry;
struct entry {
    entry *next;          /* same slot */
    entry *newer, *older; /* by use */
    uint64_t hash;
    ag_compiled *compiled;
    size_t bytes;
    ag_str *keys; /* column_keys */
    uint32_t nkeys;
    ag_translate *translate;
    uint32_t ntranslate;
    bool many;
    uint64_t
        serial; /* of the statement object that was found to be the same tree last (0 none), with its binds: alive */
    ag_binds binds; /* whenever that object is executed, else only addresses */
};

struct ag_cache {
    const ag_alloc *alloc;
    entry **slots;
    size_t nslots;
    entry *newest, *oldest;
    ag_cache_stats stats;
};

ag_status ag_cache_new(ag_cache **out, const ag_alloc *alloc, size_t max_entries, size_t max_bytes, ag_error *err)
{
    ag_cache *c = ag_mem_zero(alloc, 1, sizeof *c);
    *out = NULL;
    if (!c)
        return ag_fail_nomem(err);
    c->alloc = alloc;
    c->nslots = 256;
    c->slots = ag_mem_zero(alloc, c->nslots, sizeof *c->slots);
    if (!c->slots) {
        ag_mem_free(alloc, c);
        return ag_fail_nomem(err);
    }
    c->stats.max_entries = max_entries;
    c->stats.max_bytes = max_bytes;
    *out = c;
    return AG_OK;
}

static void unlink_use(ag_cache *c, entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void link_newest(ag_cache *c, entry *e)
{
    e->newer = NULL;
    e->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = e;
    c->newest = e;
}

static void drop(ag_cache *c, entry *e)
{
    entry **p = &c->slots[e->hash % c->nslots];
    while (*p != e)
        p = &(*p)->next;
    *p = e->next;
    unlink_use(c, e);
    c->stats.entries--;
    c->stats.bytes -= e->bytes;
    ag_compiled_unref(e->compiled);
    ag_vec_clear(&e->binds);
    ag_mem_free(c->alloc, e);
}

void ag_cache_drop(ag_cache *c)
{
    while (c->oldest)
        drop(c, c->oldest);
}

void ag_cache_free(ag_cache *c)
{
    if (!c)
        return;
    ag_cache_drop(c);
    ag_mem_free(c->alloc, c->slots);
    ag_mem_free(c->alloc, c);
}

void ag_cache_get_stats(const ag_cache *c, ag_cache_stats *out)
{
    *out = c->stats;
}

/* ---- keys ---- */

static uint64_t hash_str(uint64_t h, ag_str s)
{
    return s.p ? ag_hash_bytes(h, s.p, s.n) : ag_hash_u64(h, 1);
}

static uint64_t key_hash(const ag_dialect *d, const ag_node *stmt, const ag_compile_options *o,
                         const ag_compile_host *host)
{
    uint64_t h = ag_hash_u64((uint64_t)(uintptr_t)d, stmt->hash);
    if (host && host->overrides)
        h = ag_hash_u64(h, host->overrides->generation);
    if (!o)
        return h;
    h = ag_hash_u64(h, (uint64_t)o->for_executemany | (uint64_t)o->ncolumn_keys << 1);
    for (uint32_t i = 0; i < o->ncolumn_keys; i++)
        h = hash_str(h, o->column_keys[i]);
    for (uint32_t i = 0; i < o->ntranslate; i++)
        h = hash_str(hash_str(h, o->translate[i].from), o->translate[i].to);
    return h;
}

static bool str_eq(ag_str a, ag_str b)
{
    return a.n == b.n && !a.p == !b.p && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool same_options(const entry *e, const ag_compile_options *o)
{
    static const ag_compile_options none;
    o = o ? o : &none;
    if (e->nkeys != o->ncolumn_keys || e->ntranslate != o->ntranslate || e->many != o->for_executemany ||
        !e->keys != !o->column_keys)
        return false;
    for (uint32_t i = 0; i < e->nkeys; i++) {
        if (!str_eq(e->keys[i], o->column_keys[i]))
            return false;
    }
    for (uint32_t i = 0; i < e->ntranslate; i++) {
        if (!str_eq(e->translate[i].from, o->translate[i].from) || !str_eq(e->translate[i].to, o->translate[i].to))
            return false;
    }
    return true;
}

static bool copy_binds(ag_binds *to, const ag_binds *from)
{
    to->len = 0;
    for (size_t i = 0; i < from->len; i++)
        if (!ag_vec_push(to, from->items[i]))
            return false;
    return true;
}

/* Is stmt the entry's tree? An object that was found to be is so for good, and so are its binds; others are compared. */
static ag_status matches(bool *same, entry *e, const ag_node *stmt, uint64_t serial, ag_binds *binds,
                         const ag_alloc *alloc, ag_error *err)
{
    if (serial && e->serial == serial) {
        *same = true;
        return copy_binds(binds, &e->binds) ? AG_OK : ag_fail_nomem(err);
    }
    binds->len = 0;
    AG_TRY(ag_tree_same(same, e->compiled->stmt, stmt, binds, alloc, err));
    if (*same && serial)
        e->serial = copy_binds(&e->binds, binds) ? serial : 0;
    return AG_OK;
}

static ag_status find(entry **out, ag_cache *c, uint64_t hash, const ag_dialect *d, const ag_node *stmt,
                      const ag_compile_options *o, ag_binds *binds, ag_error *err)
{
    *out = NULL;
    for (entry *e = c->slots[hash % c->nslots]; e; e = e->next) {
        bool same = false;
        if (e->hash != hash || e->compiled->dialect != d || !same_options(e, o))
            continue;
        AG_TRY(matches(&same, e, stmt, o ? o->serial : 0, binds, c->alloc, err));
        if (!same)
            continue;
        if (e != c->newest) {
            unlink_use(c, e);
            link_newest(c, e);
        }
        *out = e;
        return AG_OK;
    }
    return AG_OK;
}

/* ---- storing ---- */

typedef struct owners {
    const ag_alloc *alloc;
    ag_owner **items;
    size_t n;
    bool nomem;
} owners;

static void hold(void *ud, struct ag_owner *o)
{
    owners *w = ud;
    ag_owner **p = ag_mem_resize(w->alloc, w->items, (w->n + 1) * sizeof *p);
    if (!p) {
        w->nomem = true;
        return;
    }
    w->items = p;
    p[w->n++] = ag_owner_ref(o);
}

static void release(ag_compiled *c)
{
    owners *w = c->owners;
    for (size_t i = 0; w && i < w->n; i++)
        ag_owner_unref(w->items[i]);
    if (w)
        ag_mem_free(w->alloc, w->items);
}

/* The compiled statement gets a copy of its tree, and holds the MetaDatas that this refers to. */
static ag_status keep_tree(ag_compiled *r, const ag_node *stmt, const ag_alloc *alloc, ag_error *err)
{
    size_t size;
    owners *w = ag_arena_zero(&r->arena, 1, sizeof *w);
    if (!w)
        return ag_fail_nomem(err);
    w->alloc = alloc;
    r->owners = w;
    r->release = release;
    AG_TRY(ag_tree_owners(stmt, hold, w, alloc, err));
    if (w->nomem)
        return ag_fail_nomem(err);
    r->stmt = ag_tree_copy(&r->arena, stmt, alloc, &size, err);
    return r->stmt ? AG_OK : AG_NOMEM;
}

static size_t options_bytes(const ag_compile_options *o)
{
    size_t n = 0;
    for (uint32_t i = 0; o && i < o->ncolumn_keys; i++)
        n += sizeof(ag_str) + o->column_keys[i].n + 1;
    for (uint32_t i = 0; o && i < o->ntranslate; i++)
        n += sizeof(ag_translate) + o->translate[i].from.n + o->translate[i].to.n + 2;
    return n;
}

static ag_str put(char **at, ag_str s)
{
    char *p = *at;
    if (!s.p)
        return s;
    memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    *at += s.n + 1;
    return (ag_str){p, s.n};
}

static entry *new_entry(ag_cache *c, ag_compiled *r, const ag_compile_options *o, uint64_t hash)
{
    entry *e = ag_mem_zero(c->alloc, 1, sizeof *e + options_bytes(o));
    if (!e)
        return NULL;
    e->hash = hash;
    ag_vec_init(&e->binds, c->alloc);
    e->compiled = ag_compiled_ref(r);
    e->bytes = sizeof *e + options_bytes(o) + sizeof *r + r->arena.total;
    if (!o)
        return e;
    e->many = o->for_executemany;
    e->nkeys = o->ncolumn_keys;
    e->ntranslate = o->ntranslate;
    e->keys = o->column_keys ? (ag_str *)(void *)(e + 1) : NULL;
    e->translate = (ag_translate *)(void *)((char *)(e + 1) + e->nkeys * sizeof(ag_str));
    char *at = (char *)e->translate + e->ntranslate * sizeof(ag_translate);
    for (uint32_t i = 0; i < e->nkeys; i++)
        e->keys[i] = put(&at, o->column_keys[i]);
    for (uint32_t i = 0; i < e->ntranslate; i++)
        e->translate[i] = (ag_translate){put(&at, o->translate[i].from), put(&at, o->translate[i].to)};
    return e;
}

static void make_room(ag_cache *c)
{
    const ag_cache_stats *s = &c->stats;
    while (c->oldest != c->newest &&
           ((s->max_entries && s->entries > s->max_entries) || (s->max_bytes && s->bytes > s->max_bytes))) {
        drop(c, c->oldest);
        c->stats.evictions++;
    }
}

static ag_status store(ag_cache *c, ag_compiled *r, const ag_node *stmt, const ag_compile_options *o, uint64_t hash,
                       ag_error *err)
{
    AG_TRY(keep_tree(r, stmt, c->alloc, err));
    entry *e = new_entry(c, r, o, hash);
    if (!e)
        return ag_fail_nomem(err);
    r->flags |= AG_COMPILED_CACHEABLE;
    e->next = c->slots[hash % c->nslots];
    c->slots[hash % c->nslots] = e;
    link_newest(c, e);
    c->stats.entries++;
    c->stats.bytes += e->bytes;
    make_room(c);
    return AG_OK;
}

static bool usable(const ag_cache *c, const ag_node *stmt, const ag_compile_options *o)
{
    if (!c || (o && (o->no_cache || o->literal_binds || o->render_postcompile || o->named)))
        return false;
    return ag_tree_cacheable(stmt) && !ag_node_is(stmt, AG_CLASS_DDL);
}

ag_status ag_compile_cached(ag_compiled **out, ag_binds *binds, ag_cache *cache, const ag_dialect *dialect,
                            const ag_node *stmt, const ag_compile_options *options, ag_compile_host *host,
                            const ag_alloc *alloc, ag_cache_outcome *outcome, ag_error *err)
{
    bool use = usable(cache, stmt, options);
    ag_cache_outcome how = use                                                          ? AG_CACHE_MISS
                           : ag_tree_cacheable(stmt) && !ag_node_is(stmt, AG_CLASS_DDL) ? AG_CACHE_OFF
                                                                                        : AG_CACHE_NO_KEY;
    uint64_t hash = use ? key_hash(dialect, stmt, options, host) : 0;
    entry *e = NULL;
    *out = NULL;
    if (use)
        AG_TRY(find(&e, cache, hash, dialect, stmt, options, binds, err));
    if (e)
        how = AG_CACHE_HIT;
    if (outcome)
        *outcome = how;
    if (cache)
        (*(e ? &cache->stats.hits : use ? &cache->stats.misses : &cache->stats.uncached))++;
    if (e) {
        *out = ag_compiled_ref(e->compiled);
        return AG_OK;
    }
    AG_TRY(ag_compile(out, binds, dialect, stmt, options, host, alloc, err));
    if (use && ((*out)->flags & AG_COMPILED_INLINED) && outcome)
        *outcome = AG_CACHE_NO_KEY;
    if (!use || ((*out)->flags & AG_COMPILED_INLINED))
        return AG_OK;
    ag_status st = store(cache, *out, stmt, options, hash, err);
    if (st != AG_OK) {
        ag_compiled_unref(*out);
        *out = NULL;
    }
    return st;
}
