/* Constructors of DDL elements. */
#include "schema/ddl.h"

#include "base/utf8.h"
#include <string.h>

static void set_flags(void *node, unsigned flags)
{
    ((ag_node *)node)->flags |= (uint16_t)(flags & AG_NF_KIND);
}

const ag_node *ag_ddl_create_table(ag_builder *b, const ag_table *t, const uint32_t *skip, size_t nskip, unsigned flags)
{
    ag_n_create_table *n = ag_node_new(b, AG_K_CREATE_TABLE, NULL, ag_room_ints(nskip));
    if (!n)
        return NULL;
    n->table = t;
    n->skip = ag_node_ints(n, skip, nskip);
    set_flags(n, flags);
    return ag_node_finish(b, n);
}

const ag_node *ag_ddl_create_column(ag_builder *b, const ag_column *c, const uint32_t *skip, size_t nskip,
                                    unsigned flags)
{
    ag_n_create_column *n = ag_node_new(b, AG_K_CREATE_COLUMN, NULL, ag_room_ints(nskip));
    if (!n)
        return NULL;
    n->table = c->table;
    n->index = c->index;
    n->skip = ag_node_ints(n, skip, nskip);
    set_flags(n, flags);
    return ag_node_finish(b, n);
}

const ag_node *ag_ddl_drop_table(ag_builder *b, const ag_table *t, unsigned flags)
{
    ag_n_drop_table *n = ag_node_new(b, AG_K_DROP_TABLE, NULL, 0);
    if (!n)
        return NULL;
    n->table = t;
    set_flags(n, flags);
    return ag_node_finish(b, n);
}

const ag_node *ag_ddl_create_view(ag_builder *b, const ag_table *t, const ag_node *select, unsigned flags)
{
    ag_n_create_view *n = ag_node_new(b, AG_K_CREATE_VIEW, NULL, 0);
    if (!n)
        return NULL;
    n->table = t;
    n->select = select;
    set_flags(n, flags);
    return ag_node_finish(b, n);
}

const ag_node *ag_ddl_create_table_as(ag_builder *b, const ag_table *t, const ag_node *select, unsigned flags)
{
    ag_n_create_table_as *n = ag_node_new(b, AG_K_CREATE_TABLE_AS, NULL, 0);
    if (!n)
        return NULL;
    n->table = t;
    n->select = select;
    set_flags(n, flags);
    return ag_node_finish(b, n);
}

const ag_node *ag_ddl_drop_view(ag_builder *b, const ag_table *t, unsigned flags)
{
    ag_n_drop_view *n = ag_node_new(b, AG_K_DROP_VIEW, NULL, 0);
    if (!n)
        return NULL;
    n->table = t;
    set_flags(n, flags);
    return ag_node_finish(b, n);
}

/* ORDER ag_n_create_index, ag_n_drop_index: the same fields (constraints, schemas and sequences likewise). */
const ag_node *ag_ddl_index(ag_builder *b, ag_kind kind, const ag_index *x, unsigned flags)
{
    ag_n_create_index *n = ag_node_new(b, kind, NULL, 0);
    if (!n)
        return NULL;
    n->index = x;
    set_flags(n, flags);
    return ag_node_finish(b, n);
}

const ag_node *ag_ddl_alter_constraint(ag_builder *b, ag_kind kind, const ag_constraint *c, unsigned flags)
{
    if (kind == AG_K_DROP_CONSTRAINT && !c->name.p)
        return ag_build_fail(b, AG_EXC_COMPILE, "a constraint of table '%s' cannot be dropped: it has no name",
                             c->table->name.p);
    ag_n_add_constraint *n = ag_node_new(b, kind, NULL, 0);
    if (!n)
        return NULL;
    n->constraint = c;
    set_flags(n, flags);
    return ag_node_finish(b, n);
}

const ag_node *ag_ddl_schema(ag_builder *b, ag_kind kind, ag_str name, unsigned flags)
{
    ag_n_create_schema *n = ag_node_new(b, kind, NULL, ag_room_str(name.n));
    if (!n)
        return NULL;
    n->name = ag_node_str(n, name);
    set_flags(n, flags);
    return ag_node_finish(b, n);
}

const ag_node *ag_ddl_sequence(ag_builder *b, ag_kind kind, const ag_sequence *s, unsigned flags)
{
    ag_n_create_sequence *n = ag_node_new(b, kind, NULL, 0);
    if (!n)
        return NULL;
    n->sequence = s;
    set_flags(n, flags);
    return ag_node_finish(b, n);
}

static bool nameable(ag_builder *b, const ag_type *type)
{
    if ((type->id == AG_TYPE_ENUM || type->id == AG_TYPE_PG_DOMAIN) && type->name)
        return true;
    (void)ag_build_fail(b, AG_EXC_ARGUMENT, "%s without a name cannot be created in the database: give {name = \"…\"}",
                        ag_type_lua_name(type));
    return false;
}

const ag_node *ag_ddl_create_type(ag_builder *b, const ag_type *type, ag_str schema, const ag_domain_extra *extra,
                                  unsigned flags)
{
    static const ag_domain_extra none = {0};
    extra = extra ? extra : &none;
    if (!nameable(b, type))
        return NULL;
    ag_n_create_type *n =
        ag_node_new(b, AG_K_CREATE_TYPE, NULL, ag_room_str(schema.n) + ag_room_str(extra->constraint_name.n));
    if (!n)
        return NULL;
    n->of = type;
    n->schema = ag_node_str(n, schema);
    n->default_ = extra->default_;
    n->check = extra->check;
    n->constraint_name = ag_node_str(n, extra->constraint_name);
    set_flags(n, flags);
    return ag_node_finish(b, n);
}

const ag_node *ag_ddl_drop_type(ag_builder *b, const ag_type *type, ag_str schema, unsigned flags)
{
    if (!nameable(b, type))
        return NULL;
    ag_n_drop_type *n = ag_node_new(b, AG_K_DROP_TYPE, NULL, ag_room_str(schema.n));
    if (!n)
        return NULL;
    n->of = type;
    n->schema = ag_node_str(n, schema);
    set_flags(n, flags);
    return ag_node_finish(b, n);
}

const ag_node *ag_ddl_table_comment(ag_builder *b, const ag_table *t, ag_str comment)
{
    ag_n_table_comment *n = ag_node_new(b, AG_K_TABLE_COMMENT, NULL, ag_room_str(comment.n));
    if (!n)
        return NULL;
    n->table = t;
    n->comment = ag_node_str(n, comment);
    return ag_node_finish(b, n);
}

const ag_node *ag_ddl_column_comment(ag_builder *b, const ag_column *c, ag_str comment)
{
    ag_n_column_comment *n = ag_node_new(b, AG_K_COLUMN_COMMENT, NULL, ag_room_str(comment.n));
    if (!n)
        return NULL;
    n->table = c->table;
    n->index = c->index;
    n->comment = ag_node_str(n, comment);
    return ag_node_finish(b, n);
}

const ag_node *ag_ddl_constraint_comment(ag_builder *b, const ag_constraint *c, ag_str comment)
{
    ag_n_constraint_comment *n = ag_node_new(b, AG_K_CONSTRAINT_COMMENT, NULL, ag_room_str(comment.n));
    if (!n)
        return NULL;
    n->constraint = c;
    n->comment = ag_node_str(n, comment);
    return ag_node_finish(b, n);
}

const ag_node *ag_ddl_text(ag_builder *b, ag_str text)
{
    if (!ag_utf8_valid(text.p, text.n) || memchr(text.p, 0, text.n))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "DDL text must be UTF-8 without NUL bytes");
    ag_n_ddl_text *n = ag_node_new(b, AG_K_DDL_TEXT, NULL, ag_room_str(text.n));
    if (!n)
        return NULL;
    n->text = ag_node_str(n, text);
    return ag_node_finish(b, n);
}
