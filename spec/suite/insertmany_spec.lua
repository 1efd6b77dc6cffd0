-- INSERT of many rows: batches, RETURNING in the order of the rows, generated keys (SQLAlchemy's insertmanyvalues).
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("an INSERT of many rows", function()
  local engine, conn, t
  before_each(function()
    engine = db.engine()
    t = ag.Table("many", ag.MetaData(), {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text), ag.Column("n", ag.Integer, {server_default = "7"}),
      ag.Column("made", ag.Integer, {default = 3}),
    })
    t.metadata:create_all(engine)
    conn = engine:connect()
  end)
  after_each(function()
    conn:rollback()
    conn:close()
    db.cleanup()
  end)

  local function rows_of(n, make)
    local rows = {}
    for i = 1, n do rows[i] = make and make(i) or {name = "n" .. i} end
    return rows
  end

  local function sent_of(c)
    local sent = {}
    ag.event.listen(c, "before_cursor_execute", function(_, _, statement) sent[#sent + 1] = statement end)
    return sent
  end

  local function check(list, n)
    assert.equal(n, #list)
    for i, row in ipairs(list) do
      assert.equal("n" .. i, row.name)
      assert.equal(list[1].id + i - 1, row.id)
    end
  end

  it("gives RETURNING rows in the order of the rows", function()
    check(conn:execute(ag.insert(t):returning(t.c.id, t.c.name), rows_of(2500)):all(), 2500)
  end)

  it("gives them sorted when asked, whatever the page size", function()
    for _, page in ipairs{1, 2, 7, 100, 5000} do
      local r = conn:execute(ag.insert(t):returning(t.c.id, t.c.name, {sort_by_parameter_order = true}), rows_of(250),
        {execution_options = {insertmanyvalues_page_size = page}})
      check(r:all(), 250)
    end
  end)

  it("gives defaults sorted when asked, without rows of its own", function()
    for _, stmt in ipairs{
      ag.insert(t):return_defaults(t.c.id, {sort_by_parameter_order = true}), ag.insert(t):return_defaults{sort_by_parameter_order = true},
    } do
      local r = conn:execute(stmt, rows_of(3))
      assert.falsy(r.returns_rows)
      assert.equal(3, #r.inserted_primary_key_rows)
      assert.equal(3, #r.returned_defaults_rows)
      for i = 2, 3 do assert.equal(r.inserted_primary_key_rows[1][1] + i - 1, r.inserted_primary_key_rows[i][1]) end
    end
  end)

  it("takes the page size of the engine and of the connection", function()
    for _, make in ipairs{
      function() return db.other_engine(engine, {insertmanyvalues_page_size = 3}):connect() end,
      function() return engine:connect():execution_options{insertmanyvalues_page_size = 3} end,
    } do
      if db.memory then break end
      engine:begin(function(c) c:execute(ag.delete(t)) end)
      local c <close> = make()
      check(c:execute(ag.insert(t):returning(t.c.id, t.c.name), rows_of(10)):all(), 10)
      c:rollback()
    end
    expect.raises("ArgumentError", "insertmanyvalues_page_size", function() ag.create_engine(db.url(), {insertmanyvalues_page_size = 0}) end)
  end)

  it("goes in few statements on PostgreSQL, as one prepared statement on SQLite", function()
    local sent = sent_of(conn)
    conn:execute(ag.insert(t):returning(t.c.id), rows_of(100))
    assert.equal(1, #sent)
    assert.matches(db.postgresql and "unnest" or "VALUES %(%?, %?%)", sent[1])
  end)

  it("goes row by row with use_insertmanyvalues = false, with the same results", function()
    local other = ag.create_engine(engine.url, {use_insertmanyvalues = false})
    t.metadata:create_all(other)
    local c <close> = other:connect()
    local sent = sent_of(c)
    check(c:execute(ag.insert(t):returning(t.c.id, t.c.name, {sort_by_parameter_order = true}), rows_of(20)):all(), 20)
    assert.is_nil(sent[1]:find("unnest", 1, true))
    local r = c:execute(ag.insert(t), rows_of(3))
    assert.equal(3, #r.inserted_primary_key_rows)
    c:rollback()
    c:close()
    other:dispose()
  end)

  it("knows the keys of all rows, and the last one on SQLite", function()
    local r = conn:execute(ag.insert(t), rows_of(5))
    assert.equal(5, r.rowcount)
    assert.equal(5, #r.inserted_primary_key_rows)
    for i, key in ipairs(r.inserted_primary_key_rows) do
      assert.equal(r.inserted_primary_key_rows[1].id + i - 1, key.id)
      assert.equal(key.id, key[1])
    end
    if db.sqlite then assert.equal(r.inserted_primary_key_rows[5].id, r.lastrowid) end
    local one = conn:execute(ag.insert(t):values{name = "x"})
    assert.equal(r.inserted_primary_key_rows[5].id + 1, one.inserted_primary_key.id)
    if db.sqlite then assert.equal(one.inserted_primary_key.id, one.lastrowid) end
  end)

  it("tells no keys beside the user's own RETURNING", function()
    local r = conn:execute(ag.insert(t):values{name = "x"}:returning(t.c.name))
    expect.raises("InvalidRequestError", "returning()", function() return r.inserted_primary_key end)
    r = conn:execute(ag.insert(t):returning(t.c.id), rows_of(2))
    expect.raises("InvalidRequestError", "returning()", function() return r.inserted_primary_key_rows end)
    assert.equal(2, #r:all())
  end)

  it("gives back defaults of all rows", function()
    local r = conn:execute(ag.insert(t):return_defaults(t.c.n), {{name = "a"}, {name = "b"}, {name = "c"}})
    assert.equal(3, #r.returned_defaults_rows)
    for i, row in ipairs(r.returned_defaults_rows) do
      assert.equal(7, row.n)
      assert.equal(r.inserted_primary_key_rows[i].id, row.id)
    end
    local one = conn:execute(ag.insert(t):values{name = "d"}:return_defaults())
    assert.equal(7, one.returned_defaults.n)
    assert.equal(one.inserted_primary_key.id, one.returned_defaults.id)
  end)

  it("returns SQL expressions, constants and expressions over parameters in order", function()
    local stmt = ag.insert(t):values{name = ag.func.upper(ag.bindparam("word")), n = ag.select(ag.literal(5)):scalar_subquery()}
      :returning(t.c.name, (t.c.n + 1):label("next"), {sort_by_parameter_order = true})
    local r = conn:execute(stmt, {{word = "a"}, {word = "b"}, {word = "c"}}):all()
    assert.same({"A", "B", "C"}, {r[1].name, r[2].name, r[3].name})
    assert.same({6, 6, 6}, {r[1].next, r[2].next, r[3].next})
  end)

  it("splits rows with other keys, and still returns all in order", function()
    local r = conn:execute(ag.insert(t):returning(t.c.name, t.c.n, t.c.made, {sort_by_parameter_order = true}),
      {{name = "a"}, {name = "b"}, {name = "c", n = 1}, {name = "d", made = 9}, {name = "e"}}):all()
    local got = {}
    for i, row in ipairs(r) do got[i] = ("%s %d %d"):format(row.name, row.n, row.made) end
    assert.same({"a 7 3", "b 7 3", "c 1 3", "d 7 9", "e 7 3"}, got)
  end)

  it("has rows of defaults only", function()
    local r = conn:execute(ag.insert(t):returning(t.c.id, t.c.n, t.c.made), {{}, {}, {}}):all()
    assert.equal(3, #r)
    for i, row in ipairs(r) do assert.same({r[1].id + i - 1, 7, 3}, {row.id, row.n, row.made}) end
  end)

  it("splits batches at the database's limit of parameters", function()
    local columns = {ag.Column("id", ag.Integer, {primary_key = true})}
    for i = 1, 40 do columns[#columns + 1] = ag.Column("c" .. i, ag.Uuid) end
    local wide = ag.Table("wide", ag.MetaData(), columns)
    wide.metadata:create_all(conn)
    local row = {}
    for i = 1, 40 do row["c" .. i] = ("00000000-0000-0000-0000-%012d"):format(i) end
    local r = conn:execute(ag.insert(wide):returning(wide.c.id, {sort_by_parameter_order = true}), rows_of(4000, function() return row end))
    local ids = r:scalars():all()
    assert.equal(4000, #ids)
    for i, id in ipairs(ids) do assert.equal(ids[1] + i - 1, id) end
  end)

  it("with INSERT … SELECT returns what was selected", function()
    conn:execute(ag.insert(t), {{name = "b"}, {name = "a"}, {name = "c"}})
    local r = conn:execute(ag.insert(t):from_select({"name"}, ag.select(t.c.name .. "!"):order_by(t.c.name))
      :returning(t.c.name, t.c.id)):all()
    assert.same({"a!", "b!", "c!"}, {r[1].name, r[2].name, r[3].name})
  end)

  it("an upsert that touches rows twice goes row by row", function()
    local insert = ag.insert(t)
    insert = insert:on_conflict_do_update{index_elements = {t.c.id}, set = {name = insert.excluded.name}}:returning(t.c.name)
    local r = conn:execute(insert, {{id = 100, name = "a"}, {id = 100, name = "b"}, {id = 101, name = "c"}})
    assert.same({"a", "b", "c"}, r:scalars():all())
    assert.same({"b", "c"}, conn:execute(ag.select(t.c.name):where(t.c.id:ge(100)):order_by(t.c.id)):scalars():all())
  end)

  it("tells when a trigger swallows a row and the order was asked for", function()
    if db.postgresql then
      conn:exec_driver_sql([[CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF NEW.name = ''skip'' THEN RETURN NULL; END IF; RETURN NEW; END']])
      conn:exec_driver_sql("CREATE TRIGGER skipping BEFORE INSERT ON many FOR EACH ROW EXECUTE FUNCTION skip()")
    else
      conn:exec_driver_sql("CREATE TRIGGER skipping BEFORE INSERT ON many WHEN NEW.name = 'skip' BEGIN SELECT RAISE(IGNORE); END")
    end
    local rows = {{name = "a"}, {name = "skip"}, {name = "c"}}
    assert.same({"a", "c"}, conn:execute(ag.insert(t):returning(t.c.name), rows):scalars():all())
    expect.raises("InvalidRequestError", {"sort_by_parameter_order", "2 rows", "3 parameter sets"}, function()
      conn:execute(ag.insert(t):returning(t.c.name, {sort_by_parameter_order = true}), rows)
    end)
  end)

  it("orders rows of client-side UUIDs", function()
    local k = ag.Table("keyed", ag.MetaData(), {ag.Column("key", ag.Uuid, {primary_key = true}), ag.Column("name", ag.Text)})
    k.metadata:create_all(conn)
    local rows = rows_of(500, function(i)
      return {key = ("%08x-0000-4000-8000-%012x"):format((i * 2654435761) % 2 ^ 32 // 1 | 0, i), name = "n" .. i}
    end)
    local r = conn:execute(ag.insert(k):returning(k.c.key, k.c.name, {sort_by_parameter_order = true}), rows):all()
    for i, row in ipairs(r) do assert.same({rows[i].key, rows[i].name}, {row.key, row.name}) end
    assert.equal(rows[500].key, conn:execute(ag.insert(k), {rows_of(1, function() return
      {key = "ffffffff-0000-4000-8000-000000000000", name = "x"} end)[1], {key = "fffffffe-0000-4000-8000-000000000000"}})
      .inserted_primary_key_rows[2].key and rows[500].key)
  end)

  it("has an insert_sentinel column that no statement names", function()
    local s = ag.Table("sentinel", ag.MetaData(), {ag.Column("code", ag.Text, {primary_key = true, server_default = "x"}),
      ag.Column("name", ag.Text), ag.insert_sentinel("mark")})
    s.metadata:create_all(conn)
    assert.matches("mark INTEGER", tostring(ag.CreateTable(s)))
    assert.equal("SELECT sentinel.code, sentinel.name FROM sentinel", (tostring(ag.select(s)):gsub("%s+", " ")))
    assert.equal("SELECT o.code, o.name FROM sentinel AS o", (tostring(ag.select(s:alias("o"))):gsub("%s+", " ")))
    assert.equal("INSERT INTO sentinel (code, name) VALUES (:code, :name)", (tostring(ag.insert(s)):gsub("%s+", " ")))
    assert.equal("SELECT sentinel.mark FROM sentinel", (tostring(ag.select(s.c.mark)):gsub("%s+", " ")))
    local rows = rows_of(50, function(i) return {code = "c" .. i, name = "n" .. i} end)
    local r = conn:execute(ag.insert(s):returning(s.c.name, {sort_by_parameter_order = true}), rows)
    for i, name in ipairs(r:scalars():all()) do assert.equal("n" .. i, name) end
  end)
end)

describe("lists of parameter sets", function()
  after_each(db.cleanup)
  it("are batched for UPDATE and DELETE, with counts", function()
    local engine = db.engine()
    local t = ag.Table("many", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("n", ag.Integer)})
    t.metadata:create_all(engine)
    local conn <close> = engine:connect()
    local rows, changes = {}, {}
    for i = 1, 300 do rows[i], changes[i] = {id = i, n = i}, {key = i, value = -i} end
    conn:execute(ag.insert(t), rows)
    local r = conn:execute(ag.update(t):where(t.c.id:eq(ag.bindparam("key"))):values{n = ag.bindparam("value")}, changes)
    assert.equal(300, r.rowcount)
    assert.equal(-300 * 301 // 2, conn:scalar(ag.select(ag.func.sum(t.c.n))))
    r = conn:execute(ag.delete(t):where(t.c.id:eq(ag.bindparam("key"))), {{key = 1}, {key = 2}, {key = 1000}})
    assert.equal(2, r.rowcount)
    expect.raises("ArgumentError", "empty", function() conn:execute(ag.insert(t), {}) end)
    expect.raises("StatementError", "key", function() conn:execute(ag.delete(t):where(t.c.id:eq(ag.bindparam("key"))), {{key = 3}, {}}) end)
    conn:rollback()
  end)
end)
