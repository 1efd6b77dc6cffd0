/* What nodes.def says of each kind, as tables, and the questions about nodes that need only those. */
#include "sql/node.h"

#include "base/buf.h"
#include "sql/table.h"

/* One field table a kind. */
#define AG_NODE(KIND, name, CLASS) static const ag_field fields_##name[] = {
#define FIELD(F, name, f)          {AG_FIELD_##F, (uint16_t)offsetof(ag_n_##name, f), #f},
#define AG_F_CHILD(name, f)        FIELD(CHILD, name, f)
#define AG_F_OPT(name, f)          FIELD(OPT, name, f)
#define AG_F_LIST(name, f)         FIELD(LIST, name, f)
#define AG_F_STR(name, f)          FIELD(STR, name, f)
#define AG_F_STRS(name, f)         FIELD(STRS, name, f)
#define AG_F_INT(name, f)          FIELD(INT, name, f)
#define AG_F_I64(name, f)          FIELD(I64, name, f)
#define AG_F_INTS(name, f)         FIELD(INTS, name, f)
#define AG_F_TYPE(name, f)         FIELD(TYPE, name, f)
#define AG_F_TYPES(name, f)        FIELD(TYPES, name, f)
#define AG_F_OBJ(name, f, ctype)   FIELD(OBJ, name, f)
#define AG_F_HOST(name, f)         FIELD(HOST, name, f)
#define AG_F_VALUE(name, f)        FIELD(VALUE, name, f)
#define AG_F_VALUES(name, f)       FIELD(VALUES, name, f)
#define AG_NODE_END(KIND, name)                                                                                        \
    {                                                                                                                  \
        AG_FIELD_END, 0, NULL                                                                                          \
    }                                                                                                                  \
    }                                                                                                                  \
    ;
#include "sql/nodes.def"

static const ag_field no_fields[] = {{AG_FIELD_END, 0, NULL}};

const ag_kind_info ag_kind_table[AG_K_COUNT] = {
    [AG_K_NONE] = {"none", 0, sizeof(ag_node), no_fields},
#define AG_NODE(KIND, name, CLASS) [AG_K_##KIND] = {#name, AG_CLASS_##CLASS, sizeof(ag_n_##name), fields_##name},
#include "sql/nodes.def"
};

void ag_nval_get(ag_value *out, const void *p, const ag_nval *v)
{
    *out = (ag_value){.kind = v->kind, .flags = v->flags, .offset = v->offset};
    if (ag_vkind_has_bytes(v->kind))
        out->u.s = v->u.s.off ? ag_nstr_get(p, v->u.s) : (ag_str){"", 0};
    else if (v->kind == AG_V_INTERVAL)
        out->u.iv = v->u.iv;
    else
        out->u.i = v->u.i;
}

bool ag_node_is_selectable(const ag_node *n)
{
    return n->kind == AG_K_SELECT || n->kind == AG_K_COMPOUND || n->kind == AG_K_TEXT_SELECT || n->kind == AG_K_VALUES;
}

bool ag_node_has_identity(const ag_node *n)
{
    switch (n->kind) {
    case AG_K_BIND: return (n->flags & AG_BIND_UNIQUE) != 0;
    case AG_K_LABEL: return (n->flags & AG_LABEL_ANON) != 0;
    case AG_K_TABLE: return false;
    default: return ag_node_is(n, AG_CLASS_FROM);
    }
}

/* ---- dump ---- for people and tests; long chains are cut */

#define DUMP_LEVELS 600

static void dump_node(ag_buf *out, const ag_node *n, int level);

static void dump_str(ag_buf *out, ag_str s)
{
    if (s.p) {
        ag_buf_char(out, ' ');
        ag_buf_add(out, s.p, s.n);
    }
}

static void dump_value(ag_buf *out, const ag_node *n, const ag_nval *nv)
{
    ag_value v;
    ag_nval_get(&v, n, nv);
    if (ag_vkind_has_bytes(v.kind)) {
        ag_buf_char(out, '\'');
        ag_buf_add(out, v.u.s.p, v.u.s.n);
        ag_buf_char(out, '\'');
    } else if (v.kind == AG_V_NULL) {
        ag_buf_str(out, "null");
    } else if (v.kind == AG_V_FLOAT) {
        ag_buf_double(out, v.u.f);
    } else if (v.kind == AG_V_BOOL) {
        ag_buf_str(out, v.u.i ? "true" : "false");
    } else if (v.kind == AG_V_INT) {
        ag_buf_int(out, v.u.i);
    } else {
        ag_buf_str(out, ag_vkind_name(v.kind));
    }
}

static void dump_list(ag_buf *out, const ag_node *n, const ag_field *f, ag_nlist l, int level)
{
    if (!l.n)
        return;
    ag_buf_printf(out, " %s[", f->name);
    for (uint32_t i = 0; i < l.n; i++) {
        if (i)
            ag_buf_char(out, ' ');
        dump_node(out, ag_nlist_at(n, l, i), level + 1);
    }
    ag_buf_char(out, ']');
}

static void dump_values(ag_buf *out, const ag_node *n, ag_nlist l)
{
    if (!l.off && l.n)
        ag_buf_printf(out, " %u dropped", (unsigned)l.n);
    for (uint32_t i = 0; l.off && i < l.n; i++) {
        ag_buf_char(out, ' ');
        dump_value(out, n, ag_nvals_at(n, l, i));
    }
}

static void dump_field(ag_buf *out, const ag_node *n, const ag_field *f, int level)
{
    const void *p = (const char *)n + f->offset;
    switch (f->kind) {
    case AG_FIELD_CHILD:
    case AG_FIELD_OPT:
        if (*(const ag_node *const *)p) {
            ag_buf_char(out, ' ');
            dump_node(out, *(const ag_node *const *)p, level + 1);
        }
        break;
    case AG_FIELD_LIST: dump_list(out, n, f, *(const ag_nlist *)p, level); break;
    case AG_FIELD_STR: dump_str(out, ag_nstr_get(n, *(const ag_nstr *)p)); break;
    case AG_FIELD_STRS:
        for (uint32_t i = 0; i < ((const ag_nlist *)p)->n; i++)
            dump_str(out, ag_nstrs_at(n, *(const ag_nlist *)p, i));
        break;
    case AG_FIELD_INT:
        if (*(const uint32_t *)p)
            ag_buf_printf(out, " %s=%u", f->name, (unsigned)*(const uint32_t *)p);
        break;
    case AG_FIELD_VALUE:
        if ((n->flags & (AG_BIND_HAS_VALUE | AG_BIND_EXPANDING)) == AG_BIND_HAS_VALUE) {
            ag_buf_char(out, ' ');
            dump_value(out, n, p);
        }
        break;
    case AG_FIELD_VALUES: dump_values(out, n, *(const ag_nlist *)p); break;
    default: break;
    }
}

/* Columns and tables come as "users.id", "users". */
static bool dump_short(ag_buf *out, const ag_node *n)
{
    if (n->kind == AG_K_TABLE) {
        ag_from_describe(out, n);
        return true;
    }
    const ag_node *from = ag_column_from(n);
    if (!from)
        return false;
    ag_str name = n->kind == AG_K_COLUMN ? ag_nstr_get(n, AG_AS(column, COLUMN, n)->name)
                                         : ag_nstr_get(n, AG_AS(colref, COLREF, n)->name);
    ag_from_describe(out, from);
    ag_buf_char(out, '.');
    ag_buf_add(out, name.p, name.n);
    return true;
}

static void dump_node(ag_buf *out, const ag_node *n, int level)
{
    if (dump_short(out, n))
        return;
    if (level > DUMP_LEVELS) {
        ag_buf_str(out, "(…)");
        return;
    }
    const ag_kind_info *k = ag_kind_get(n->kind);
    ag_buf_char(out, '(');
    ag_buf_str(out, k->name);
    if (n->op != AG_OP_NONE)
        ag_buf_printf(out, ".%s", ag_op_get((ag_op_id)n->op)->name);
    for (const ag_field *f = k->fields; f->kind != AG_FIELD_END; f++)
        dump_field(out, n, f, level);
    ag_buf_char(out, ')');
}

void ag_node_dump(struct ag_buf *out, const ag_node *n)
{
    dump_node(out, n, 0);
}
