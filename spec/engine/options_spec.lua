-- Options of engines and executions that have no spec of their own subject.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

local function sent_of(engine)
  local sent = {}
  ag.event.listen(engine, "before_cursor_execute", function(_, _, statement) sent[#sent + 1] = statement end)
  return sent
end

describe("names", function()
  after_each(db.cleanup)
  local md = ag.MetaData()
  local t = ag.Table("some_table", md, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("some_long_name", ag.Text)})
  local stmt = ag.select(t.c.some_long_name):set_label_style(ag.LABEL_STYLE_TABLENAME_PLUS_COL)

  local function text_of(options)
    local engine = db.engine(options)
    md:create_all(engine)
    local sent = sent_of(engine)
    local conn <close> = engine:connect()
    conn:execute(stmt)
    conn:rollback()
    return sent[#sent]
  end

  it("are cut to label_length", function()
    assert.equal("SELECT some_table.some_long_name AS some_table_some_long_name FROM some_table", text_of())
    assert.equal("SELECT some_table.some_long_name AS some_table_som_1 FROM some_table", text_of{label_length = 20})
  end)

  it("are cut to max_identifier_length where there is no label_length", function()
    assert.equal("SELECT some_table.some_long_name AS some_table_some__1 FROM some_table", text_of{max_identifier_length = 22})
    assert.equal("SELECT some_table.some_long_name AS some_table_s_1 FROM some_table",
      text_of{max_identifier_length = 22, label_length = 18})
  end)

  it("labels cannot be longer than identifiers", function()
    expect.raises("ArgumentError", "Label length of 30 is greater than this dialect's maximum identifier length of 20", function()
      ag.create_engine(db.url(), {max_identifier_length = 20, label_length = 30})
    end)
    if db.postgresql then
      expect.raises("ArgumentError", "maximum identifier length of 63", function() ag.create_engine(db.url(), {label_length = 64}) end)
    end
  end)

  it("row keys are the ones that were asked for", function()
    local engine = db.engine{label_length = 16}
    md:create_all(engine)
    engine:begin(function(conn) conn:execute(ag.insert(t):values{id = 1, some_long_name = "x"}) end)
    local conn <close> = engine:connect()
    local row = conn:execute(stmt):one()
    assert.equal("x", row[t.c.some_long_name])
    conn:rollback()
  end)
end)

describe("the statement cache", function()
  after_each(db.cleanup)
  local t = ag.Table("cached", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("n", ag.Integer)})

  it("tells its figures, and can be emptied", function()
    local engine = db.engine()
    t.metadata:create_all(engine)
    local conn <close> = engine:connect()
    engine:clear_compiled_cache()
    local before = engine.compiled_cache
    assert.equal(0, before.size)
    for i = 1, 5 do conn:execute(ag.select(t.c.id):where(t.c.n:gt(i))) end
    local after = engine.compiled_cache
    assert.equal(1, after.size)
    assert.equal(4, after.hits - before.hits)
    assert.equal(1, after.misses - before.misses)
    assert.equal(500, after.capacity)
    conn:rollback()
  end)

  it("is bounded by query_cache_size", function()
    local engine = db.engine{query_cache_size = 3}
    t.metadata:create_all(engine)
    local conn <close> = engine:connect()
    for i = 1, 10 do conn:execute(ag.select(t.c.id:label("x" .. i))) end
    local figures = engine.compiled_cache
    assert.equal(3, figures.size)
    assert.is_true(figures.evictions >= 7)
    conn:rollback()
  end)

  it("is not there with query_cache_size = 0", function()
    local engine = db.engine{query_cache_size = 0}
    assert.is_nil(engine.compiled_cache)
    engine:clear_compiled_cache()
    t.metadata:create_all(engine)
    local conn <close> = engine:connect()
    assert.equal(0, #conn:execute(ag.select(t.c.id)):all())
    conn:rollback()
  end)

  it("is passed by where compiled_cache is NULL or false", function()
    local engine = db.engine()
    t.metadata:create_all(engine)
    local conn <close> = engine:connect()
    engine:clear_compiled_cache()
    for _, off in ipairs{false, ag.null} do
      conn:execute(ag.select(t.c.id), nil, {execution_options = {compiled_cache = off}})
    end
    assert.equal(0, engine.compiled_cache.size)
    conn:execution_options{compiled_cache = ag.null}
    conn:execute(ag.select(t.c.id))
    assert.equal(0, engine.compiled_cache.size)
    conn:rollback()
  end)

  it("keeps statements of different schema_translate_maps apart", function()
    local engine = db.engine()
    local md = ag.MetaData{schema = "per_user"}
    local s = ag.Table("things", md, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text)})
    local conn <close> = engine:connect()
    local map = {per_user = db.postgresql and "one" or "main"}
    if db.postgresql then
      conn:exec_driver_sql("CREATE SCHEMA one")
      conn:exec_driver_sql("CREATE SCHEMA two")
    else
      conn:exec_driver_sql("ATTACH ':memory:' AS two")
    end
    for _, to in ipairs{map.per_user, "two"} do
      local options = {execution_options = {schema_translate_map = {per_user = to}}}
      conn:execute(ag.CreateTable(s), nil, options)
      conn:execute(ag.insert(s):values{id = 1, name = to}, nil, options)
    end
    for _ = 1, 2 do
      for _, to in ipairs{map.per_user, "two"} do
        local options = {execution_options = {schema_translate_map = {per_user = to}}}
        assert.equal(to, conn:execute(ag.select(s.c.name), nil, options):scalar())
        assert.equal(to, conn:scalar(ag.select(s.c.name):where(s.c.id:eq(1)), nil, options))
      end
    end
    expect.raises("ProgrammingError", "per_user", function()
      conn:begin_nested(function() conn:execute(ag.select(s.c.name)) end)
    end)
    conn:execution_options{schema_translate_map = {per_user = "two"}}
    conn:execute(ag.update(s):values{name = "new"})
    assert.equal("new", conn:execute(ag.select(s.c.name)):scalar())
    conn:execute(ag.delete(s))
    assert.equal(0, conn:execute(ag.select(ag.func.count()):select_from(s)):scalar())
    local ok = {execution_options = {schema_translate_map = {per_user = map.per_user}}}
    assert.equal(map.per_user, conn:execute(ag.select(s.c.name), nil, ok):scalar())
    conn:rollback()
  end)

  it("a schema map takes NULL for no schema, on both sides", function()
    local engine = db.engine()
    local t2 = ag.Table("plain", ag.MetaData(), {ag.Column("id", ag.Integer)})
    local conn <close> = engine:connect()
    local to = db.postgresql and "public" or "main"
    local options = {execution_options = {schema_translate_map = {[ag.null] = to}}}
    local sent = sent_of(engine)
    conn:execute(ag.CreateTable(t2), nil, options)
    conn:execute(ag.select(t2.c.id), nil, options)
    assert.equal(("SELECT %s.plain.id FROM %s.plain"):format(to, to), sent[#sent])
    local there = ag.Table("plain", ag.MetaData(), {ag.Column("id", ag.Integer), schema = "nowhere"})
    conn:execute(ag.select(there.c.id), nil, {execution_options = {schema_translate_map = {nowhere = ag.null}}})
    assert.equal("SELECT plain.id FROM plain", sent[#sent])
    conn:rollback()
  end)
end)

describe("row counts", function()
  after_each(db.cleanup)
  it("are there with and without preserve_rowcount", function()
    local engine = db.engine()
    local t = ag.Table("counted", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("n", ag.Integer)})
    t.metadata:create_all(engine)
    local conn <close> = engine:connect()
    conn:execute(ag.insert(t), {{id = 1, n = 1}, {id = 2, n = 1}, {id = 3, n = 2}})
    for _, options in ipairs{{}, {execution_options = {preserve_rowcount = true}}} do
      assert.equal(3, conn:execute(ag.select(t.c.id), nil, options).rowcount)
      assert.equal(2, conn:execute(ag.update(t):where(t.c.n:eq(1)):values{n = 1}, nil, options).rowcount)
      assert.equal(2, conn:execute(ag.update(t):where(t.c.n:eq(1)):values{n = 1}:returning(t.c.id), nil, options).rowcount)
      assert.equal(0, conn:execute(ag.delete(t):where(t.c.n:eq(9)), nil, options).rowcount)
      assert.equal(2, conn:execute(ag.insert(t), {{id = 11, n = 5}, {id = 12, n = 6}}, options).rowcount)
      conn:execute(ag.delete(t):where(t.c.n:ge(5)))
    end
    conn:rollback()
  end)
end)

describe("no_parameters", function()
  after_each(db.cleanup)
  it("text without parameters goes as it is, with and without the option", function()
    local engine = db.engine()
    local conn <close> = engine:connect()
    local text = db.postgresql and [[SELECT '%', '%(x)s', '$1', '{"a": 1}'::jsonb ? 'a']] or [[SELECT '%', '%(x)s', '$1', '?' = '?']]
    for _, options in ipairs{{}, {execution_options = {no_parameters = true}}} do
      local row = conn:exec_driver_sql(text, nil, options):one()
      assert.same({"%", "%(x)s", "$1"}, {row[1], row[2], row[3]})
      assert.is_true(row[4] == true or row[4] == 1)
    end
    conn:rollback()
  end)
end)

describe("autocommit", function()
  after_each(db.cleanup)
  it("sends no ROLLBACK when a connection comes back, with and without skip_autocommit_rollback", function()
    for _, skip in ipairs{true, false} do
      local lines = {}
      local before = ag.log.set_handler(function(_, _, text) lines[#lines + 1] = text end)
      local engine = db.engine{skip_autocommit_rollback = skip}
      engine.echo = true
      local conn = engine:connect():execution_options{isolation_level = "AUTOCOMMIT"}
      conn:exec_driver_sql("SELECT 1")
      conn:close()
      engine:connect():close()
      ag.log.set_handler(before)
      for _, line in ipairs(lines) do assert.is_nil(line:find("ROLLBACK", 1, true), line) end
    end
  end)
end)

describe("lock_timeout", function()
  after_each(db.cleanup)
  if db.name ~= "sqlite-file" then
    it("is how long another connection's lock is waited for", function() pending("a database file") end)
    return
  end

  local function waits(options, url_args)
    local first = db.engine()
    first:begin(function(conn) conn:exec_driver_sql("CREATE TABLE IF NOT EXISTS t (a)") end)
    local url = first.url
    if url_args then url = url:update_query_dict(url_args) end
    local other = ag.create_engine(url, options)
    local writer <close> = first:connect()
    writer:exec_driver_sql("INSERT INTO t VALUES (1)")
    local began = os.time()
    local e = expect.raises("OperationalError", "locked", function()
      other:begin(function(conn) conn:exec_driver_sql("INSERT INTO t VALUES (2)") end)
    end)
    local took = os.time() - began
    writer:rollback()
    other:dispose()
    assert.equal(5, e.code)
    return took
  end

  it("is how long the driver waits for another process's lock", function()
    assert.is_true(waits{lock_timeout = 0.05} <= 1)
  end)

  it("yields to the driver's own timeout, in the URL and in connect_args", function()
    assert.is_true(waits({lock_timeout = 30}, {timeout = "0.05"}) <= 1)
    assert.is_true(waits{lock_timeout = 30, connect_args = {timeout = 0.05}} <= 1)
    assert.is_true(waits({}, {timeout = "0.05"}) <= 1)
  end)
end)

describe("with_dialect_options", function()
  local t = ag.Table("t", ag.MetaData(), {ag.Column("id", ag.Integer)})
  it("takes options of other dialects, and knows that SQLite and PostgreSQL have none", function()
    for _, make in ipairs{ag.insert, ag.update, ag.delete} do
      local stmt = make(t)
      assert.equal(tostring(stmt), tostring(stmt:with_dialect_options{mysql_limit = 5}))
      expect.raises("ArgumentError", {"postgresql_limit", "postgresql"}, stmt.with_dialect_options, stmt, {postgresql_limit = 5})
      expect.raises("ArgumentError", "sqlite", stmt.with_dialect_options, stmt, {sqlite_limit = 5})
      expect.raises("ArgumentError", "<dialect>_<option>", stmt.with_dialect_options, stmt, {limit = 5})
      expect.raises("ArgumentError", "", stmt.with_dialect_options, stmt)
    end
  end)

  it("prefixes are written for their dialect only", function()
    local stmt = ag.insert(t):values{id = 1}:prefix_with("OR IGNORE", {dialect = "sqlite"})
    assert.equal("INSERT OR IGNORE INTO t (id) VALUES (?)", stmt:compile{dialect = "sqlite"}.string)
    assert.equal("INSERT INTO t (id) VALUES ($1)", stmt:compile{dialect = "postgresql"}.string)
  end)
end)

describe("internal names", function()
  it("are not shown by ag", function()
    for _, name in ipairs{"schema_attributes", "postgresql_types", "engine_new", "internal"} do
      expect.raises("ArgumentError", name, function() return ag[name] end)
    end
  end)
end)

describe("poolclass", function()
  after_each(db.cleanup)

  it("takes the names of pools as constants, and as text", function()
    for _, class in ipairs{ag.QueuePool, ag.NullPool, ag.StaticPool, ag.AssertionPool, ag.SingletonThreadPool, ag.AsyncAdaptedQueuePool} do
      local engine = db.engine{poolclass = class}
      local conn <close> = engine:connect()
      assert.equal(1, conn:scalar(ag.text "SELECT 1"))
    end
    expect.raises("ArgumentError", "poolclass", db.engine, {poolclass = "NullPoll"})
    expect.raises("ArgumentError", "poolclass", db.engine, {poolclass = 5})
  end)

  it("AssertionPool lends one connection at a time", function()
    local engine = db.engine{poolclass = ag.AssertionPool}
    local conn <close> = engine:connect()
    assert.is_false(conn.closed)
    if db.shared then
      local ok, e = pcall(engine.connect, engine)
      assert.is_false(ok)
      assert.matches("already", tostring(e))
    end
  end)
end)

describe("what an engine and its dialect say of themselves", function()
  after_each(db.cleanup)

  it("is read from the engine", function()
    local engine = db.engine{logging_name = "mine", hide_parameters = true}
    assert.same({"mine", true, false}, {engine.logging_name, engine.hide_parameters, engine.echo})
    assert.is_nil(db.engine().logging_name)
    assert.equal(engine, engine.engine)
  end)

  it("is one dialect for the engine and its connections", function()
    local engine = db.engine()
    local conn <close> = engine:connect()
    local dialect = conn.dialect
    assert.equal(engine.dialect, dialect)
    assert.equal(db.dialect, dialect.name)
    assert.equal(engine.driver, dialect.driver)
    assert.equal(db.postgresql, dialect.supports_sequences)
    assert.equal(db.postgresql and "numeric_dollar" or "qmark", dialect.paramstyle)
    assert.equal(db.postgresql and 63 or 9999, dialect.max_identifier_length)
    assert.is_true(dialect.insert_returning)
    assert.equal(db.postgresql and "public" or "main", dialect.default_schema_name)
    assert.is_true(dialect.server_version_info[1] >= 3)
    assert.equal("Dialect(" .. db.dialect .. ")", tostring(dialect))
    assert.equal("SELECT 1", ag.select(ag.literal_column "1"):compile{dialect = dialect}.string)
    expect.raises("ArgumentError", "did you mean 'paramstyle'", function() return dialect.paramstile end)
    expect.raises("ArgumentError", "not assigned", function() dialect.foo = 1 end)
  end)

  it("quotes names, and looks up what is there", function()
    local engine = db.engine()
    local conn <close> = engine:connect()
    local prepare = conn.dialect.identifier_preparer
    assert.equal([["two words" plain "plain" "a""b"]], table.concat({prepare:quote("two words"), prepare:quote("plain"),
      prepare:quote_identifier("plain"), prepare:quote_identifier('a"b')}, " "))
    local t = ag.Table("some t", ag.MetaData(), {ag.Column("id", ag.Integer)})
    assert.equal([["some t"]], prepare:format_table(t))
    assert.equal([[x."some t"]], prepare:format_table(ag.Table("some t", ag.MetaData(), {schema = "x"})))
    expect.raises("ArgumentError", "expected a Table", prepare.format_table, prepare, "t")
    expect.raises("ArgumentError", "expected a string", prepare.quote, prepare, 5)
    assert.is_false(conn.dialect:has_table(conn, "some t"))
    t:create(conn)
    assert.is_true(conn.dialect:has_table(conn, "some t"))
    assert.equal("id", conn.dialect:get_columns(conn, "some t")[1].name)
    expect.raises("ArgumentError", "expected a Connection", function() return conn.dialect:has_table("some t") end)
  end)

  it("refuses bounds of a pool that has none", function()
    for _, class in ipairs{"NullPool", "StaticPool", "AssertionPool"} do
      expect.raises("ArgumentError", {"pool_size", class}, db.engine, {poolclass = class, pool_size = 3})
      expect.raises("ArgumentError", {"max_overflow", class}, db.engine, {poolclass = class, max_overflow = 3})
    end
    assert.truthy(db.engine{poolclass = "SingletonThreadPool", pool_size = 3})
    expect.raises("ArgumentError", "pool_timeout", db.engine, {poolclass = "SingletonThreadPool", pool_timeout = 3})
  end)
end)
