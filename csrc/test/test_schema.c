/* MetaData, tables, foreign keys and their order, without Lua. Each scene is also run with every allocation failing in turn. */
#include "schema/ddl.h"
#include "schema/metadata.h"
#include "sweep.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct scene {
    ag_types *types;
    ag_metadata *m;
    uint64_t serials;
    ag_error err;
} scene;

static ag_status scene_open(scene *s, const ag_alloc *a, ag_str schema)
{
    memset(s, 0, sizeof *s);
    ag_error_init(&s->err, a);
    AG_TRY(ag_types_new(&s->types, a, &s->err));
    return ag_metadata_new(&s->m, a, s->types, &s->serials, schema, &s->err);
}

static void scene_close(scene *s)
{
    if (s->m)
        ag_owner_unref(&s->m->owner);
    ag_types_free(s->types);
    ag_error_clear(&s->err);
}

static ag_status add_column(scene *s, ag_table *t, ag_column **out, const char *name, ag_type_id type)
{
    ag_column_spec spec = {
        .c = {.name = {name, strlen(name)}, .quote = -1, .nullable = true, .type = ag_type_plain(type)}};
    return ag_table_add_column(out, t, &spec, &s->err);
}

static ag_status add_key(scene *s, ag_table *t, ag_column *c)
{
    ag_column *columns[] = {c};
    const ag_constraint spec = {.kind = AG_CONSTRAINT_PRIMARY_KEY, .columns = columns, .ncolumns = 1, .deferrable = -1};
    const ag_constraint *out;
    return ag_table_add_constraint(&out, t, &spec, NULL, 0, &s->err);
}

static ag_status add_fk(scene *s, ag_table *t, ag_column *c, const char *target, const ag_constraint **out)
{
    ag_column *columns[] = {c};
    const ag_constraint spec = {.kind = AG_CONSTRAINT_FOREIGN_KEY, .columns = columns, .ncolumns = 1, .deferrable = -1};
    const ag_fk_spec fk = {.column = c, .spec = {target, strlen(target)}};
    return ag_table_add_constraint(out, t, &spec, &fk, 1, &s->err);
}

/* A table with an integer key "id" and, for target, an untyped column "ref" that refers there. */
static ag_status add_table(scene *s, ag_table **out, const char *name, const char *target)
{
    const ag_table_spec spec = {
        .name = {name, strlen(name)}, .quote = -1, .quote_schema = -1, .implicit_returning = true};
    ag_column *id, *ref;
    const ag_constraint *fk;
    AG_TRY(ag_table_new(out, s->m, &spec, &s->err));
    AG_TRY(add_column(s, *out, &id, "id", AG_TYPE_INTEGER));
    AG_TRY(add_key(s, *out, id));
    if (target) {
        AG_TRY(add_column(s, *out, &ref, "ref", AG_TYPE_NULL));
        AG_TRY(add_fk(s, *out, ref, target, &fk));
    }
    AG_TRY(ag_table_finish(*out, &s->err));
    return ag_table_publish(*out, &s->err);
}

static ag_status build(scene *s)
{
    ag_table *t[3], *order[3];
    ag_arena ar;
    const ag_constraint **alter = NULL;
    uint32_t nalter = 0;
    AG_TRY(add_table(s, &t[0], "a", "b.id"));
    assert_int_equal(t[0]->columns[1]->type->id, AG_TYPE_NULL);
    AG_TRY(add_table(s, &t[1], "b", "c.id"));
    assert_int_equal(t[0]->columns[1]->type->id, AG_TYPE_INTEGER);
    assert_ptr_equal(t[0]->columns[1]->node->type, ag_type_plain(AG_TYPE_INTEGER));
    assert_ptr_equal(t[0]->autoincrement_column, t[0]->columns[0]);
    AG_TRY(add_table(s, &t[2], "c", NULL));
    assert_ptr_equal(t[1]->fks[0]->target, t[2]->columns[0]);
    ag_arena_init(&ar, s->m->alloc);
    ag_status st = ag_tables_sort(order, t, 3, &alter, &nalter, &ar, &s->err);
    if (st == AG_OK) {
        assert_ptr_equal(order[0], t[2]);
        assert_ptr_equal(order[1], t[1]);
        assert_ptr_equal(order[2], t[0]);
        assert_int_equal(nalter, 0);
    }
    ag_arena_clear(&ar);
    return st;
}

static ag_status build_work(const ag_alloc *a, void *ud)
{
    scene s;
    (void)ud;
    ag_status st = scene_open(&s, a, (ag_str){0});
    if (st == AG_OK)
        st = build(&s);
    scene_close(&s);
    return st;
}

static void test_build(void **state)
{
    (void)state;
    sweep_run(build_work, NULL);
}

static ag_status cycle_work(const ag_alloc *a, void *ud)
{
    scene s;
    ag_table *t[3], *order[3];
    const ag_constraint **alter = NULL;
    uint32_t nalter = 0;
    ag_arena ar;
    (void)ud;
    ag_arena_init(&ar, a);
    ag_status st = scene_open(&s, a, AG_STR("app"));
    /* names without a schema are looked for in the MetaData's; these tables stand in none */
    if (st == AG_OK)
        s.m->schema = (ag_str){0};
    if (st == AG_OK)
        st = add_table(&s, &t[0], "x", "y.id");
    if (st == AG_OK)
        st = add_table(&s, &t[1], "y", "x.id");
    if (st == AG_OK)
        st = add_table(&s, &t[2], "self", "self.id");
    if (st == AG_OK)
        st = ag_tables_sort(order, t, 3, &alter, &nalter, &ar, &s.err);
    if (st == AG_OK) {
        assert_int_equal(nalter, 2);
        assert_ptr_equal(alter[0]->table, t[0]);
        assert_ptr_equal(alter[1]->table, t[1]);
        assert_ptr_equal(order[0], t[2]);
    }
    ag_arena_clear(&ar);
    scene_close(&s);
    return st;
}

static void test_cycle(void **state)
{
    (void)state;
    sweep_run(cycle_work, NULL);
}

static void test_errors(void **state)
{
    scene s;
    ag_table *t, *again;
    ag_column *c;
    (void)state;
    assert_int_equal(scene_open(&s, ag_alloc_libc(), (ag_str){0}), AG_OK);
    assert_int_equal(add_table(&s, &t, "users", NULL), AG_OK);
    assert_int_equal(add_table(&s, &again, "users", NULL), AG_ERROR);
    assert_int_equal(s.err.cls, AG_EXC_INVALID_REQUEST);
    assert_int_equal(add_column(&s, t, &c, "id", AG_TYPE_TEXT), AG_ERROR);
    assert_int_equal(s.err.cls, AG_EXC_DUPLICATE_COLUMN);
    assert_int_equal(add_column(&s, t, &c, "", AG_TYPE_TEXT), AG_ERROR);
    assert_int_equal(add_table(&s, &again, "", NULL), AG_ERROR);
    assert_int_equal(add_table(&s, &t, "posts", "usrs.id"), AG_OK);
    assert_int_equal(ag_fk_target(&c, t->fks[0], &s.err), AG_ERROR);
    assert_int_equal(s.err.cls, AG_EXC_NO_REFERENCED_TABLE);
    assert_non_null(strstr(ag_error_message(&s.err), "did you mean 'users'"));
    assert_int_equal(add_table(&s, &t, "other", "users.idd"), AG_ERROR);
    assert_int_equal(s.err.cls, AG_EXC_NO_REFERENCED_COLUMN);
    scene_close(&s);
}

/* A table that was removed lives on as long as its owner, and does not stand in for a new one. */
static void test_remove(void **state)
{
    scene s;
    ag_table *old, *fresh, *t;
    (void)state;
    assert_int_equal(scene_open(&s, ag_alloc_libc(), (ag_str){0}), AG_OK);
    assert_int_equal(add_table(&s, &old, "users", NULL), AG_OK);
    ag_metadata_remove(s.m, old);
    assert_null(ag_metadata_find(s.m, AG_STR("users")));
    assert_int_equal(add_table(&s, &fresh, "users", NULL), AG_OK);
    assert_int_equal(add_table(&s, &t, "posts", "users.id"), AG_OK);
    assert_ptr_equal(t->fks[0]->target, fresh->columns[0]);
    assert_true(old->serial != fresh->serial);
    assert_string_equal(old->name.p, "users");
    scene_close(&s);
}

static ag_status ddl_work(const ag_alloc *a, void *ud)
{
    scene s;
    ag_table *t = NULL;
    ag_builder b;
    ag_arena ar;
    (void)ud;
    ag_arena_init(&ar, a);
    ag_status st = scene_open(&s, a, (ag_str){0});
    if (st == AG_OK)
        st = add_table(&s, &t, "users", NULL);
    if (st == AG_OK) {
        const uint32_t skip[] = {1, 2};
        ag_builder_init(&b, a, s.types, &s.err);
        b.arena = &ar;
        const ag_node *n = ag_ddl_create_table(&b, t, skip, 2, AG_DDL_IF);
        st = n ? AG_OK : AG_NOMEM;
        if (n) {
            assert_true(ag_node_is(n, AG_CLASS_DDL));
            assert_int_equal(n->flags & AG_NF_KIND, AG_DDL_IF);
            assert_int_equal(AG_AS(create_table, CREATE_TABLE, n)->skip.n, 2);
        }
        if (n && !ag_ddl_text(&b, AG_STR("VACUUM")))
            st = AG_NOMEM;
        ag_builder_clear(&b);
    }
    ag_arena_clear(&ar);
    scene_close(&s);
    return st;
}

static void test_ddl(void **state)
{
    (void)state;
    sweep_run(ddl_work, NULL);
}

static void test_ddl_errors(void **state)
{
    scene s;
    ag_table *t;
    ag_builder b;
    ag_arena ar;
    uint32_t n;
    (void)state;
    ag_arena_init(&ar, ag_alloc_libc());
    assert_int_equal(scene_open(&s, ag_alloc_libc(), (ag_str){0}), AG_OK);
    assert_int_equal(add_table(&s, &t, "users", NULL), AG_OK);
    ag_builder_init(&b, ag_alloc_libc(), s.types, &s.err);
    b.arena = &ar;
    assert_null(ag_ddl_alter_constraint(&b, AG_K_DROP_CONSTRAINT, ag_table_constraints(t, &n)[0], 0));
    assert_int_equal(s.err.cls, AG_EXC_COMPILE);
    assert_null(ag_ddl_create_type(&b, ag_type_plain(AG_TYPE_ENUM), (ag_str){0}, NULL, 0));
    assert_null(ag_ddl_text(&b, (ag_str){"\xff", 1}));
    ag_builder_clear(&b);
    ag_arena_clear(&ar);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build),  cmocka_unit_test(test_cycle), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_remove), cmocka_unit_test(test_ddl),   cmocka_unit_test(test_ddl_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
