--- How columns of aliases, subqueries, joins and set operations hang together with those they come from, and what constructs are made
--- of. The situations are those of SQLAlchemy's tests of selectables.
local ag = require "argent"

local PLUS = ag.LABEL_STYLE_TABLENAME_PLUS_COL

local meta = ag.MetaData()
local author = ag.Table("author", meta, {
  ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.String(20)), ag.Column("born", ag.Integer),
  ag.Column("rank", ag.Integer),
})
local book = ag.Table("book", meta, {
  ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Integer, ag.ForeignKey("author.id")),
  ag.Column("born", ag.String(20)), ag.Column("price", ag.Integer),
})
local keyed = ag.Table("keyed", meta, {
  ag.Column("x", ag.Integer, {key = "colx"}), ag.Column("y", ag.Integer, {key = "coly"}), ag.Column("z", ag.Integer),
})

local function keys_of(collection)
  local out = {}
  for key in pairs(collection) do out[#out + 1] = key end
  return out
end

local function message(f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok)
  return tostring(e)
end

--- Two SELECTs of five columns with a NULL each in a place of its own.
local function both()
  return ag.select(author.c.id, author.c.name, author.c.born, author.c.rank, ag.null_():label("price")):union(
    ag.select(book.c.id, book.c.name, book.c.born, ag.null_():label("rank"), book.c.price))
end

describe("corresponding_column", function()
  it("finds the column itself, else the nearest that comes from it", function()
    local s = ag.select(author.c.id:label("c2"), author.c.id, author.c.id:label("c1")):subquery()
    assert.equal(s.c.id, s:corresponding_column(author.c.id))
    assert.equal(s.c.id, s:corresponding_column(s.c.id))
    assert.equal(s.c.c1, s:corresponding_column(s.c.c1))
    local one, two = author.c.id:label("foo"), author.c.id:label("bar")
    local labelled = ag.select(one, two):alias()
    assert.equal(labelled.c.foo, labelled:corresponding_column(one))
    assert.equal(labelled.c.bar, labelled:corresponding_column(two))
    local again = ag.select(one, two):union(ag.select(author.c.id:label("foo"), author.c.name:label("bar"))):alias()
    assert.equal(again.c.foo, again:corresponding_column(one))
    assert.equal(again.c.bar, again:corresponding_column(two))
  end)

  it("looks through subqueries, CTEs and their aliases", function()
    for _, make in ipairs{"cte", "subquery"} do
      local first = ag.select(author)[make](ag.select(author))
      local second = first:alias()
      for _, embedded in ipairs{true, false} do
        local options = {require_embedded = embedded}
        assert.equal(first.c.id, first:corresponding_column(author.c.id, options))
        assert.equal(second.c.id, second:corresponding_column(author.c.id, options))
        assert.equal(second.c.id, second:corresponding_column(first.c.id, options))
      end
    end
  end)

  it("with require_embedded only finds columns whose FROM is inside", function()
    local sel = ag.select(author, book):set_label_style(PLUS):subquery()
    assert.equal(sel.c.author_id, sel:corresponding_column(author.c.id, {require_embedded = true}))
    assert.equal(author.c.id, author:corresponding_column(sel.c.author_id))
    assert.is_nil(author:corresponding_column(sel.c.author_id, {require_embedded = true}))
    assert.is_nil(author:corresponding_column(book.c.price))
  end)

  it("tells a table from its alias", function()
    local a = author:alias("a")
    for _, s in ipairs{ag.select(a, author):set_label_style(PLUS):subquery(), ag.select(author, a):set_label_style(PLUS):subquery()} do
      assert.equal(s.c.author_id, s:corresponding_column(author.c.id))
      assert.equal(s.c.a_id, s:corresponding_column(a.c.id))
    end
  end)

  it("goes by the keys of columns", function()
    local plain, long = ag.select(keyed), ag.select(keyed):set_label_style(PLUS)
    for column, key in pairs{[keyed.c.colx] = "colx", [keyed.c.coly] = "coly", [keyed.c.z] = "z"} do
      assert.is_true(plain:corresponding_column(column):compare(plain.selected_columns[key]))
      assert.is_true(long:corresponding_column(column):compare(long.selected_columns["keyed_" .. key]))
      assert.equal(plain:alias("p").c[key].key, plain:alias("p"):corresponding_column(column).key)
      local alias = long:alias()
      assert.equal(alias.c["keyed_" .. key], alias:corresponding_column(column))
    end
  end)

  it("finds labels of scalar subqueries and other expressions", function()
    local scalar = ag.select(author.c.id):label("foo")
    for _, s in ipairs{ag.select(scalar):subquery(), ag.select(scalar, scalar):subquery(), ag.select(author.c.id, scalar):subquery()} do
      assert.equal(s.c.foo, s:corresponding_column(scalar))
    end
    assert.is_true(ag.select(author.c.id, scalar):corresponding_column(scalar):compare(scalar))
    for _, c in ipairs{ag.func.now(), ag.null_(), ag.true_(), ag.false_(), ag.literal_column "10", ag.column "x"} do
      local s = ag.select(c):subquery()
      assert.equal(s.c[1], s:corresponding_column(c))
    end
    local both_true = ag.and_(author.c.name:eq "5", author.c.born:eq(4))
    local s = ag.select(author.c.id, both_true):subquery()
    assert.equal(s.c[2], s:corresponding_column(both_true))
  end)

  it("of a set operation knows the columns of all its SELECTs", function()
    local u = both()
    local s1, s2 = ag.select(author):set_label_style(PLUS), ag.select(book):set_label_style(PLUS)
    local sub, sub1, sub2 = u:alias("u"), s1:subquery(), s2:subquery()
    assert.equal("name", u:corresponding_column(author.c.name).key)
    for _, s in ipairs{sub, ag.select(sub):subquery()} do
      assert.equal(s.c.name, s:corresponding_column(s1.selected_columns.author_name))
      assert.equal(s.c.name, s:corresponding_column(s2.selected_columns.book_name))
      assert.equal(s.c.name, s:corresponding_column(sub1.c.author_name))
      assert.equal(s.c.name, s:corresponding_column(sub2.c.book_name))
    end
    assert.equal(sub.c.price, sub:corresponding_column(sub2.c.book_price))
    assert.equal(sub2.c.book_price, sub2:corresponding_column(sub.c.price))
    local j = author:join(book)
    assert.equal(sub.c.rank, sub:corresponding_column(j.c.author_rank))
    assert.equal(author.c.rank, j:corresponding_column(sub.c.rank))
  end)

  it("of a set operation takes the first SELECT that has the column", function()
    local u = ag.union(ag.select(author.c.id, author.c.name), ag.select(author.c.name, author.c.id)):subquery()
    assert.equal(u.c.id, u:corresponding_column(author.c.id))
    assert.equal(u.c.name, u:corresponding_column(author.c.name))
    u = ag.union(ag.select(author.c.id, author.c.name), ag.select(author.c.name, author.c.id), ag.select(author.c.born, author.c.rank),
      ag.select(author.c.rank, author.c.born)):subquery()
    assert.equal(u.c.name, u:corresponding_column(author.c.rank))
    assert.equal(u.c.id, u:corresponding_column(author.c.born))
  end)

  it("of a set operation with two columns of one name, limited or not", function()
    for _, limit in ipairs{false, true} do
      local s1, s2 = ag.select(author.c.id, author.c.name, book.c.id), ag.select(book.c.id, book.c.name, book.c.born)
      if limit then s1, s2 = s1:limit(1), s2:limit(1) end
      local u = ag.union(s1, s2):subquery()
      assert.same({"id", "name", "id_1"}, keys_of(u.c))
      assert.equal(u.c[1], u.c.id)
      local want = {[author.c.id] = 1, [author.c.name] = 2, [book.c.id] = 3, [book.c.name] = 2, [book.c.born] = 3}
      for column, place in pairs(want) do assert.equal(u.c[place], u:corresponding_column(column), tostring(column)) end
      assert.equal(u.c[3], u:corresponding_column(s2:subquery().c.id))
      assert.equal(u.c[2], u:corresponding_column(s2:subquery().c.name))
    end
  end)

  it("of a set operation with a text", function()
    local s = ag.select(author.c.id, author.c.name)
    local text = ag.text("select id, name from foo"):columns(ag.column "id", ag.column "name")
    for _, u in ipairs{ag.union(s, text):subquery(), ag.union(text, s):subquery()} do
      assert.equal(u.c.id, u:corresponding_column(s.selected_columns.id))
      assert.equal(u.c.id, u:corresponding_column(text.selected_columns.id))
    end
  end)

  it("of joins", function()
    local inner = ag.select(author.c.id:label("bar")):subquery()
    local j = author:join(inner, author.c.id:eq(inner.c.bar))
    assert.equal(author.c.id, j:corresponding_column(author.c.id))
    assert.equal(inner.c.bar, j:corresponding_column(inner.c.bar))
    local sub = ag.select(j):set_label_style(PLUS):subquery("foo")
    assert.equal(sub.c.author_id, sub:corresponding_column(author.c.id))
  end)

  it("refuses what is no column, and unknown options", function()
    assert.matches("bad argument #1 to %w+:corresponding_column", message(author.corresponding_column, author, function() end))
    assert.matches("unknown option 'require'", message(author.corresponding_column, author, author.c.id, {require = true}))
  end)
end)

describe("is_derived_from", function()
  it("is true of the FROM itself and of what is made of it", function()
    local j = author:join(book)
    for _, from in ipairs{author, author:alias(), j, ag.select(author), ag.select(author, book), ag.select(author):alias("foo"),
      ag.select(author, book):subquery(), ag.select(author):cte(), both(), both():subquery(), author:alias():tablesample(5), author:lateral()} do
      assert.is_false(from:is_derived_from(keyed), tostring(from))
      assert.is_true(from:is_derived_from(author), tostring(from))
    end
    assert.is_true(j:is_derived_from(j))
    assert.is_false(author:is_derived_from(author:alias()))
    assert.is_false(ag.select(book):alias("foo"):is_derived_from(author))
  end)
end)

describe("shares_lineage", function()
  it("is true of columns that come from one", function()
    local sub = ag.select(author.c.id:label("n"), author.c.name):subquery()
    assert.is_true(sub.c.n:shares_lineage(author.c.id))
    assert.is_true(sub.c.n:shares_lineage(author:alias().c.id))
    assert.is_false(sub.c.n:shares_lineage(author.c.name))
    assert.is_false(author.c.id:shares_lineage(book.c.id))
  end)
end)

describe("replace_selectable", function()
  it("puts the alias in the table's place, under its columns too", function()
    local a = author:alias("a")
    local stmt = ag.select(author.c.id):where(author.c.name:eq "x", book.c.id:eq(author.c.id))
    assert.equal("SELECT a.id FROM author AS a, book WHERE a.name = :name_1 AND book.id = a.id",
      (tostring(stmt:replace_selectable(author, a)):gsub("%s+", " ")))
    assert.equal("a.id > :id_1", tostring(author.c.id:gt(3):replace_selectable(author, a)))
    assert.matches("an alias or subquery of argument #2 expected", message(stmt.replace_selectable, stmt, author, book:alias()))
  end)
end)

describe("ClauseAdapter", function()
  it("knows what the subquery exports of functions and labels, too", function()
    local call = ag.func.foobar()
    local sub = ag.select(author.c.id, call, (author.c.born + 1):label("next")):subquery("s")
    local adapter = ag.ClauseAdapter(sub)
    assert.equal("s.id = s.foobar_1", tostring(adapter:traverse(author.c.id:eq(call))))
    assert.equal("s.next", tostring(adapter:traverse(sub.element.selected_columns.next)))
    assert.equal("s.id > :id_1 AND true", tostring(adapter:traverse(ag.and_(author.c.id:gt(3), ag.literal_column "true"))))
  end)
end)

describe("get_label_style", function()
  it("is the SELECT's, of a set operation that of the first", function()
    local s = ag.select(author)
    assert.equal(ag.LABEL_STYLE_DISAMBIGUATE_ONLY, s:get_label_style())
    assert.equal(PLUS, s:set_label_style(PLUS):get_label_style())
    assert.equal(PLUS, s:set_label_style(PLUS):union(s):union(s):get_label_style())
    local text = ag.text("select 1 as a"):columns(ag.column "a")
    assert.equal(ag.LABEL_STYLE_NONE, ag.union(text, ag.select(author.c.id)):get_label_style())
  end)
end)

describe("columns of aliases and subqueries", function()
  it("have the key, nullability and foreign keys of the table's", function()
    local a, sub = book:alias("b"), ag.select(book.c.id:label("n"), book.c.name, (book.c.price + 1):label("more")):subquery()
    assert.same({true, false, false}, {a.c.id.primary_key, a.c.name.primary_key, a.c.id.nullable})
    assert.same({true, false}, {sub.c.n.primary_key, sub.c.more.primary_key})
    assert.is_true(sub.c.more.nullable)
    assert.equal(book.c.name.foreign_keys[1], sub.c.name.foreign_keys[1])
    assert.same({}, sub.c.more.foreign_keys)
    assert.equal(a, a.c.id.table)
    assert.equal(sub, sub.c.n.table)
    assert.equal(book, sub.element.selected_columns.name.table)
  end)

  it("a FROM has its primary key and foreign keys", function()
    local sub = ag.select(book.c.id:label("n"), book.c.name):subquery()
    assert.same({sub.c.n}, sub.primary_key)
    assert.same({book.c.name.foreign_keys[1]}, sub.foreign_keys)
    assert.same({book.c.name.foreign_keys[1]}, author:join(book).foreign_keys)
    assert.same({}, ag.select(book.c.name):subquery().primary_key)
  end)

  it("a join's primary key has no column that equals another, by foreign keys", function()
    local m = ag.MetaData()
    local t = {}
    for i, name in ipairs{"a", "b", "c", "d"} do
      local columns = {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("x", ag.Integer)}
      if i > 1 then columns[1] = ag.Column("id", ag.Integer, ag.ForeignKey(("abc"):sub(i - 1, i - 1) .. ".id"), {primary_key = true}) end
      t[name] = ag.Table(name, m, columns)
    end
    local a, b, c, d = t.a, t.b, t.c, t.d
    assert.is_true(c.c.id:references(b.c.id))
    assert.is_false(d.c.id:references(a.c.id))
    local rows = {
      {a:join(b), a}, {b:join(c), b}, {a:join(b):join(c), a}, {b:join(c):join(d), b}, {d:join(c):join(b), b}, {a:join(b):join(c):join(d), a},
      {a:join(b, a.c.x:eq(b.c.id)), a}, {b:join(c, b.c.x:eq(c.c.id)), b}, {a:join(b):join(c, c.c.id:eq(b.c.x)), a},
      {b:join(c, c.c.x:eq(b.c.id)):join(d), b}, {b:join(c, c.c.id:eq(b.c.x)):join(d), b},
      {d:join(b, d.c.id:eq(b.c.id)):join(c, b.c.id:eq(c.c.x)), b}, {a:join(b):join(c, c.c.id:eq(b.c.x)):join(d), a},
      {a:join(b, ag.and_(a.c.id:eq(b.c.id), a.c.x:eq(b.c.id))), a},
    }
    for i, row in ipairs(rows) do assert.same({row[2].c.id}, row[1].primary_key, i) end
  end)
end)

describe("parts", function()
  local s = ag.select(author)
  --- expression, part, what it is: a string is its SQL
  local rows = {
    {author.c.id:gt(5), "left", author.c.id}, {author.c.id:gt(5), "operator", "gt"}, {author.c.id:gt(5), "right", ":id_1"},
    {author.c.id:op("&&")(3), "operator", "&&"}, {(-author.c.id), "operator", "neg"}, {(-author.c.id), "element", author.c.id},
    {author.c.id:desc(), "modifier", "desc"}, {author.c.id:desc(), "operator", nil}, {author.c.id:desc(), "element", author.c.id},
    {author.c.id:between(1, 2), "left", author.c.id}, {author.c.id:between(1, 2), "operator", "between"},
    {author.c.id:label("x"), "element", author.c.id},
    {ag.cast(author.c.id, ag.Text), "clause", author.c.id}, {ag.type_coerce(author.c.id, ag.Text), "clause", author.c.id},
    {ag.extract("year", ag.column "d"), "field", "year"}, {ag.extract("year", ag.column "d"), "expr", "d"},
    {ag.func.count(author.c.id):over{order_by = author.c.name}, "element", "count(author.id)"},
    {ag.func.count(author.c.id):filter(author.c.id:gt(1)), "func", "count(author.id)"},
    {ag.func.count(author.c.id):filter(author.c.id:gt(1)), "criterion", "author.id > :id_1"},
    {ag.bindparam("n", 5), "value", 5}, {ag.bindparam("n", 5), "effective_value", 5}, {ag.bindparam("n", 5), "required", false},
    {ag.bindparam("n"), "required", true}, {ag.bindparam("n"), "value", nil}, {ag.bindparam("n", {expanding = true}), "expanding", true},
    {ag.bindparam("n", nil, {callable = function() return 7 end}), "effective_value", 7}, {ag.bindparam("n", 5, {unique = true}), "unique", true},
    {ag.literal_column("1"), "is_literal", true}, {ag.column("a"), "is_literal", false},
    {ag.exists(s), "element", tostring(s)}, {s:scalar_subquery(), "element", tostring(s)},
    {author:join(book), "left", author}, {author:join(book), "right", book}, {author:join(book), "onclause", "author.id = book.name"},
    {author:join(book, nil, {isouter = true}), "isouter", true}, {author:join(book), "full", false}, {author:alias("a"), "element", author},
    {author:alias("a"):alias("b"), "original", author}, {s:subquery(), "element", tostring(s)}, {s:cte(), "element", tostring(s)},
  }
  for i, row in ipairs(rows) do
    it(("%d: %s of %s"):format(i, row[2], (tostring(row[1]):gsub("%s+", " "))), function()
      local found = row[1][row[2]]
      if type(row[3]) == "string" then found = tostring(found) end
      assert.equal(row[3], found)
    end)
  end

  it("that are lists", function()
    local f = ag.func.pkg.f(author.c.id, 3)
    assert.same({author.c.id, 2, "pkg"}, {f.clauses[1], #f.clauses, f.packagenames[1]})
    local c = ag.case({author.c.id:eq(1), "one"}, {author.c.id:eq(2), "two"}, {else_ = "many"})
    assert.same({2, "author.id = :id_1", "many"}, {#c.whens, tostring(c.whens[1][1]), c.else_.value})
    assert.same({2, "or_"}, {#ag.or_(author.c.id:eq(1), author.c.id:eq(2)).clauses, ag.or_(author.c.id:eq(1), author.c.id:eq(2)).operator})
    assert.equal(2, #ag.tuple_(author.c.id, author.c.name).clauses)
    assert.same({1, 2}, author.c.id:in_{1, 2}.right.value)
    local over = ag.func.rank():over{partition_by = author.c.name, order_by = {author.c.id, author.c.born}}
    assert.same({1, 2}, {#over.partition_by, #over.order_by})
  end)

  it("stand for the part alone, and can be used again", function()
    local condition = author.c.id:gt(5)
    assert.equal("author.id < :id_1", tostring(condition.left:lt(condition.right)))
    assert.is_true(condition:compare(condition.left:gt(5)))
  end)

  it("that a construct does not have raise", function()
    assert.matches("has no attribute 'lefft'", message(function() return author.c.id:gt(5).lefft end))
    assert.matches("has no attribute 'clauses'", message(function() return author.c.id:gt(5).clauses end))
  end)
end)

describe("what an INSERT, UPDATE or DELETE is of", function()
  it("entity_description and returning_column_descriptions", function()
    local alias = author:alias("some")
    for _, make in ipairs{ag.insert, ag.update, ag.delete} do
      assert.same({name = "author", table = author}, make(author).entity_description)
      assert.same({}, make(author).returning_column_descriptions)
      local d = make(author):returning(author.c.id, author.c.name).returning_column_descriptions
      assert.same({2, "id", "name", author.c.name}, {#d, d[1].name, d[2].name, d[2].expr})
      assert.equal(author.c.name.type, d[2].type)
    end
    assert.same({name = "some", table = alias}, ag.update(alias).entity_description)
  end)
end)
