/* Nodes of the SQL tree. A node is one position-independent block: header, fields as nodes.def lists them, then lists
 * and
 * strings, which are {offset from the node's own start, count}. The only pointers in it are children, interned types
 * and
 * schema objects, so a block can be copied with memcpy to wherever it is to live. Nodes are immutable once finished,
 * point
 * strictly downward, and carry the hash of all that decides their SQL text (not of bind values).
 *
 * Who owns a node: the owner of its memory (a host's userdata, an arena, a MetaData). A node never owns its children:
 * whoever
 * holds a node keeps its children alive (the Lua binding by uservalues, C by putting all in one arena). */
#ifndef AG_SQL_NODE_H
#define AG_SQL_NODE_H

#include "sql/operator.h"

typedef struct ag_node ag_node;

typedef enum ag_kind {
    AG_K_NONE = 0,
#define AG_NODE(KIND, name, CLASS) AG_K_##KIND,
#include "sql/nodes.def"
    AG_K_COUNT
} ag_kind;

typedef enum ag_class { AG_CLASS_EXPR = 1, AG_CLASS_FROM, AG_CLASS_STMT, AG_CLASS_CLAUSE, AG_CLASS_DDL } ag_class;

struct ag_node {
    uint16_t kind;       /* ag_kind */
    uint16_t flags;      /* AG_NF_* and the kind's own */
    uint32_t size;       /* bytes of this block, a multiple of 8 */
    uint64_t hash;       /* of everything that decides the text, children included */
    const ag_type *type; /* EXPR: never NULL (NullType when unknown); else NULL */
    uint16_t op;         /* ag_op_id of UNARY, BINARY, LIST, BETWEEN; else AG_OP_NONE */
    uint16_t depth;      /* nesting below this node, chains of one associative operator counted once; <= AG_DEPTH_MAX */
    uint32_t count;      /* nodes of the tree (shared ones each time they occur, saturating): a size hint */
};

/* Nesting beyond this is refused while building (AG_EXC_ARGUMENT, the message gives the limit), so that code which
 * visits by
 * recursion is safe. Chains of one associative operator (a & b & …, a + b + …) have no limit: visit those in a loop. */
#define AG_DEPTH_MAX 500u

/* Flags common to all kinds (the upper bits; the low 10 are the kind's own). */
#define AG_NF_SCRATCH   0x8000u /* private: still in a builder's scratch */
#define AG_NF_UNCACHED  0x4000u /* this or something below forbids caching the compiled text */
#define AG_NF_BINDS     0x2000u /* a BIND is at or below this node */
#define AG_NF_FROMS     0x1000u /* a COLUMN, COLREF or FROM is at or below this node */
#define AG_NF_AGGREGATE 0x0800u /* an aggregate FUNC is at or below (subqueries not counted) */
#define AG_NF_KIND      0x03ffu /* mask of the kind's own flags */
#define AG_NF_INHERIT   (AG_NF_UNCACHED | AG_NF_BINDS | AG_NF_FROMS) /* what a parent takes from its children */

/* ---- the kinds' own flags ---- */
#define AG_COLREF_ANON             0x001u /* name is the base of the made-up name of the column behind it */
#define AG_COLREF_LITERAL          0x002u /* of a literal_column: its text stands as it is */
#define AG_COLUMN_CLAUSE_LITERAL   0x001u
#define AG_BIND_UNIQUE             0x001u /* key is a base; two nodes are two binds */
#define AG_BIND_REQUIRED           0x002u
#define AG_BIND_HAS_VALUE          0x004u
#define AG_BIND_EXPANDING          0x008u /* values */
#define AG_BIND_LITERAL_EXECUTE    0x010u /* written into the text just before execution; hashed */
#define AG_BIND_CALLABLE           0x020u
#define AG_BIND_ARRAY              0x040u /* with EXPANDING: one array parameter; the number of members does not decide the text */
#define AG_BIND_DML                0x080u /* key names a column of the DML statement */
#define AG_BIND_TYPED              0x100u /* the type was given by the user (not inferred from value or other side) */
#define AG_BIND_JSON_PATH          0x200u /* a JSON array of keys and indexes: the dialect makes its path */
#define AG_BINARY_BOOL             0x001u /* custom operator: comparison (bool_op) */
#define AG_BINARY_NATURAL          0x002u /* custom operator: natural self precedent */
#define AG_BINARY_EAGER            0x004u /* custom operator: eager grouping */
#define AG_BETWEEN_NOT             0x001u
#define AG_BETWEEN_SYMMETRIC       0x002u
#define AG_LIST_GROUP              0x001u /* a bracketed list, whatever stands around it */
#define AG_LABEL_ANON              0x001u
#define AG_FUNC_AGGREGATE          0x001u
#define AG_FUNC_ANSI               0x002u /* written without brackets: CURRENT_DATE */
#define AG_FUNC_WITHIN_GROUP       0x004u /* ordered-set aggregate */
#define AG_FUNC_WINDOW             0x008u /* only with OVER: row_number … */
#define AG_FUNC_QUOTED             0x010u /* name was given as quoted_name */
#define AG_FUNC_CACHEABLE          0x020u /* of a class of the host's: it declares inherit_cache */
#define AG_FUNC_GENERIC            0x040u /* … it is written name(args) where no hook is */
#define AG_FUNC_CUSTOM             0x10000u /* no flag: ids from here on are 0x10000 + the number of a class of the host's */
#define AG_SPLICE_CLAUSE           0x001u /* a whole clause, no value */
#define AG_SPLICE_AS_USUAL         0x002u /* its one item, as if it had no compile hook */
#define AG_CUSTOM_CACHEABLE        0x001u /* the class declares inherit_cache */
#define AG_CUSTOM_CLAUSE           0x002u
#define AG_CUSTOM_FROM             0x004u /* may stand in FROM */
#define AG_CUSTOM_STMT             0x008u /* may be executed */
#define AG_CUSTOM_NAMED            0x010u /* identity is also a column name */
#define AG_ALIAS_EXCLUDED          0x001u /* the EXCLUDED row of ON CONFLICT */
#define AG_CTE_RECURSIVE           0x001u
#define AG_CTE_NESTING             0x002u
#define AG_CTE_MATERIALIZED        0x004u
#define AG_CTE_NOT_MATERIALIZED    0x008u
#define AG_TABLESAMPLE_SEED        0x001u
#define AG_JOIN_OUTER              0x001u
#define AG_JOIN_FULL               0x002u
#define AG_JOIN_IMPLICIT_ON        0x004u /* JOIN: the ON clause was inferred */
#define AG_VALUES_LITERAL_BINDS    0x001u
#define AG_VALUES_LATERAL          0x002u
#define AG_TABLE_FUNC_DERIVED      0x001u /* render_derived */
#define AG_TABLE_FUNC_TYPES        0x002u /* render_derived{with_types = true} */
#define AG_TABLE_FUNC_ORDINALITY   0x004u /* the last column is the ordinality */
#define AG_TABLE_FUNC_LATERAL      0x008u
#define AG_TABLE_FUNC_JOINS        0x010u /* joins_implicitly: not linted */
#define AG_TABLE_FUNC_SCALAR       0x020u /* made by column_valued or alias(): no column list */
#define AG_TABLE_FUNC_BARE         0x040u /* a function alone in FROM, without alias and columns */
#define AG_SELECT_DISTINCT         0x001u
#define AG_SELECT_CORRELATE        0x002u
#define AG_SELECT_CORRELATE_EXCEPT 0x004u
#define AG_SELECT_DISTINCT_ON      0x040u /* pg.distinct_on(): refused where there is no DISTINCT ON */
#define AG_SELECT_SETTLED          0x020u /* joins of the columns before with_only_columns stand in FROM */
#define AG_FETCH_TIES              0x008u /* SELECT, COMPOUND */
#define AG_FETCH_PERCENT           0x010u
#define AG_TEXT_SELECT_POSITIONAL  0x001u
#define AG_DML_INLINE              0x001u
#define AG_DML_ORDERED             0x002u
#define AG_DML_RETURN_DEFAULTS     0x004u
#define AG_DML_SORT_BY_PARAMETERS  0x008u /* returning{…, sort_by_parameter_order = true} */
#define AG_DML_NO_DEFAULTS         0x010u /* from_select{include_defaults = false} */
#define AG_DML_VALUES              0x020u /* values() was called (an empty one: DEFAULT VALUES) */
#define AG_FOR_UPDATE_NOWAIT       0x001u
#define AG_FOR_UPDATE_READ         0x002u
#define AG_FOR_UPDATE_SKIP_LOCKED  0x004u
#define AG_FOR_UPDATE_KEY_SHARE    0x008u
#define AG_CTE_REF_NEST_HERE       0x001u
#define AG_CONFLICT_UPDATE         0x001u
#define AG_CONFLICT_INDEX_WHERE    0x002u
#define AG_DDL_IF                  0x001u /* IF [NOT] EXISTS */
#define AG_DDL_CASCADE             0x002u
#define AG_DDL_NOT_NULL            0x004u /* CREATE_TYPE of a DOMAIN */
#define AG_DDL_TEMPORARY           0x008u /* CREATE_VIEW, CREATE_TABLE_AS */
#define AG_DDL_OR_REPLACE          0x010u /* CREATE_VIEW */
#define AG_DDL_MATERIALIZED        0x020u /* CREATE_VIEW, DROP_VIEW */
#define AG_DDL_ASKED               0x040u /* CREATE_TABLE: who made it has asked which constraints are wanted */

/* LABEL, COLUMN_CLAUSE, TABLE_CLAUSE, ALIAS, SUBQUERY, CTE, LATERAL, TABLESAMPLE, VALUES, TABLE_FUNC, COLLATION: the
 * name was given as
 * quoted_name. */
#define AG_NAME_QUOTE   0x100u /* always quoted */
#define AG_NAME_NOQUOTE 0x200u /* never */

typedef enum ag_label_style {
    AG_LABEL_STYLE_DISAMBIGUATE_ONLY = 0, /* the default of select() */
    AG_LABEL_STYLE_NONE,
    AG_LABEL_STYLE_TABLENAME_PLUS_COL,
} ag_label_style;
typedef enum ag_compound_kw {
    AG_UNION,
    AG_UNION_ALL,
    AG_EXCEPT,
    AG_EXCEPT_ALL,
    AG_INTERSECT,
    AG_INTERSECT_ALL,
} ag_compound_kw;
typedef enum ag_frame { AG_FRAME_NONE, AG_FRAME_ROWS, AG_FRAME_RANGE, AG_FRAME_GROUPS } ag_frame;
typedef enum ag_bound { AG_BOUND_UNBOUNDED, AG_BOUND_CURRENT, AG_BOUND_PRECEDING, AG_BOUND_FOLLOWING } ag_bound;
typedef enum ag_exclude {
    AG_EXCLUDE_NONE,
    AG_EXCLUDE_CURRENT_ROW,
    AG_EXCLUDE_GROUP,
    AG_EXCLUDE_TIES,
    AG_EXCLUDE_NO_OTHERS,
} ag_exclude;
typedef enum ag_ext_point {
    AG_EXT_POST_SELECT,
    AG_EXT_PRE_COLUMNS,
    AG_EXT_POST_CRITERIA,
    AG_EXT_POST_BODY,         /* SELECT */
    AG_EXT_POST_VALUES,       /* INSERT */
    AG_EXT_POST_CRITERIA_DML, /* UPDATE, DELETE */
} ag_ext_point;

/* ---- parts of blocks ---- */

typedef struct ag_nlist {
    uint32_t off, n; /* off: from the node's start; elements aligned to 8 */
} ag_nlist;
typedef struct ag_nstr {
    uint32_t off, n; /* bytes at off, a NUL after them; off 0: absent (an empty string has off != 0) */
} ag_nstr;
/* A value inside a block: like ag_value, byte kinds by offset. */
typedef struct ag_nval {
    uint8_t kind, flags;
    int32_t offset;
    union {
        int64_t i;
        double f;
        ag_nstr s;
        ag_interval iv;
    } u;
} ag_nval;

#define AG_NODE(KIND, name, CLASS)                                                                                     \
    typedef struct ag_n_##name {                                                                                       \
        ag_node node;
#define AG_F_CHILD(name, f)      const ag_node *f;
#define AG_F_OPT(name, f)        const ag_node *f;
#define AG_F_LIST(name, f)       ag_nlist f;
#define AG_F_STR(name, f)        ag_nstr f;
#define AG_F_STRS(name, f)       ag_nlist f;
#define AG_F_INT(name, f)        uint32_t f;
#define AG_F_I64(name, f)        int64_t f;
#define AG_F_INTS(name, f)       ag_nlist f;
#define AG_F_TYPE(name, f)       const ag_type *f;
#define AG_F_TYPES(name, f)      ag_nlist f;
#define AG_F_OBJ(name, f, ctype) const ctype *f;
#define AG_F_HOST(name, f)       int64_t f;
#define AG_F_VALUE(name, f)      ag_nval f;
#define AG_F_VALUES(name, f)     ag_nlist f;
#define AG_NODE_END(KIND, name)                                                                                        \
    }                                                                                                                  \
    ag_n_##name;
#include "sql/nodes.def"

/* Field access. p: pointer to a ag_n_… struct (or any node's start). */
static inline const ag_node *const *ag_nlist_items(const void *p, ag_nlist l)
{
    return (const ag_node *const *)(const void *)((const char *)p + l.off);
}
static inline const ag_node *ag_nlist_at(const void *p, ag_nlist l, uint32_t i)
{
    return ag_nlist_items(p, l)[i];
}
/* The string; {NULL, 0} when absent. NUL-terminated. */
static inline ag_str ag_nstr_get(const void *p, ag_nstr s)
{
    return s.off ? (ag_str){(const char *)p + s.off, s.n} : (ag_str){0};
}
static inline ag_str ag_nstrs_at(const void *p, ag_nlist l, uint32_t i)
{
    return ag_nstr_get(p, ((const ag_nstr *)(const void *)((const char *)p + l.off))[i]);
}
static inline const uint32_t *ag_nints_items(const void *p, ag_nlist l)
{
    return (const uint32_t *)(const void *)((const char *)p + l.off);
}
static inline uint32_t ag_nints_at(const void *p, ag_nlist l, uint32_t i)
{
    return ((const uint32_t *)(const void *)((const char *)p + l.off))[i];
}
static inline const ag_type *ag_ntypes_at(const void *p, ag_nlist l, uint32_t i)
{
    return ((const ag_type *const *)(const void *)((const char *)p + l.off))[i];
}
/* Borrow a value; its bytes live as long as the block. */
void ag_nval_get(ag_value *out, const void *p, const ag_nval *v);
static inline const ag_nval *ag_nvals_at(const void *p, ag_nlist l, uint32_t i)
{
    return &((const ag_nval *)(const void *)((const char *)p + l.off))[i];
}
/* Cast with a check in debug builds: AG_AS(binary, BINARY, node)->left */
#define AG_AS(name, KIND, n) ((const ag_n_##name *)(const void *)ag_node_check((n), AG_K_##KIND))
static inline const ag_node *ag_node_check(const ag_node *n, ag_kind kind)
{
#ifndef NDEBUG
    if (n->kind != kind)
        __builtin_trap();
#else
    (void)kind;
#endif
    return n;
}

/* ---- what nodes.def says of a kind ---- */

typedef enum ag_field_kind {
    AG_FIELD_END = 0,
    AG_FIELD_CHILD,
    AG_FIELD_OPT,
    AG_FIELD_LIST,
    AG_FIELD_STR,
    AG_FIELD_STRS,
    AG_FIELD_INT,
    AG_FIELD_I64,
    AG_FIELD_INTS,
    AG_FIELD_TYPE,
    AG_FIELD_TYPES,
    AG_FIELD_OBJ,
    AG_FIELD_HOST,
    AG_FIELD_VALUE,
    AG_FIELD_VALUES,
} ag_field_kind;
typedef struct ag_field {
    uint16_t kind;   /* ag_field_kind; AG_FIELD_END closes the table */
    uint16_t offset; /* of the field in the struct */
    const char *name;
} ag_field;
typedef struct ag_kind_info {
    const char *name; /* "select": the .def's name */
    uint16_t cls;     /* ag_class */
    uint16_t fixed;   /* sizeof the struct */
    const ag_field *fields;
} ag_kind_info;
extern const ag_kind_info ag_kind_table[AG_K_COUNT];
/* Of a number that is no kind: that of AG_K_NONE. */
static inline const ag_kind_info *ag_kind_get(unsigned kind)
{
    return &ag_kind_table[kind < AG_K_COUNT ? kind : AG_K_NONE];
}
static inline bool ag_node_is(const ag_node *n, ag_class cls)
{
    return ag_kind_get(n->kind)->cls == (unsigned)cls;
}
/* May it stand in FROM: class FROM, and CUSTOM with AG_CUSTOM_FROM. */
static inline bool ag_node_is_from(const ag_node *n)
{
    return ag_node_is(n, AG_CLASS_FROM) || (n->kind == AG_K_CUSTOM && (n->flags & AG_CUSTOM_FROM));
}
/* SELECT, COMPOUND, TEXT_SELECT, and VALUES: something with rows and columns. */
bool ag_node_is_selectable(const ag_node *n);
/* Nodes that are themselves only once: two equal ones in one statement are two (ALIAS, SUBQUERY, CTE, anonymous
 * LABEL, unique
 * BIND …). Everything else is its content. */
bool ag_node_has_identity(const ag_node *n);

/* ---- building ----
 * A builder makes nodes. Two modes:
 *   arena given: every node is at its final place in that arena at once (C code).
 *   arena NULL: nodes are made in the builder's scratch; the last one made, with the scratch nodes it refers to, is
 * moved out as
 *   ONE block of memory by ag_builder_take + ag_builder_move (hosts). Children inside such a block are found at
 * interior
 *   addresses; children outside (what the caller passed in) must be kept alive by the caller.
 * Constructors return NULL on failure with b->err filled. A NULL child argument where a child is required is taken as
 * an
 * earlier failure and gives NULL again, so calls can be nested without checks. */
typedef struct ag_builder {
    const ag_alloc *alloc;
    ag_types *types; /* registry for parameterised types; NULL: result types that need one become NullType */
    ag_arena *arena; /* see above */
    ag_error *err;
    uint64_t *serials; /* the host's counter, which numbers binds; NULL: they get no number */
    /* private */
    ag_arena scratch;
    uint32_t generation; /* of the last take */
    void *order;         /* const ag_node *: nodes of the last take, root first */
    size_t norder, order_cap;
} ag_builder;
void ag_builder_init(ag_builder *b, const ag_alloc *alloc, ag_types *types, ag_error *err);
void ag_builder_clear(ag_builder *b);
/* Forget everything in scratch (also after a failure, or a host error that jumped out). Scratch nodes die. */
void ag_builder_reset(ag_builder *b);
/* Bytes needed to move root and the scratch nodes it refers to; 0 = out of memory (b->err filled). root may be a node
 * that is
 * not in scratch (then it is not moved: returns 0 with *outside true, the caller uses root itself). */
size_t ag_builder_take(ag_builder *b, const ag_node *root, bool *outside) AG_NODISCARD;
/* Copy what take measured to dst (8-aligned, that many bytes) with inner pointers set right. Cannot fail. Returns the
 * root's address inside dst (root is the first node: the result is dst). Resets the builder. */
const ag_node *ag_builder_move(ag_builder *b, void *dst);

/* Low level, for constructors (here and in schema/): a zeroed block of kind with room for `extra` bytes after the
 * struct.
 * Fill the fields, append parts with ag_node_list …, then ag_node_finish. Between new and finish no other node may be
 * made
 * with the same builder unless its result was made before new. */
void *ag_node_new(ag_builder *b, ag_kind kind, const ag_type *type, size_t extra) AG_NODISCARD;
/* Room that parts need: add up for extra. Each rounds up to 8. */
static inline size_t ag_room_list(size_t n)
{
    return n * sizeof(void *);
}
static inline size_t ag_room_str(size_t n)
{
    return (n + 8) & ~(size_t)7;
}
static inline size_t ag_room_vals(size_t n)
{
    return n * sizeof(ag_nval);
}
static inline size_t ag_room_ints(size_t n)
{
    return (n * 4 + 7) & ~(size_t)7;
}
size_t ag_room_value(const ag_value *v); /* bytes behind one value */
/* Parts are placed one after another. node: the block under construction. s.p NULL: absent. */
ag_nlist ag_node_list(void *node, const ag_node *const *items, size_t n);
ag_nstr ag_node_str(void *node, ag_str s);
ag_nlist ag_node_strs(void *node, const ag_str *items, size_t n);
ag_nlist ag_node_ints(void *node, const uint32_t *items, size_t n);
ag_nlist ag_node_types(void *node, const ag_type *const *items, size_t n);
ag_nval ag_node_val(void *node, const ag_value *v);
ag_nlist ag_node_vals(void *node, const ag_value *v, size_t n);
/* Computes flags, depth, count and hash. NULL (b->err filled) when nested too deeply or over 4 GiB. */
const ag_node *ag_node_finish(ag_builder *b, void *node) AG_NODISCARD;
/* A copy of old with one list field replaced / items appended; other parts as they were. field: offsetof the ag_nlist
 * in the
 * struct. For generative methods. The scalar fields of the copy may be changed before ag_node_finish. */
void *ag_node_with_list(ag_builder *b, const ag_node *old, size_t field, const ag_node *const *items, size_t n,
                        bool append) AG_NODISCARD;
/* A copy to be changed in its scalar fields and children, then finished. */
void *ag_node_copy(ag_builder *b, const ag_node *old) AG_NODISCARD;
/* Same with a string field replaced. */
void *ag_node_with_str(ag_builder *b, const ag_node *old, size_t field, ag_str s) AG_NODISCARD;

/* Sets b->err and returns NULL: `return ag_build_fail(b, AG_EXC_ARGUMENT, "…")`. */
const ag_node *ag_build_fail(ag_builder *b, ag_exc cls, const char *fmt, ...) AG_PRINTF(3, 4);

/* Direct children one after another: *it starts zeroed. NULL at the end. */
typedef struct ag_child_iter {
    uint32_t field, item;
} ag_child_iter;
const ag_node *ag_child_next(const ag_node *n, ag_child_iter *it);

/* Readable dump for debugging and tests: (binary.eq users.id (bind id 5)). */
void ag_node_dump(struct ag_buf *out, const ag_node *n);

#endif
