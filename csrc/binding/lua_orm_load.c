/* Results into objects. A plan, made once a statement in Lua (argent.orm.query), says what each row stands for: objects of
 * classes, plain columns, and objects that are members of another one's relationship (joined loading). The loop over rows is here:
 * key → identity map → new block or the object that is there. */
#include "binding/lua_orm_load.h"
#include "binding/lua_result.h"
#include <string.h>

/* ---- plans ---- */

/* A plan's user values: 1 table of metatables (by variant number), 2 the spec (keeps classes alive). */
typedef struct agl_plan {
    agl_box box;
    uint16_t nitems, nvisible, nvariants, nlists;
    uint16_t ncols;
    plan_item *items; /* inside the block */
    plan_variant *variants;
} agl_plan;

static plan_item *items_of(agl_plan *p)
{
    return (plan_item *)(void *)(p + 1);
}

static unsigned opt_number(lua_State *L, int idx, const char *name, unsigned def)
{
    unsigned n = def;
    if (lua_getfield(L, idx, name) == LUA_TNUMBER)
        n = (unsigned)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return n;
}

static bool opt_flag(lua_State *L, int idx, const char *name)
{
    bool b;
    lua_getfield(L, idx, name);
    b = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return b;
}

/* The columns of one variant: an array of column numbers (from 1; 0 or false: none) by slot. Pushes scratch that keeps them. */
static const uint16_t *read_columns(lua_State *L, int idx, const ag_mapper *m, unsigned ncols)
{
    uint16_t *cols = agl_scratch(L, (m->nslots + 1u) * sizeof *cols);
    lua_getfield(L, idx, "columns");
    if (!lua_istable(L, -1))
        agl_error(L, AG_EXC_ARGUMENT, "a load plan without columns");
    for (unsigned i = 0; i < m->nslots; i++) {
        lua_Integer c;
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        c = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
        lua_pop(L, 1);
        if (c > (lua_Integer)ncols)
            agl_error(L, AG_EXC_ARGUMENT, "a load plan names column %d of %d", (int)c, (int)ncols);
        cols[i] = c > 0 ? (uint16_t)(c - 1) : AG_NO_COLUMN;
    }
    lua_pop(L, 1);
    return cols;
}

/* Asked at each row, not kept with the plan: plans are cached, and listeners come later. */
static bool listens(const plan_variant *v, ag_mapper_event event)
{
    return (v->map.mapper->events & AG_ME_BIT(event)) != 0;
}

/* One class of an item, from the table at idx: {class =, columns =}. Anchors go into the table `keep`, metatables into `metas`. */
static void read_variant(lua_State *L, int idx, agl_plan *p, plan_variant *v, int metas, int keep)
{
    agl_mapper *c;
    const uint16_t *cols;
    lua_getfield(L, idx, "class");
    c = agl_mapper_check(L, -1);
    lua_getiuservalue(L, -1, AGL_CU_META);
    lua_rawseti(L, metas, ++p->nvariants);
    cols = read_columns(L, idx, c->m, p->ncols);
    lua_rawseti(L, keep, (lua_Integer)lua_rawlen(L, keep) + 1);
    lua_pop(L, 1);
    ag_load_map_init(&v->map, c->m, cols, p->ncols);
    v->meta = p->nvariants;
    v->key_column = c->m->npk == 1 ? cols[c->m->pk[0]] : AG_NO_COLUMN;
}

static void read_relation(lua_State *L, int idx, agl_plan *p, plan_item *it, unsigned at)
{
    size_t n;
    const char *key;
    const ag_mapper *parent;
    it->parent = (uint16_t)(opt_number(L, idx, "into", 0) - 1u);
    if (it->parent >= at)
        agl_error(L, AG_EXC_ARGUMENT, "a load plan's item goes into one that does not stand before it");
    parent = p->items[it->parent].variants[0].map.mapper;
    lua_getfield(L, idx, "relation");
    key = agl_check_string(L, lua_gettop(L), &n);
    it->relation = ag_mapper_relation(parent, key, n);
    lua_pop(L, 1);
    if (!it->relation)
        agl_error(L, AG_EXC_ARGUMENT, "class %s has no relationship '%s'", parent->name.p, key);
    else if (it->relation->flags & AG_REL_LIST)
        p->nlists++;
}

static void read_item(lua_State *L, int idx, agl_plan *p, unsigned at, int metas, int keep)
{
    plan_item *it = &p->items[at];
    unsigned column = opt_number(L, idx, "column", 0);
    if (column) {
        if (column > p->ncols)
            agl_error(L, AG_EXC_ARGUMENT, "a load plan names column %d of %d", (int)column, (int)p->ncols);
        it->column = (uint16_t)(column - 1);
        lua_getfield(L, idx, "type");
        it->type = NULL;
        lua_pop(L, 1);
        it->visible = true;
        p->nvisible++;
        return;
    }
    it->variants = &p->variants[p->nvariants];
    read_variant(L, idx, p, &p->variants[p->nvariants], metas, keep);
    it->nvariants = 1;
    it->discriminator = (uint16_t)(opt_number(L, idx, "discriminator", 0) - 1u);
    it->collect = opt_flag(L, idx, "collect");
    if (lua_getfield(L, idx, "subclasses") == LUA_TTABLE) {
        int subs = lua_gettop(L);
        for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, subs); i <= n; i++) {
            lua_rawgeti(L, subs, i);
            read_variant(L, lua_gettop(L), p, &p->variants[p->nvariants], metas, keep);
            it->nvariants++;
            lua_settop(L, subs);
        }
    }
    lua_pop(L, 1);
    lua_getfield(L, idx, "into");
    if (!lua_isnil(L, -1)) {
        lua_pop(L, 1);
        read_relation(L, idx, p, it, at);
        return;
    }
    lua_pop(L, 1);
    it->visible = true;
    p->nvisible++;
}

static unsigned count_variants(lua_State *L, int spec, unsigned n)
{
    unsigned total = 0;
    for (unsigned i = 1; i <= n; i++) {
        lua_rawgeti(L, spec, (lua_Integer)i);
        agl_check_table(L, lua_gettop(L));
        total++;
        if (lua_getfield(L, -1, "subclasses") == LUA_TTABLE)
            total += (unsigned)lua_rawlen(L, -1);
        lua_pop(L, 2);
    }
    return total;
}

/* orm_plan(spec, number of columns) → plan */
static int orm_plan(lua_State *L)
{
    agl_plan *p;
    unsigned n, nvariants;
    size_t size;
    agl_check_table(L, 1);
    lua_settop(L, 2);
    n = (unsigned)lua_rawlen(L, 1);
    if (n == 0 || n > 1000)
        return agl_error(L, AG_EXC_ARGUMENT, "a statement loads %d things", (int)n);
    nvariants = count_variants(L, 1, n);
    size = sizeof *p + n * sizeof(plan_item) + nvariants * sizeof(plan_variant);
    p = agl_box_new(L, AGL_K_LOAD_PLAN, size, 3);
    p->ncols = (uint16_t)agl_check_integer(L, 2, 1, UINT16_MAX - 1);
    p->items = items_of(p);
    p->variants = (plan_variant *)(void *)(p->items + n);
    lua_newtable(L); /* 4: metatables */
    lua_newtable(L); /* 5: anchors */
    for (unsigned i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        read_item(L, 6, p, i, 4, 5);
        lua_settop(L, 5);
        p->nitems++;
    }
    lua_pushvalue(L, 1);
    lua_rawseti(L, 5, (lua_Integer)lua_rawlen(L, 5) + 1);
    lua_setiuservalue(L, 3, 2);
    lua_setiuservalue(L, 3, 1);
    return 1;
}

/* ---- the loop ----
 * Stack of orm_load: 1 session, 2 result, 3 plan, 4 populate_existing, then base + … as below. */
enum {
    AT_ITEMS = 5, /* flat array of what the user gets */
    AT_COLLECT,   /* item number → array of objects, each once */
    AT_SEEN,      /* item number → set of those */
    AT_MEMBERS,   /* item number → {parent → members, or the object, or false: loaded already} */
    AT_LOADED,    /* array of objects for "load" listeners */
    AT_REFRESHED, /* array of objects for "refresh" listeners */
    AT_EXTRA,     /* item number → {parent → set of members}: when members may come more than once */
    AT_IDENTITY,  /* variants' identity tables follow: one an item */
};

typedef struct loading {
    agl_session *x;
    agl_plan *p;
    bool populate;
    int identity; /* stack index of item 0's identity table */
    int metas;    /* of variant 0's metatable */
    int now;      /* of item 0's object in the present row */
    uint64_t stamp;
    lua_Integer nloaded, nrefreshed;
    bool watch; /* somebody listens for objects that enter sessions */
} loading;

/* Append the object at the top to the array at `at`. */
static void tell(lua_State *L, int at, lua_Integer *n)
{
    if (lua_isnil(L, at)) {
        lua_newtable(L);
        lua_replace(L, at);
    }
    lua_pushvalue(L, -1);
    lua_rawseti(L, at, ++*n);
}

static void set_cell(lua_State *L, int idx, ag_entity *e, unsigned slot, const ag_value *v)
{
    bool was = ag_entity_is_spilled(e, slot);
    if (ag_entity_put(e, slot, v)) {
        if (was) {
            lua_pushnil(L);
            agl_spill_set(L, idx, (lua_Integer)slot, -1);
            lua_pop(L, 1);
        }
        return;
    }
    agl_push_value(L, v, NULL, NULL);
    agl_spill_set(L, idx, (lua_Integer)slot, -1);
    ag_entity_set_spilled(e, slot);
    lua_pop(L, 1);
}

/* The object is there: columns that it lacks are filled in; with populate, all of them. */
static void refresh(lua_State *L, loading *l, const plan_variant *v, int idx, const ag_row *row)
{
    ag_entity *e = lua_touserdata(L, idx);
    const ag_mapper *m = v->map.mapper;
    ag_value value;
    if (l->populate) {
        agl_session_discard(L, 1, idx, e, m);
        if (e->stamp != l->stamp || ag_entity_any_dirty(e))
            agl_entity_expire(L, idx, e, m);
        e->stamp = l->stamp;
    }
    for (unsigned i = 0; i < m->nslots; i++) {
        unsigned c = v->map.cols[i];
        if (c == AG_NO_COLUMN || (!l->populate && !ag_entity_is_unloaded(e, i)))
            continue;
        ag_row_get(&value, row, c);
        set_cell(L, idx, e, i, &value);
        ag_bit_clear(ag_entity_unloaded(e), i);
    }
    if (listens(v, AG_ME_REFRESH)) {
        lua_pushvalue(L, idx);
        tell(L, AT_REFRESHED, &l->nrefreshed);
        lua_pop(L, 1);
    }
}

/* Push a new object with the row's columns. Its key is at kidx. */
static void make(lua_State *L, loading *l, const plan_variant *v, int identity, int kidx, const ag_row *row)
{
    ag_entity *e = agl_entity_new(L, v->map.mapper, ag_load_bytes(&v->map, row), l->metas + v->meta - 1);
    ag_load_fill(&v->map, e, row);
    e->state = AG_ES_KEY;
    lua_pushvalue(L, kidx);
    lua_pushvalue(L, -2);
    lua_rawset(L, identity);
    e->stamp = l->stamp;
    if (listens(v, AG_ME_LOAD) || l->watch)
        tell(L, AT_LOADED, &l->nloaded);
}

static const plan_variant *choose(const plan_item *it, const ag_row *row)
{
    ag_value v;
    if (it->nvariants == 1 || it->discriminator == AG_NO_COLUMN)
        return &it->variants[0];
    ag_row_get(&v, row, it->discriminator);
    for (unsigned i = 0; i < it->nvariants; i++)
        if (ag_value_equal(&it->variants[i].map.mapper->identity, &v))
            return &it->variants[i];
    return &it->variants[0];
}

/* Push the key of the row for variant v; false: there is none. */
static bool push_key(lua_State *L, const plan_variant *v, const ag_row *row)
{
    ag_value pk[AGL_MAX_KEY];
    if (v->key_column != AG_NO_COLUMN && ag_row_kinds(row)[v->key_column] == AG_V_INT) {
        lua_pushinteger(L, (lua_Integer)ag_row_cells(row)[v->key_column]);
        return true;
    }
    return ag_load_key(&v->map, pk, row) && agl_identity_key(L, v->map.mapper, pk);
}

/* An object that left the session without a trace (resurrected by a finaliser) does not count. */
static bool is_ours(const loading *l, const ag_entity *e)
{
    return ag_entity_session_id(e) == l->x->s->id && e->state & AG_ES_KEY;
}

/* The object of item k in this row goes to its stack slot (nil: none). */
static void load_object(lua_State *L, loading *l, unsigned k, const ag_row *row)
{
    const plan_item *it = &l->p->items[k];
    const plan_variant *v = choose(it, row);
    int top = lua_gettop(L);
    ag_entity *e;
    if (!push_key(L, v, row)) {
        lua_pushnil(L);
        lua_replace(L, l->now + (int)k);
        return;
    }
    lua_pushvalue(L, top + 1);
    if (lua_rawget(L, l->identity + (int)k) != LUA_TUSERDATA || !is_ours(l, lua_touserdata(L, top + 2))) {
        lua_pop(L, 1);
        make(L, l, v, l->identity + (int)k, top + 1, row);
    } else {
        e = lua_touserdata(L, top + 2);
        if (e->stamp != l->stamp && !l->populate)
            agl_entity_sync(L, top + 2, e, v->map.mapper);
        if (l->populate || ag_load_wanted(&v->map, e))
            refresh(L, l, v, top + 2, row);
    }
    lua_replace(L, l->now + (int)k);
    lua_settop(L, top);
}

/* Push table[AT_…][k], made when missing. */
static void push_sub(lua_State *L, int at, unsigned k)
{
    if (lua_isnil(L, at)) {
        lua_newtable(L);
        lua_replace(L, at);
    }
    if (lua_rawgeti(L, at, (lua_Integer)k + 1) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawseti(L, at, (lua_Integer)k + 1);
    }
}

/* Each object of item k once. */
static void collect(lua_State *L, loading *l, unsigned k)
{
    int top = lua_gettop(L), obj = l->now + (int)k;
    if (lua_isnil(L, obj))
        return;
    push_sub(L, AT_SEEN, k);
    lua_pushvalue(L, obj);
    if (lua_rawget(L, top + 1) == LUA_TNIL) {
        lua_pushvalue(L, obj);
        lua_pushboolean(L, 1);
        lua_rawset(L, top + 1);
        push_sub(L, AT_COLLECT, k);
        lua_pushvalue(L, obj);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    lua_settop(L, top);
}

/* A member that was met before in this result (several collections are joined)? */
static bool met_before(lua_State *L, loading *l, unsigned k, int parent, int child)
{
    int top = lua_gettop(L);
    bool met;
    if (l->p->nlists < 2)
        return false;
    push_sub(L, AT_EXTRA, k);
    lua_pushvalue(L, parent);
    if (lua_rawget(L, top + 1) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, parent);
        lua_pushvalue(L, -2);
        lua_rawset(L, top + 1);
    }
    lua_pushvalue(L, child);
    met = lua_rawget(L, top + 2) != LUA_TNIL;
    if (!met) {
        lua_pushvalue(L, child);
        lua_pushboolean(L, 1);
        lua_rawset(L, top + 2);
    }
    lua_settop(L, top);
    return met;
}

/* The object of item k becomes a member of its parent's relationship. */
static void join_member(lua_State *L, loading *l, unsigned k)
{
    const plan_item *it = &l->p->items[k];
    int top = lua_gettop(L), parent = l->now + it->parent, child = l->now + (int)k;
    ag_entity *e = lua_touserdata(L, parent);
    const ag_mapper *m;
    if (!e)
        return;
    push_sub(L, AT_MEMBERS, k);
    lua_pushvalue(L, parent);
    if (lua_rawget(L, top + 1) == LUA_TNIL) { /* the parent's first row */
        lua_pop(L, 1);
        m = agl_entity_mapper(L, parent);
        if (m && !l->populate && !ag_entity_is_unloaded(e, m->nslots + (unsigned)it->relation->index))
            lua_pushboolean(L, 0);
        else if (it->relation->flags & AG_REL_LIST)
            lua_newtable(L);
        else if (lua_isnil(L, child))
            lua_pushboolean(L, 1);
        else
            lua_pushvalue(L, child);
        lua_pushvalue(L, parent);
        lua_pushvalue(L, -2);
        lua_rawset(L, top + 1);
    }
    if (lua_istable(L, top + 2) && !lua_isnil(L, child) && !met_before(L, l, k, parent, child)) {
        lua_pushvalue(L, child);
        lua_rawseti(L, top + 2, (lua_Integer)lua_rawlen(L, top + 2) + 1);
    }
    lua_settop(L, top);
}

static void load_row(lua_State *L, loading *l, const ag_row *row, const agl_shape *shape, lua_Integer *at)
{
    for (unsigned k = 0; k < l->p->nitems; k++) {
        const plan_item *it = &l->p->items[k];
        if (!it->variants) {
            agl_push_cell(L, row, it->column, shape->types[it->column], &shape->codec);
            lua_replace(L, l->now + (int)k);
        } else {
            load_object(L, l, k, row);
            if (it->relation)
                join_member(L, l, k);
            if (it->collect)
                collect(L, l, k);
        }
        if (!it->visible)
            continue;
        lua_pushvalue(L, l->now + (int)k);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            agl_push_null(L);
        }
        lua_rawseti(L, AT_ITEMS, ++*at);
    }
}

/* Give the gathered members to their parents. */
static void finish_members(lua_State *L, loading *l)
{
    int top = lua_gettop(L);
    for (unsigned k = 0; k < l->p->nitems; k++) {
        const plan_item *it = &l->p->items[k];
        if (!it->relation || lua_isnil(L, AT_MEMBERS) || lua_rawgeti(L, AT_MEMBERS, (lua_Integer)k + 1) != LUA_TTABLE) {
            lua_settop(L, top);
            continue;
        }
        lua_pushnil(L);
        while (lua_next(L, top + 1)) { /* parent, members */
            ag_entity *e = lua_touserdata(L, top + 2);
            const ag_mapper *m = agl_entity_mapper(L, top + 2);
            if (m && (!lua_isboolean(L, top + 3) || lua_toboolean(L, top + 3))) {
                if (lua_isboolean(L, top + 3)) {
                    lua_pushnil(L);
                    lua_replace(L, top + 3);
                }
                agl_link_loaded(L, top + 2, e, m, it->relation->index, top + 3);
            }
            lua_settop(L, top + 2);
        }
        lua_settop(L, top);
    }
}

static void prepare(lua_State *L, loading *l, lua_Integer nrows)
{
    lua_Integer n = nrows * l->p->nvisible;
    luaL_checkstack(L, 40 + 3 * l->p->nitems + l->p->nvariants, "a result of too many classes");
    lua_createtable(L, n > INT32_MAX ? 0 : (int)n, 0);
    lua_settop(L, AT_IDENTITY - 1); /* made when first needed */
    l->identity = lua_gettop(L) + 1;
    for (unsigned k = 0; k < l->p->nitems; k++) {
        if (l->p->items[k].variants)
            agl_identity_table(L, 1, l->p->items[k].variants[0].map.mapper);
        else
            lua_pushnil(L);
    }
    l->metas = lua_gettop(L) + 1;
    lua_getiuservalue(L, 3, 1);
    lua_insert(L, l->metas);
    for (unsigned i = 1; i <= l->p->nvariants; i++)
        lua_rawgeti(L, l->metas, (lua_Integer)i);
    l->metas++;
    l->now = lua_gettop(L) + 1;
    lua_settop(L, l->now + l->p->nitems - 1);
}

/* orm_load(session, result, plan, populate_existing) → items, rows, collected, loaded, refreshed
 * Reads the rows that the result has in memory. */
static int orm_load(lua_State *L)
{
    agl_session *x = agl_session_check(L, 1);
    agl_result *res = agl_result_check(L, 2);
    agl_plan *p = agl_check(L, 3, AGL_K_LOAD_PLAN);
    loading l = {.x = x,
                 .p = p,
                 .populate = lua_toboolean(L, 4),
                 .stamp = ag_session_stamp(x->s),
                 .watch = agl_orm_get(L)->watch};
    const agl_shape *shape;
    const ag_row *row;
    lua_Integer at = 0, nrows = 0;
    lua_settop(L, 4);
    if (!res->r || ag_result_ncolumns(res->r) != p->ncols)
        return agl_error(L, AG_EXC_INVALID_REQUEST, "the statement returned %d columns where %d were expected",
                         res->r ? (int)ag_result_ncolumns(res->r) : 0, (int)p->ncols);
    lua_getiuservalue(L, 2, 1);
    shape = agl_shape_of(L, -1);
    lua_pop(L, 1); /* the result keeps it */
    prepare(L, &l, (lua_Integer)ag_result_remaining(res->r));
    while (ag_result_next_row(res->r, &row, agl_err(L)) == AG_NEXT_ROW) {
        load_row(L, &l, row, shape, &at);
        nrows++;
    }
    finish_members(L, &l);
    lua_pushvalue(L, AT_ITEMS);
    lua_pushinteger(L, nrows);
    lua_pushvalue(L, AT_COLLECT);
    lua_pushvalue(L, AT_LOADED);
    lua_pushvalue(L, AT_REFRESHED);
    return 5;
}

/* orm_result(items, rows, names, must_be_unique, refill) → Result */
static int orm_result(lua_State *L)
{
    agl_check_table(L, 1);
    agl_check_table(L, 3);
    lua_settop(L, 5);
    (void)agl_result_new(L);
    agl_result_fill_items(L, 6, 1, agl_check_integer(L, 2, 0, LUA_MAXINTEGER), 3, (uint32_t)lua_rawlen(L, 3),
                          lua_isnil(L, 5) ? 0 : 5);
    agl_result_check(L, 6)->must_unique = lua_toboolean(L, 4);
    lua_settop(L, 6);
    return 1;
}

void agl_open_orm_load(lua_State *L)
{
    static const agl_class plan = {.name = "load plan"};
    static const luaL_Reg fns[] = {
        {"orm_plan", orm_plan}, {"orm_load", orm_load}, {"orm_result", orm_result}, {NULL, NULL}};
    agl_class_open(L, AGL_K_LOAD_PLAN, &plan);
    agl_functions_internal(L, fns);
    agl_open_orm_links(L);
}
