/* Entity blocks, tracking and session slots, with mappers made by hand. */
#include "orm/session.h"
#include "sweep.h"
#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

static ag_mapper two_columns(void)
{
    ag_mapper m = {
        .nslots = 3, .nrelations = 2, .words = 1, .name = AG_STR("User"), .npk = 1, .version_slot = AG_NO_SLOT};
    static const uint16_t pk[] = {0};
    m.pk = pk;
    m.row_offset = (uint32_t)(sizeof(ag_entity) + 16u);
    return m;
}

static ag_entity *new_entity(const ag_mapper *m, size_t bytes)
{
    size_t size = ag_entity_size(m, bytes);
    ag_entity *e = malloc(size);
    e->box = 7;
    ag_entity_init(e, m, size);
    return e;
}

static void cells_hold_what_fits(void **state)
{
    (void)state;
    ag_mapper m = two_columns();
    ag_entity *e = new_entity(&m, 16);
    ag_value v = ag_value_text("ann", 3), got;
    assert_true(ag_entity_put(e, 1, &v));
    ag_entity_get(&got, e, 1);
    assert_true(ag_value_equal(&v, &got));
    assert_int_equal(got.u.s.p[3], 0);
    v = ag_value_text("bo", 2); /* in the old place */
    uint32_t size = ag_entity_row(e)->size;
    assert_true(ag_entity_put(e, 1, &v));
    assert_int_equal(ag_entity_row(e)->size, size);
    v = ag_value_text("0123456789abcdef", 16);
    assert_false(ag_entity_put(e, 2, &v));
    ag_entity_get(&got, e, 2);
    assert_int_equal(got.kind, AG_V_NULL);
    v = ag_value_float(1.5);
    assert_true(ag_entity_put(e, 2, &v));
    ag_entity_get(&got, e, 2);
    assert_true(got.u.f == 1.5);
    ag_entity_set_spilled(e, 2);
    assert_true(ag_entity_is_spilled(e, 2));
    assert_int_equal(e->box, 7);
    assert_true(ag_entity_is_unloaded(e, 3) && ag_entity_is_unloaded(e, 4) && !ag_entity_is_unloaded(e, 2));
    free(e);
}

static void zoned_times_keep_their_offset_or_are_spilled(void **state)
{
    (void)state;
    ag_mapper m = two_columns();
    ag_entity *e = new_entity(&m, 0);
    ag_value v = {.kind = AG_V_DATETIME, .flags = AG_V_ZONED, .u.i = 5}, got;
    assert_true(ag_entity_put(e, 1, &v));
    ag_entity_get(&got, e, 1);
    assert_int_equal(got.flags, AG_V_ZONED);
    v.offset = 3600;
    assert_false(ag_entity_put(e, 1, &v));
    free(e);
}

static ag_status no_cell(ag_session *s, uint32_t i, unsigned slot, bool before, ag_value *out, const ag_node **expr,
                         ag_error *err)
{
    (void)s, (void)i, (void)slot, (void)before, (void)expr, (void)err;
    *out = ag_value_int(99);
    return AG_OK;
}
static const ag_session_host host = {.cell = no_cell};

static ag_status track_and_change(const ag_alloc *a, void *ud)
{
    ag_error err;
    ag_orm *orm = NULL;
    ag_session *s = NULL;
    ag_mapper m = two_columns();
    ag_entity *e = ud;
    uint32_t index = 0;
    uint64_t changes = 0;
    ag_value v = ag_value_int(5), old;
    ag_status st;
    ag_error_init(&err, a);
    ag_entity_init(e, &m, ag_entity_size(&m, 16));
    st = ag_orm_new(&orm, NULL, a, &err);
    if (st == AG_OK)
        st = ag_session_new(&s, orm, &host, NULL, &err);
    if (st == AG_OK)
        st = ag_track(s, e, &m, AG_TR_DIRTY, &index, &err);
    if (st == AG_OK)
        st = ag_track_before(s, index, &err);
    if (st == AG_OK) {
        assert_int_equal(s->ndirty, 1);
        assert_true(ag_entity_put(e, 0, &v));
        ag_bit_set(ag_entity_dirty(e), 0);
        ag_bit_set(ag_entity_dirty(e), 1); /* set to what it was */
        ag_tracked_changes(&changes, s, index);
        assert_int_equal(changes, 1);
        assert_int_equal(ag_tracked_before(&old, s, index, 0, &err), AG_OK);
        assert_int_equal(old.kind, AG_V_NULL);
        ag_untrack(s, index);
        assert_int_equal(s->ndirty, 0);
        assert_int_equal(ag_track_compact(s), 0);
        assert_int_equal(e->track, 0);
    }
    ag_session_free(s);
    ag_orm_unref(orm);
    ag_error_clear(&err);
    return st;
}

static void tracking_survives_a_lack_of_memory(void **state)
{
    (void)state;
    ag_mapper m = two_columns();
    ag_entity *e = new_entity(&m, 16);
    sweep_run(track_and_change, e);
    free(e);
}

static void stamps_tell_current_expired_and_detached(void **state)
{
    (void)state;
    ag_orm *orm;
    ag_session *s, *other;
    ag_error err = {0};
    ag_mapper m = two_columns();
    ag_entity *e = new_entity(&m, 0);
    assert_int_equal(ag_orm_new(&orm, NULL, ag_alloc_libc(), &err), AG_OK);
    assert_true(ag_entity_is_current(orm, e));
    assert_int_equal(ag_session_new(&s, orm, &host, NULL, &err), AG_OK);
    e->stamp = ag_session_stamp(s);
    assert_true(ag_entity_is_current(orm, e));
    assert_ptr_equal(ag_orm_session(orm, e), s);
    ag_session_expire_all(s);
    assert_false(ag_entity_is_current(orm, e));
    assert_ptr_equal(ag_orm_session(orm, e), s);
    ag_session_free(s);
    assert_null(ag_orm_session(orm, e));
    assert_int_equal(ag_session_new(&other, orm, &host, NULL, &err), AG_OK); /* takes the same slot */
    assert_null(ag_orm_session(orm, e));
    assert_false(ag_entity_is_current(orm, e));
    ag_session_free(other);
    ag_orm_unref(orm);
    free(e);
}

static void many_sessions_get_slots_of_their_own(void **state)
{
    (void)state;
    enum { N = 100 };
    ag_orm *orm;
    ag_session *s[N];
    ag_error err = {0};
    assert_int_equal(ag_orm_new(&orm, NULL, ag_alloc_libc(), &err), AG_OK);
    for (int i = 0; i < N; i++)
        assert_int_equal(ag_session_new(&s[i], orm, &host, NULL, &err), AG_OK);
    for (int i = 0; i < N; i++)
        assert_ptr_equal(orm->slots[AG_SESSION_SLOT(s[i]->id)].session, s[i]);
    for (int i = 0; i < N; i++)
        ag_session_free(s[i]);
    ag_orm_unref(orm);
}

static void keys_are_unambiguous(void **state)
{
    (void)state;
    ag_mapper m = two_columns();
    ag_buf a, b;
    static const uint16_t pk[] = {0, 1};
    ag_value one[] = {ag_value_text("a", 1), ag_value_text("bc", 2)},
             two[] = {ag_value_text("ab", 2), ag_value_text("c", 1)};
    ag_value i[] = {ag_value_int(5), ag_value_int(6)}, f[] = {ag_value_float(5), ag_value_int(6)};
    m.pk = pk;
    m.npk = 2;
    ag_buf_init(&a, ag_alloc_libc());
    ag_buf_init(&b, ag_alloc_libc());
    ag_identity_key(&a, &m, one);
    ag_identity_key(&b, &m, two);
    assert_true(a.len != b.len || memcmp(a.data, b.data, a.len));
    ag_buf_reset(&a);
    ag_buf_reset(&b);
    ag_identity_key(&a, &m, i);
    ag_identity_key(&b, &m, f);
    assert_true(a.len == b.len && !memcmp(a.data, b.data, a.len));
    ag_buf_reset(&a);
    ag_identity_describe(&a, &m, one);
    assert_string_equal(a.data, "User('a', 'bc')");
    ag_buf_clear(&a);
    ag_buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_hold_what_fits),
        cmocka_unit_test(zoned_times_keep_their_offset_or_are_spilled),
        cmocka_unit_test(tracking_survives_a_lack_of_memory),
        cmocka_unit_test(stamps_tell_current_expired_and_detached),
        cmocka_unit_test(many_sessions_get_slots_of_their_own),
        cmocka_unit_test(keys_are_unambiguous),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
