/* Reads the CREATE texts that SQLite keeps in sqlite_master: its grammar of CREATE TABLE, INDEX, VIEW and VIRTUAL TABLE
 * (sqlite.org/lang_createtable.html …). Expressions are not taken apart, only delimited: brackets are counted, nothing here calls
 * itself. A text of another grammar is an AG_EXC_ARGUMENT. */
#include "dialect/sqlite.h"
#include "dialect/sqlite_token.h"

#include <string.h>

typedef struct parser {
    ag_str sql;
    ag_arena *arena;
    ag_sqlite_token tok; /* the one to be read */
    size_t end;          /* of the one before it */
    ag_created *out;
    ag_created_key **key_tail;
    ag_created_key *foreign; /* the last foreign key: a DEFERRABLE of its own belongs to it */
    ag_str constraint;       /* CONSTRAINT name, until it is used */
    bool nomem;
} parser;

/* ---- tokens ---- */

static void advance(parser *p)
{
    p->end = p->tok.to;
    p->tok = ag_sqlite_next_token(p->sql, p->tok.to);
}

static bool same_word(const parser *p, ag_sqlite_token t, const char *word)
{
    size_t n = strlen(word);
    if (t.kind != AG_SQLITE_WORD || t.to - t.from != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = p->sql.p[t.from + i];
        if ((c >= 'a' && c <= 'z' ? c - 32 : c) != word[i])
            return false;
    }
    return true;
}

static bool at(const parser *p, const char *word)
{
    return same_word(p, p->tok, word);
}

static bool at_sign(const parser *p, char sign)
{
    return p->tok.kind == AG_SQLITE_SIGN && p->sql.p[p->tok.from] == sign;
}

static bool take(parser *p, const char *word)
{
    if (!at(p, word))
        return false;
    advance(p);
    return true;
}

static bool take_sign(parser *p, char sign)
{
    if (!at_sign(p, sign))
        return false;
    advance(p);
    return true;
}

/* Both words, or neither. */
static bool take_two(parser *p, const char *first, const char *second)
{
    if (!at(p, first) || !same_word(p, ag_sqlite_next_token(p->sql, p->tok.to), second))
        return false;
    advance(p);
    advance(p);
    return true;
}

static bool at_one_of(const parser *p, const char *const *words)
{
    for (; *words; words++) {
        if (at(p, *words))
            return true;
    }
    return false;
}

static void *item(parser *p, size_t size)
{
    void *x = ag_arena_zero(p->arena, 1, size);
    p->nomem |= !x;
    return x;
}

static ag_str slice(const parser *p, size_t from, size_t to)
{
    return (ag_str){p->sql.p + from, to > from ? to - from : 0};
}

/* A name without its quotes. */
static bool name(parser *p, ag_str *out)
{
    if (p->tok.kind != AG_SQLITE_WORD && p->tok.kind != AG_SQLITE_QUOTED && p->tok.kind != AG_SQLITE_STRING)
        return false;
    ag_str text = slice(p, p->tok.from, p->tok.to);
    if (p->tok.kind != AG_SQLITE_WORD) {
        char quote = text.p[text.n - 1];
        char *copy = ag_arena_strndup(p->arena, text.p + 1, text.n - 2);
        size_t n = 0;
        p->nomem |= !copy;
        for (size_t i = 0; copy && i < text.n - 2; i++) {
            copy[n++] = copy[i];
            i += quote != ']' && copy[i] == quote;
        }
        text = (ag_str){copy, n};
    }
    *out = text;
    advance(p);
    return !p->nomem;
}

/* From an opening bracket (which is the token) past its closing one; what stands between them, blanks around it left out. */
static bool brackets(parser *p, ag_str *inside, bool *one)
{
    if (!take_sign(p, '('))
        return false;
    size_t from = p->tok.from, to = from, depth = 1, count = 0;
    for (; depth; advance(p)) {
        if (p->tok.kind == AG_SQLITE_END || p->tok.kind == AG_SQLITE_BAD)
            return false;
        if (at_sign(p, '('))
            depth++;
        else if (at_sign(p, ')') && !--depth)
            continue;
        to = p->tok.to;
        count++;
    }
    *inside = slice(p, from, to);
    if (one)
        *one = count == 1;
    return true;
}

/* Up to a comma or closing bracket that belongs to whoever asks. */
static bool to_delimiter(parser *p)
{
    for (size_t depth = 0; depth || (!at_sign(p, ',') && !at_sign(p, ')')); advance(p)) {
        if (p->tok.kind == AG_SQLITE_END || p->tok.kind == AG_SQLITE_BAD)
            return false;
        depth += at_sign(p, '(');
        depth -= at_sign(p, ')');
    }
    return true;
}

/* ---- lists ---- */

static void order(parser *p)
{
    if (!take(p, "ASC"))
        (void)take(p, "DESC");
    if (!take_two(p, "NULLS", "FIRST"))
        (void)take_two(p, "NULLS", "LAST");
}

/* An item of an index or key: a column with its collation, or an expression. */
static bool list_item(parser *p, ag_created_item *x)
{
    size_t from = p->tok.from;
    bool number = p->tok.kind == AG_SQLITE_NUMBER || p->tok.kind == AG_SQLITE_BLOB;
    if (!number && name(p, &x->name)) {
        if (take(p, "COLLATE") && !name(p, &x->collate))
            return false;
        order(p);
    }
    if (!at_sign(p, ',') && !at_sign(p, ')') && !at(p, "AUTOINCREMENT")) { /* it was the beginning of an expression */
        x->name = x->collate = (ag_str){0};
        if (!to_delimiter(p))
            return false;
    }
    x->text = slice(p, from, p->end);
    return !p->nomem && x->text.n > 0;
}

/* (item, …), with AUTOINCREMENT behind the last one of a key (autoincrement NULL: not allowed). */
static bool item_list(parser *p, ag_created_item **out, bool *autoincrement)
{
    if (!take_sign(p, '('))
        return false;
    do {
        ag_created_item *x = item(p, sizeof *x);
        if (!x || !list_item(p, x))
            return false;
        *out = x;
        out = &x->next;
    } while (take_sign(p, ','));
    if (autoincrement)
        *autoincrement = take(p, "AUTOINCREMENT");
    return take_sign(p, ')');
}

static bool name_list(parser *p, ag_created_name **out, bool *autoincrement)
{
    ag_created_item *list = NULL;
    if (!item_list(p, &list, autoincrement))
        return false;
    for (; list; list = list->next) {
        ag_created_name *x = item(p, sizeof *x);
        if (!x)
            return false;
        x->name = list->name.p ? list->name : list->text;
        *out = x;
        out = &x->next;
    }
    return true;
}

/* ---- constraints ---- */

static ag_created_key *new_key(parser *p, ag_constraint_kind kind, const ag_created_column *c)
{
    ag_created_key *k = item(p, sizeof *k);
    if (!k)
        return NULL;
    k->kind = kind;
    k->name = p->constraint;
    k->deferrable = -1;
    k->in_column = c != NULL;
    p->constraint = (ag_str){0};
    if (kind == AG_CONSTRAINT_FOREIGN_KEY)
        p->foreign = k;
    *p->key_tail = k;
    p->key_tail = &k->next;
    if (c && kind != AG_CONSTRAINT_CHECK) {
        k->columns = item(p, sizeof *k->columns);
        if (!k->columns)
            return NULL;
        k->columns->name = c->name;
    }
    return k;
}

static bool conflict(parser *p, ag_str *out)
{
    return !take_two(p, "ON", "CONFLICT") || name(p, out);
}

/* SET NULL, CASCADE, NO ACTION … */
static bool action(parser *p, ag_str *out)
{
    size_t from = p->tok.from;
    ag_str word;
    bool two = at(p, "SET") || at(p, "NO");
    if (p->tok.kind != AG_SQLITE_WORD || !name(p, &word) || (two && !name(p, &word)))
        return false;
    *out = slice(p, from, p->end);
    return true;
}

/* [NOT] DEFERRABLE [INITIALLY …]; true when it is there. */
static bool deferrable(parser *p, ag_created_key *k)
{
    bool not_ = take_two(p, "NOT", "DEFERRABLE");
    if (!not_ && !take(p, "DEFERRABLE"))
        return false;
    k->deferrable = !not_;
    if (take(p, "INITIALLY"))
        (void)name(p, &k->initially);
    return true;
}

static bool references(parser *p, ag_created_key *k)
{
    if (!k || !take(p, "REFERENCES") || !name(p, &k->table))
        return false;
    if (at_sign(p, '(') && !name_list(p, &k->referred, NULL))
        return false;
    for (ag_str ignored = {0};;) {
        if (take(p, "MATCH")) {
            if (!name(p, &k->match))
                return false;
        } else if (take(p, "ON")) {
            ag_str *to = at(p, "DELETE") ? &k->on_delete : at(p, "UPDATE") ? &k->on_update : &ignored;
            advance(p);
            if (!action(p, to))
                return false;
        } else {
            (void)deferrable(p, k);
            return true;
        }
    }
}

static bool check(parser *p, const ag_created_column *c)
{
    ag_created_key *k = new_key(p, AG_CONSTRAINT_CHECK, c);
    return k && take(p, "CHECK") && brackets(p, &k->sqltext, NULL) && conflict(p, &k->conflict);
}

/* PRIMARY KEY (…), UNIQUE (…), CHECK (…), FOREIGN KEY (…) REFERENCES … */
static bool table_constraint(parser *p)
{
    ag_created_key *k;
    if (take(p, "CONSTRAINT"))
        return name(p, &p->constraint);
    if (at(p, "CHECK"))
        return check(p, NULL);
    if (take_two(p, "PRIMARY", "KEY")) {
        k = new_key(p, AG_CONSTRAINT_PRIMARY_KEY, NULL);
        return k && name_list(p, &k->columns, &k->autoincrement) && conflict(p, &k->conflict);
    }
    if (take(p, "UNIQUE")) {
        k = new_key(p, AG_CONSTRAINT_UNIQUE, NULL);
        return k && name_list(p, &k->columns, NULL) && conflict(p, &k->conflict);
    }
    if (!take_two(p, "FOREIGN", "KEY"))
        return false;
    k = new_key(p, AG_CONSTRAINT_FOREIGN_KEY, NULL);
    return k && name_list(p, &k->columns, NULL) && references(p, k);
}

/* ---- columns ---- */

static bool key_of_column(parser *p, const ag_created_column *c)
{
    ag_created_key *k = new_key(p, AG_CONSTRAINT_PRIMARY_KEY, c);
    if (!k)
        return false;
    order(p);
    if (!conflict(p, &k->conflict))
        return false;
    k->autoincrement = take(p, "AUTOINCREMENT");
    return true;
}

/* Behind DEFAULT: (expression), or one term with a sign. */
static bool default_value(parser *p, ag_created_column *c)
{
    p->constraint = (ag_str){0};
    if (at_sign(p, '(')) {
        c->default_brackets = true;
        return brackets(p, &c->default_text, &c->default_literal);
    }
    size_t from = p->tok.from;
    if (!take_sign(p, '-'))
        (void)take_sign(p, '+');
    if (p->tok.kind == AG_SQLITE_END || p->tok.kind == AG_SQLITE_BAD || p->tok.kind == AG_SQLITE_SIGN)
        return false;
    advance(p);
    c->default_text = slice(p, from, p->end);
    return true;
}

static bool generated(parser *p, ag_created_column *c)
{
    p->constraint = (ag_str){0};
    if (!brackets(p, &c->generated, NULL))
        return false;
    c->stored = take(p, "STORED");
    if (!c->stored)
        (void)take(p, "VIRTUAL");
    return true;
}

static bool column_constraint(parser *p, ag_created_column *c)
{
    static const char *const defer[] = {"NOT", "DEFERRABLE", NULL};
    ag_created_key *k;
    if (take(p, "CONSTRAINT"))
        return name(p, &p->constraint);
    if (take_two(p, "PRIMARY", "KEY"))
        return key_of_column(p, c);
    if (take(p, "UNIQUE"))
        return (k = new_key(p, AG_CONSTRAINT_UNIQUE, c)) && conflict(p, &k->conflict);
    if (at(p, "CHECK"))
        return check(p, c);
    if (at(p, "REFERENCES"))
        return references(p, new_key(p, AG_CONSTRAINT_FOREIGN_KEY, c));
    if (take(p, "DEFAULT"))
        return default_value(p, c);
    if (take(p, "COLLATE"))
        return name(p, &c->collate);
    if (take_two(p, "GENERATED", "ALWAYS") ? take(p, "AS") : take(p, "AS"))
        return generated(p, c);
    if (take_two(p, "NOT", "NULL")) {
        p->constraint = (ag_str){0};
        c->not_null = true;
        return conflict(p, &c->not_null_conflict);
    }
    if (take(p, "NULL")) {
        ag_str ignored;
        return conflict(p, &ignored);
    }
    k = at_one_of(p, defer) ? p->foreign : NULL;
    return k && deferrable(p, k);
}

/* Words up to the first constraint, and what stands in brackets behind them. */
static bool type_name(parser *p, ag_created_column *c)
{
    static const char *const stop[] = {"CONSTRAINT", "PRIMARY", "NOT",        "NULL", "UNIQUE",     "CHECK",
                                       "DEFAULT",    "COLLATE", "REFERENCES", "AS",   "DEFERRABLE", NULL};
    size_t from = p->tok.from;
    bool any = false;
    ag_str ignored;
    while (!at_one_of(p, stop)) {
        ag_sqlite_token next = ag_sqlite_next_token(p->sql, p->tok.to);
        if ((at(p, "GENERATED") && same_word(p, next, "ALWAYS")) || !name(p, &ignored))
            break;
        any = true;
    }
    if (any && at_sign(p, '(') && !brackets(p, &ignored, NULL))
        return false;
    if (any)
        c->type = slice(p, from, p->end);
    return true;
}

static bool column(parser *p, ag_created_column *c)
{
    p->constraint = (ag_str){0};
    if (!name(p, &c->name) || !type_name(p, c))
        return false;
    while (!at_sign(p, ',') && !at_sign(p, ')')) {
        if (!column_constraint(p, c))
            return false;
    }
    p->constraint = (ag_str){0};
    return true;
}

/* ---- statements ---- */

/* Behind the opening bracket: columns, then constraints (between which commas may be missing). */
static bool definitions(parser *p)
{
    static const char *const starts[] = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", NULL};
    ag_created_column **tail = &p->out->columns;
    do {
        ag_created_column *c = item(p, sizeof *c);
        if (!c || !column(p, c))
            return false;
        *tail = c;
        tail = &c->next;
    } while (take_sign(p, ',') && !at_one_of(p, starts));
    while (!at_sign(p, ')')) {
        if (!table_constraint(p))
            return false;
        if (take_sign(p, ','))
            p->constraint = (ag_str){0};
    }
    return take_sign(p, ')');
}

static bool rest(parser *p, ag_str *out)
{
    if (p->tok.kind == AG_SQLITE_END)
        return false;
    *out = slice(p, p->tok.from, p->sql.n);
    return true;
}

static bool table_rest(parser *p)
{
    p->out->kind = AG_CREATED_TABLE;
    if (take(p, "AS"))
        return rest(p, &p->out->select);
    if (!take_sign(p, '(') || !definitions(p))
        return false;
    while (p->tok.kind == AG_SQLITE_WORD) {
        if (take_two(p, "WITHOUT", "ROWID"))
            p->out->without_rowid = true;
        else if (take(p, "STRICT"))
            p->out->strict = true;
        else
            return false;
        (void)take_sign(p, ',');
    }
    return p->tok.kind == AG_SQLITE_END || at_sign(p, ';');
}

static bool index_rest(parser *p)
{
    p->out->kind = AG_CREATED_INDEX;
    if (!take(p, "ON") || !name(p, &p->out->table) || !item_list(p, &p->out->items, NULL))
        return false;
    return take(p, "WHERE") ? rest(p, &p->out->where) : p->tok.kind == AG_SQLITE_END || at_sign(p, ';');
}

static bool view_rest(parser *p)
{
    p->out->kind = AG_CREATED_VIEW;
    if (at_sign(p, '(') && !name_list(p, &p->out->names, NULL))
        return false;
    return take(p, "AS") && rest(p, &p->out->select);
}

static bool statement(parser *p)
{
    if (!take(p, "CREATE"))
        return false;
    p->out->temporary = take(p, "TEMP") || take(p, "TEMPORARY");
    p->out->unique = take(p, "UNIQUE");
    bool is_virtual = take(p, "VIRTUAL");
    bool (*read)(parser *) = take(p, "TABLE")   ? table_rest
                             : take(p, "INDEX") ? index_rest
                             : take(p, "VIEW")  ? view_rest
                                                : NULL;
    if (!read)
        return false;
    if (take_two(p, "IF", "NOT") && !take(p, "EXISTS"))
        return false;
    if (!name(p, &p->out->name))
        return false;
    if (take_sign(p, '.')) {
        p->out->schema = p->out->name;
        if (!name(p, &p->out->name))
            return false;
    }
    if (!is_virtual)
        return read(p);
    p->out->kind = AG_CREATED_VIRTUAL;
    return take(p, "USING") && name(p, &p->out->table);
}

ag_status ag_sqlite_parse_create(ag_created **out, ag_arena *arena, ag_str sql, ag_error *err)
{
    parser p = {.sql = sql, .arena = arena};
    p.out = item(&p, sizeof *p.out);
    if (p.nomem)
        return ag_fail_nomem(err);
    p.key_tail = &p.out->keys;
    p.tok = ag_sqlite_next_token(sql, 0);
    bool ok = statement(&p);
    if (p.nomem)
        return ag_fail_nomem(err);
    if (!ok) {
        size_t left = sql.n - p.tok.from;
        return ag_fail(err, AG_EXC_ARGUMENT, "no CREATE statement of SQLite: syntax error near '%.*s'",
                       (int)(left < 20 ? left : 20), left ? sql.p + p.tok.from : "");
    }
    *out = p.out;
    return AG_OK;
}
