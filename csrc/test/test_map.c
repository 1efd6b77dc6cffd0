/* Maps against a list that is searched from its start; hashing; order; running out of memory. */
#include "base/error.h"
#include "base/map.h"
#include "test/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 700

/* The slow map: keys in insertion order. */
typedef struct slow {
    unsigned keys[KEYS];
    int64_t values[KEYS];
    size_t n;
} slow;

static size_t slow_find(const slow *s, unsigned key)
{
    size_t i = 0;
    while (i < s->n && s->keys[i] != key)
        i++;
    return i;
}

static void slow_put(slow *s, unsigned key, int64_t value)
{
    size_t i = slow_find(s, key);
    s->n += i == s->n;
    s->keys[i] = key;
    s->values[i] = value;
}

static bool slow_remove(slow *s, unsigned key)
{
    size_t i = slow_find(s, key);
    if (i == s->n)
        return false;
    s->n--;
    memmove(s->keys + i, s->keys + i + 1, (s->n - i) * sizeof s->keys[0]);
    memmove(s->values + i, s->values + i + 1, (s->n - i) * sizeof s->values[0]);
    return true;
}

static char texts[KEYS][16];

/* Integer keys that would collide without mixing: multiples of a power of two. */
static uint64_t int_key(unsigned k)
{
    return (uint64_t)k << 32;
}

typedef struct ops {
    ag_map_entry *(*find)(const ag_map *m, unsigned k);
    ag_map_entry *(*put)(ag_map *m, unsigned k, bool *added);
    bool (*remove)(ag_map *m, unsigned k);
} ops;

static ag_map_entry *text_find(const ag_map *m, unsigned k)
{
    return ag_map_find(m, texts[k], strlen(texts[k]));
}
static ag_map_entry *text_put(ag_map *m, unsigned k, bool *added)
{
    return ag_map_put(m, texts[k], strlen(texts[k]), added);
}
static bool text_remove(ag_map *m, unsigned k)
{
    return ag_map_remove(m, texts[k], strlen(texts[k]));
}
static ag_map_entry *u64_find(const ag_map *m, unsigned k)
{
    return ag_map_find_u64(m, int_key(k));
}
static ag_map_entry *u64_put(ag_map *m, unsigned k, bool *added)
{
    return ag_map_put_u64(m, int_key(k), added);
}
static bool u64_remove(ag_map *m, unsigned k)
{
    return ag_map_remove_u64(m, int_key(k));
}

static const ops text_ops = {text_find, text_put, text_remove}, u64_ops = {u64_find, u64_put, u64_remove};

static void check_order(const ag_map *m, const slow *s)
{
    size_t pos = 0, i = 0;
    for (const ag_map_entry *e; (e = ag_map_next(m, &pos)); i++)
        assert_int_equal(e->v.i, s->values[i]);
    assert_int_equal(i, s->n);
    assert_int_equal(m->len, s->n);
}

static void compare_with_slow(const ops *o, unsigned removals)
{
    static slow s;
    ag_map m;
    s.n = 0;
    ag_map_init(&m, ag_alloc_libc());
    srand(11);
    for (int step = 0; step < 30000; step++) {
        unsigned k = (unsigned)rand() % KEYS;
        if ((unsigned)rand() % 10 < removals) {
            assert_int_equal(o->remove(&m, k), slow_remove(&s, k));
        } else {
            bool added, is_new = slow_find(&s, k) == s.n;
            ag_map_entry *e = o->put(&m, k, &added);
            assert_int_equal(added, is_new);
            assert_true(!added || e->v.u == 0);
            e->v.i = step;
            slow_put(&s, k, step);
        }
        k = (unsigned)rand() % KEYS;
        size_t at = slow_find(&s, k);
        ag_map_entry *e = o->find(&m, k);
        assert_int_equal(e != NULL, at < s.n);
        if (e)
            assert_int_equal(e->v.i, s.values[at]);
        if (step % 1000 == 0)
            check_order(&m, &s);
    }
    check_order(&m, &s);
    ag_map_clear(&m);
}

static void maps_agree_with_a_list(void **state)
{
    (void)state;
    for (unsigned k = 1; k < KEYS; k++) /* key 0 is the empty text */
        (void)snprintf(texts[k], sizeof texts[k], "key%u", k);
    for (unsigned removals = 0; removals < 10; removals += 3) {
        compare_with_slow(&text_ops, removals);
        compare_with_slow(&u64_ops, removals);
    }
}

static void an_empty_map_owns_nothing(void **state)
{
    (void)state;
    sweep s;
    ag_map m;
    size_t pos = 0;
    sweep_init(&s);
    ag_map_init(&m, &s.alloc);
    assert_null(ag_map_find(&m, "x", 1));
    assert_null(ag_map_find_u64(&m, 0));
    assert_false(ag_map_remove(&m, "x", 1));
    assert_null(ag_map_next(&m, &pos));
    assert_int_equal(s.calls, 0);
    assert_non_null(ag_map_put(&m, NULL, 0, NULL));
    assert_non_null(ag_map_find(&m, "", 0));
    assert_null(ag_map_find(&m, "\0", 1));
    ag_map_clear(&m);
    assert_int_equal(s.live, 0);
}

static void churn_does_not_grow(void **state)
{
    (void)state;
    sweep s;
    ag_map m;
    sweep_init(&s);
    ag_map_init(&m, &s.alloc);
    for (uint64_t i = 0; i < 100000; i++) {
        assert_non_null(ag_map_put_u64(&m, i, NULL));
        if (i >= 5)
            assert_true(ag_map_remove_u64(&m, i - 5));
    }
    assert_true(m.cap <= 16);
    ag_map_clear(&m);
}

static void entries_may_be_removed_while_iterating(void **state)
{
    (void)state;
    ag_map m;
    size_t pos = 0, n = 0;
    ag_map_init(&m, ag_alloc_libc());
    for (uint64_t i = 0; i < 100; i++)
        assert_non_null(ag_map_put_u64(&m, i, NULL));
    for (ag_map_entry *e; (e = ag_map_next(&m, &pos)); n++)
        assert_true(ag_map_remove_u64(&m, e->hash));
    assert_int_equal(n, 100);
    assert_int_equal(m.len, 0);
    ag_map_clear(&m);
}

static ag_status fill(const ag_alloc *a, void *ud)
{
    (void)ud;
    ag_map m;
    size_t added = 0;
    ag_map_init(&m, a);
    for (uint64_t i = 0; i < 200; i++)
        added += ag_map_put_u64(&m, i, NULL) != NULL;
    assert_int_equal(m.len, added);
    ag_status st = added == 200 ? AG_OK : AG_NOMEM;
    ag_map_clear(&m);
    return st;
}

static void maps_survive_no_memory(void **state)
{
    (void)state;
    sweep_run(fill, NULL);
}

/* ---- hashes ---- */

static unsigned bits_set(uint64_t v)
{
    unsigned n = 0;
    for (; v; v &= v - 1)
        n++;
    return n;
}

/* A changed bit of the input changes about half of the output, for every length and place. */
static void hashes_mix_every_bit(void **state)
{
    (void)state;
    unsigned char text[64];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (unsigned char)(i * 37);
    for (size_t len = 1; len <= sizeof text; len++) {
        uint64_t h = ag_hash_bytes(1, text, len);
        unsigned total = 0;
        assert_true(h != ag_hash_bytes(2, text, len));
        assert_true(h != ag_hash_bytes(1, text, len - 1));
        for (size_t bit = 0; bit < len * 8; bit++) {
            text[bit / 8] ^= (unsigned char)(1u << bit % 8);
            total += bits_set(h ^ ag_hash_bytes(1, text, len));
            text[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        assert_in_range(total / (len * 8), 26, 38);
    }
    unsigned total = 0;
    for (unsigned bit = 0; bit < 64; bit++)
        total += bits_set(ag_hash_u64(1, 12345) ^ ag_hash_u64(1, 12345 ^ (UINT64_C(1) << bit)));
    assert_in_range(total / 64, 26, 38);
    assert_true(ag_hash_bytes(0, NULL, 0) == ag_hash_bytes(0, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_agree_with_a_list), cmocka_unit_test(an_empty_map_owns_nothing),
        cmocka_unit_test(churn_does_not_grow),    cmocka_unit_test(entries_may_be_removed_while_iterating),
        cmocka_unit_test(maps_survive_no_memory), cmocka_unit_test(hashes_mix_every_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
