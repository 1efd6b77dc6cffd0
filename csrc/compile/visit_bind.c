/* Bind parameters: placeholders, members of IN, literals. */
#include "compile/visitors.h"
#include <string.h>

static bool value_known(const ag_node *n)
{
    return (n->flags & AG_BIND_HAS_VALUE) && !(n->flags & AG_BIND_CALLABLE);
}

/* The members' values; the k-th, type of its place in a tuple. */
static const ag_type *member_type(const ag_n_bind *b, uint32_t k)
{
    if (b->tuple_width && b->types.n)
        return ag_ntypes_at(b, b->types, k % b->tuple_width % b->types.n);
    return b->node.type;
}

static void literal_value(ag_compiler *c, const ag_n_bind *b, const ag_nval *v, const ag_type *t)
{
    ag_value value;
    ag_nval_get(&value, b, v);
    ag_c_literal(c, &value, t);
}

static void member(ag_compiler *c, const ag_n_bind *b, uint32_t bind, uint32_t i, bool literal)
{
    if (literal) {
        literal_value(c, b, ag_nvals_at(b, b->values, i), member_type(b, i));
        return;
    }
    ag_c_mark2(c, bind, i);
    if (c->d->bind_cast)
        c->d->bind_cast(c, member_type(b, i));
}

/* The type's bind_expression around n, n where it has none, NULL on failure. */
static const ag_node *bind_expression(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_node *out = n;
    if ((k & AG_KW_NO_EXPR) || !ag_type_has_hook(n->type, c->d->name, AG_TYPE_HAS_BIND_EXPR) || !c->host ||
        !c->host->type_expr)
        return n;
    if (!ag_c_host_begin(c) || !ag_c_ok(c, c->host->type_expr(c->host, n->type, c->d, false, n, &out, c->err)))
        return NULL;
    return out ? out : n;
}

/* The key of the bind that a bind_expression gets: copies of it, which type_coerce(bind, type) and cast(bind, type) make, are known by it. */
static const ag_str stand_in_key = {"\001value", 6};

/* What stands for n there. Its type is the column's, and no guess that cast(bind, type) may better. */
static const ag_node *stand_in_of(ag_compiler *c, const ag_node *n)
{
    ag_node *copy = ag_node_with_str(&c->b, n, offsetof(ag_n_bind, key), stand_in_key);
    if (!copy)
        return ag_c_nomem(c), NULL;
    copy->flags |= AG_BIND_TYPED;
    return ag_node_finish(&c->b, copy);
}

static bool is_stand_in(const ag_n_bind *b)
{
    ag_str key = ag_nstr_get(b, b->key);
    return key.n == stand_in_key.n && memcmp(key.p, stand_in_key.p, key.n) == 0;
}

static void placeholder(ag_compiler *c, uint32_t bind, const ag_type *t)
{
    ag_c_mark(c, AG_MARK_BIND, bind);
    if (c->d->bind_cast)
        c->d->bind_cast(c, t);
}

void ag_c_write_param(ag_compiler *c, uint32_t bind, const ag_type *t)
{
    if (c->failed)
        return;
    const ag_bind_spec s = {.key = stand_in_key, .type = t, .flags = AG_BIND_TYPED};
    bool wrapped = ag_type_has_hook(t, c->d->name, AG_TYPE_HAS_BIND_EXPR);
    const ag_node *n = wrapped ? ag_bind(&c->b, &s) : NULL, *around = n ? bind_expression(c, n, 0) : NULL;
    if (wrapped && !n)
        ag_c_nomem(c);
    if (c->failed)
        return;
    if (around == n) {
        placeholder(c, bind, t);
        return;
    }
    const ag_member outer = c->member;
    c->member = (ag_member){AG_AS(bind, BIND, n), bind, AG_WHOLE, false};
    ag_c_visit(c, around, AG_KW_NO_EXPR);
    c->member = outer;
}

void ag_c_write_untyped(ag_compiler *c, const ag_node *n, const ag_type *t)
{
    const ag_n_bind *b = AG_AS(bind, BIND, n);
    if (n->flags & (AG_BIND_EXPANDING | AG_BIND_LITERAL_EXECUTE)) {
        ag_c_visit(c, n, 0);
        return;
    }
    uint32_t bind = ag_c_bind(c, b);
    if (c->failed)
        return;
    if (c->binds.items[bind].type->id == AG_TYPE_NULL)
        c->binds.items[bind].type = t;
    ag_c_write_param(c, bind, t);
}

static void members(ag_compiler *c, const ag_n_bind *b, uint32_t bind, bool literal)
{
    uint32_t width = b->tuple_width;
    const ag_node *stand = width ? &b->node : stand_in_of(c, &b->node);
    const ag_node *around = !width && stand ? bind_expression(c, stand, 0) : stand;
    if (width && c->d->tuple_in_values)
        ag_c_str(c, "VALUES ");
    for (uint32_t i = 0; i < b->values.n && !c->failed; i++) {
        if (i)
            ag_c_str(c, ", ");
        if (width && i % width == 0)
            ag_c_str(c, "(");
        if (around == stand) {
            member(c, b, bind, i, literal);
        } else if (around) { /* its bind_expression, in which the list stands for this member */
            c->member = (ag_member){AG_AS(bind, BIND, stand), bind, i, literal};
            ag_c_visit(c, around, AG_KW_NO_EXPR);
            c->member.list = NULL;
        }
        if (width && i % width == width - 1)
            ag_c_str(c, ")");
    }
}

static void nulls(ag_compiler *c, uint32_t width)
{
    if (width < 2) {
        ag_c_str(c, "NULL");
        return;
    }
    ag_c_str(c, "(");
    for (uint32_t i = 0; i < width; i++)
        ag_c_str(c, i ? ", NULL" : "NULL");
    ag_c_str(c, ")");
}

/* IN over nothing: true of no row, and NOT IN of every row, NULLs included; brackets of the IN stand around it. */
static void empty(ag_compiler *c, const ag_n_bind *b, unsigned k)
{
    if ((k & (AG_KW_IN | AG_KW_NOT_IN)) && !c->d->empty_in_select) {
        nulls(c, b->tuple_width);
        ag_c_str(c, k & AG_KW_IN ? ") AND (1 != 1" : ") OR (1 = 1");
        return;
    }
    uint32_t n = b->tuple_width ? b->tuple_width : 1;
    const ag_type *types[16];
    for (uint32_t i = 0; i < n && i < 16; i++)
        types[i] = member_type(b, i);
    if (c->d->empty_set)
        c->d->empty_set(c, types, n < 16 ? n : 16);
    else
        ag_c_str(c, "SELECT 1 WHERE 1!=1");
}

static bool array_members(const ag_n_bind *b)
{
    switch (ag_type_affinity(b->node.type)) {
    case AG_AFF_INTEGER:
    case AG_AFF_STRING:
    case AG_AFF_UUID: break;
    default: return false;
    }
    for (uint32_t i = 0; i < b->values.n; i++) {
        unsigned kind = ag_nvals_at(b, b->values, i)->kind;
        if (kind != AG_V_INT && kind != AG_V_TEXT && kind != AG_V_UUID && kind != AG_V_NULL)
            return false;
    }
    return true;
}

bool ag_c_array_form(const ag_compiler *c, const ag_node *right, unsigned k)
{
    if (right->kind != AG_K_BIND || !c->d->array_form || (k & AG_KW_LITERAL))
        return false;
    if (right->flags & AG_BIND_ARRAY)
        return true;
    const ag_n_bind *b = AG_AS(bind, BIND, right);
    unsigned want = AG_BIND_EXPANDING | AG_BIND_UNIQUE | AG_BIND_HAS_VALUE;
    return (right->flags & want) == want && !(right->flags & AG_BIND_LITERAL_EXECUTE) && !b->tuple_width &&
           !ag_type_has_hook(right->type, c->d->name, AG_TYPE_HAS_BIND_EXPR) && b->values.n > c->d->array_form_above &&
           array_members(b);
}

void ag_c_visit_array_bind(ag_compiler *c, const ag_node *n)
{
    uint32_t bind = ag_c_bind(c, AG_AS(bind, BIND, n));
    if (c->failed)
        return;
    c->binds.items[bind].array_form = (uint8_t)c->d->array_form;
    uint32_t width = AG_AS(bind, BIND, n)->tuple_width;
    if (!width || c->d->array_form == AG_ARRAY_FORM_JSON) {
        ag_c_mark(c, AG_MARK_BIND, bind);
        size_t at = c->out.len;
        if (c->d->values_cast)
            c->d->values_cast(c, n, n->type);
        ag_c_str(c, c->out.len > at ? "[]" : "");
        return;
    }
    for (uint32_t i = 0; i < width; i++) { /* an array for each member of the tuple */
        ag_c_str(c, i ? ", " : "");
        ag_c_mark2(c, bind, i);
    }
}

/* A value of the statement goes into the text, though neither the call nor its key asks for that. */
static void note_inlined(ag_compiler *c, const ag_node *n, unsigned k)
{
    if ((k & AG_KW_LITERAL) && !(n->flags & AG_BIND_LITERAL_EXECUTE))
        c->compiled_flags |= AG_COMPILED_INLINED;
}

static void expanding(ag_compiler *c, const ag_n_bind *b, unsigned k)
{
    bool literal = (k & AG_KW_LITERAL) || (b->node.flags & AG_BIND_LITERAL_EXECUTE);
    bool unique = (b->node.flags & (AG_BIND_UNIQUE | AG_BIND_ARRAY)) ==
                  AG_BIND_UNIQUE; /* a cached text serves arrays of any length */
    bool fixed = unique || c->o->render_postcompile || (k & AG_KW_LITERAL);
    uint32_t bind = literal && fixed ? 0 : ag_c_bind(c, b);
    note_inlined(c, &b->node, k);
    if (c->failed)
        return;
    if (c->o->render_postcompile && !(b->node.flags & (AG_BIND_HAS_VALUE | AG_BIND_CALLABLE))) {
        ag_str name = ag_nstr_get(b, b->key);
        ag_c_fail(c, AG_EXC_INVALID_REQUEST, "A value is required for bind parameter '%.*s'", (int)name.n, name.p);
        return;
    }
    if (!fixed || !value_known(&b->node)) {
        if (bind_expression(c, &b->node, k) != &b->node)
            ag_c_fail(c, AG_EXC_COMPILE,
                      "a list given in the call cannot be of a type with bind_expression: write in_{…}");
        ag_c_mark(c, k & AG_KW_IN ? AG_MARK_PIECE_IN : k & AG_KW_NOT_IN ? AG_MARK_PIECE_NOT_IN : AG_MARK_PIECE, bind);
        return;
    }
    ag_c_str(c, "(");
    if (b->values.n)
        members(c, b, bind, literal);
    else
        empty(c, b, k);
    ag_c_str(c, ")");
}

/* A bind inside its type's bind_expression: the place that is being written. A copy of another type sends values of that type. */
static void stand_in(ag_compiler *c, const ag_n_bind *b)
{
    if (c->member.list != b && !c->member.literal)
        c->binds.items[c->member.bind].type = b->node.type;
    if (c->member.index == AG_WHOLE)
        placeholder(c, c->member.bind, b->node.type);
    else
        member(c, b, c->member.bind, c->member.index, c->member.literal);
}

/* n in the bind_expression of its type; false: it has none. */
static bool in_expression(ag_compiler *c, const ag_node *n, unsigned k)
{
    if (!(n->type->flags || n->type->nvariants) || (n->flags & AG_BIND_EXPANDING))
        return false;
    bool literal = (k & AG_KW_LITERAL) || (n->flags & AG_BIND_LITERAL_EXECUTE);
    const ag_node *shown = literal ? n : stand_in_of(c, n), *out = shown ? bind_expression(c, shown, k) : NULL;
    if (!shown)
        return true;
    if (out == shown)
        return false;
    const ag_member outer = c->member;
    if (out && !literal)
        c->member = (ag_member){AG_AS(bind, BIND, shown), ag_c_bind(c, AG_AS(bind, BIND, n)), AG_WHOLE, false};
    if (out && !c->failed)
        ag_c_visit(c, out, k | AG_KW_NO_EXPR);
    c->member = outer;
    return true;
}

void ag_visit_bind(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_bind *b = AG_AS(bind, BIND, n);
    if (c->member.list && is_stand_in(b)) {
        stand_in(c, b);
        return;
    }
    if (in_expression(c, n, k))
        return;
    if (n->flags & AG_BIND_EXPANDING) {
        expanding(c, b, k);
        return;
    }
    bool execute = (n->flags & AG_BIND_LITERAL_EXECUTE) != 0;
    bool fixed = (n->flags & AG_BIND_UNIQUE) || c->o->render_postcompile;
    if ((k & AG_KW_LITERAL) || (execute && fixed && value_known(n))) {
        note_inlined(c, n, k);
        if (value_known(n))
            literal_value(c, b, &b->value, n->type);
        else
            ag_c_str(c, "NULL");
        return;
    }
    uint32_t bind = ag_c_bind(c, b);
    if (c->failed)
        return;
    if (n->flags & AG_BIND_JSON_PATH)
        c->binds.items[bind].path_form = (uint8_t)c->d->path_form;
    ag_c_mark(c, execute ? AG_MARK_LITERAL : AG_MARK_BIND, bind);
    if (c->d->bind_cast && !(n->flags & AG_BIND_JSON_PATH))
        c->d->bind_cast(c, n->type);
}

static void literal_path(ag_compiler *c, const ag_n_bind *b)
{
    ag_value v;
    ag_buf text;
    ag_buf_init(&text, c->alloc);
    ag_nval_get(&v, b, &b->value);
    ag_status st = AG_OK;
    if (v.kind == AG_V_HOST && c->host && c->host->value)
        st = c->host->value(c->host, ag_type_plain(AG_TYPE_JSON), &v, false, &v, &c->tmp, c->err);
    if (st == AG_OK)
        st = ag_json_path_write(&text, c->d->path_form, &v, c->err);
    if (ag_c_ok(c, st))
        ag_c_string(c, (ag_str){text.data, text.len});
    ag_buf_clear(&text);
}

/* A JSON index as a path of the dialect's. */
void ag_c_visit_json_index(ag_compiler *c, const ag_node *n, unsigned k)
{
    if (n->kind != AG_K_BIND || !c->d->path_form) {
        ag_c_visit(c, n, k);
        return;
    }
    if (k & AG_KW_LITERAL) {
        literal_path(c, AG_AS(bind, BIND, n));
        return;
    }
    uint32_t bind = ag_c_bind(c, AG_AS(bind, BIND, n));
    if (c->failed)
        return;
    c->binds.items[bind].path_form = (uint8_t)c->d->path_form;
    ag_c_mark(c, AG_MARK_BIND, bind);
}
