local ag = require "argent"
local db = require "spec.support.db"

--- SQL that begins with CREATE, DROP, ALTER or COMMENT, of what `f` executes; the number of the other statements.
local function ddl(engine, f)
  local list, others = {}, 0
  local function listener(_, _, statement)
    local s = statement:gsub("%s+", " ")
    if s:match("^CREATE") or s:match("^DROP") or s:match("^ALTER") or s:match("^COMMENT") then list[#list + 1] = s
    else others = others + 1 end
  end
  ag.event.listen(engine, "before_cursor_execute", listener)
  local ok, e = pcall(f)
  ag.event.remove(engine, "before_cursor_execute", listener)
  if not ok then error(e, 0) end
  return list, others
end

describe("CheckFirst", function()
  local engine, metadata
  before_each(function() engine, metadata = db.engine(), ag.MetaData() end)
  after_each(db.cleanup)

  it("says which kinds of objects are looked for", function()
    ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("x", ag.Integer, {index = true})})
    ag.Sequence("s", {metadata = metadata})
    local CF = ag.CheckFirst
    assert.equal(CF.ALL, CF.TABLES | CF.VIEWS | CF.INDEXES | CF.SEQUENCES | CF.TYPES)
    metadata:create_all(engine, {checkfirst = CF.NONE})
    assert.same({}, (ddl(engine, function() metadata:create_all(engine, {checkfirst = CF.ALL}) end)))
    if db.postgresql then
      assert.same({}, (ddl(engine, function() metadata:create_all(engine, {checkfirst = CF.TABLES | CF.SEQUENCES}) end)))
      local ok, e = pcall(metadata.create_all, metadata, engine, {checkfirst = CF.TABLES})
      assert.is_false(ok) -- the sequence is there
      assert.is_true(e:is(ag.exc.ProgrammingError))
    end
    local ok = pcall(metadata.create_all, metadata, engine, {checkfirst = CF.VIEWS | CF.SEQUENCES})
    assert.is_false(ok) -- the table is there
    metadata:drop_all(engine, {checkfirst = CF.TABLES | CF.SEQUENCES})
    local _, queries = ddl(engine, function() metadata:create_all(engine, {checkfirst = false}) end)
    assert.equal(0, queries)
    ok = pcall(metadata.tables.t.drop, metadata.tables.t, engine, {checkfirst = CF.INDEXES})
    assert.is_true(ok)
  end)

  it("holds for single tables, indexes and sequences", function()
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("x", ag.Integer)})
    local ix = ag.Index("ix_x", t.c.x)
    t:create(engine)
    assert.is_false(pcall(ix.create, ix, engine))
    ix:create(engine, {checkfirst = true})
    ix:create(engine, {checkfirst = ag.CheckFirst.INDEXES})
    assert.is_false(pcall(ix.create, ix, engine, {checkfirst = ag.CheckFirst.TABLES}))
    t:create(engine, {checkfirst = ag.CheckFirst.TABLES})
    assert.is_false(pcall(t.create, t, engine, {checkfirst = ag.CheckFirst.INDEXES}))
    local seq = ag.Sequence("sq", {start = 5})
    seq:create(engine)
    seq:create(engine, {checkfirst = true})
    seq:drop(engine)
    seq:drop(engine, {checkfirst = ag.CheckFirst.SEQUENCES})
    if db.postgresql then assert.is_false(pcall(seq.drop, seq, engine)) end
  end)

  it("indexes that are built concurrently have no transaction around them, looked for or not", function()
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("x", ag.Integer)})
    t:create(engine)
    local ix = ag.Index("ix_later", t.c.x, {postgresql_concurrently = true})
    for _ = 1, 2 do
      ix:create(engine, {checkfirst = true})
      ix:create(engine, {checkfirst = true})
      ix:drop(engine, {checkfirst = true})
      ix:create(engine)
      ix:drop(engine)
    end
    engine:begin(function(conn)
      conn:execute(ag.select(t))
      local ok, e = pcall(ix.create, ix, conn)
      assert.equal(db.sqlite, ok)
      if not ok then assert.equal("25001", e.sqlstate) end
      if not ok then conn:rollback() end
    end)
  end)

  it("refuses what is no flag", function()
    for _, bad in ipairs{"yes", 1, 64, 2.5, {}} do
      local ok, e = pcall(metadata.create_all, metadata, engine, {checkfirst = bad})
      assert.is_false(ok)
      assert.is_true(e:is(ag.exc.ArgumentError))
      assert.matches("ag.CheckFirst", tostring(e))
    end
    local ok, e = pcall(function() return ag.CheckFirst.TABLE end)
    assert.is_false(ok)
    assert.matches("did you mean 'TABLES'", tostring(e))
    assert.is_false(pcall(function() ag.CheckFirst.TABLES = 1 end))
  end)
end)

describe("create_mock_engine", function()
  local function dump(url, f)
    local out, engine = {}, nil
    engine = ag.create_mock_engine(url, function(sql, parameters)
      assert.is_nil(parameters)
      out[#out + 1] = (sql:compile{dialect = engine.dialect.name}.string:gsub("%s+", " "))
    end)
    f(engine)
    return out
  end

  it("gives a schema's DDL to a function, without a database", function()
    local metadata = ag.MetaData()
    local C, I = ag.Column, ag.Integer
    ag.Sequence("no", {metadata = metadata})
    ag.Table("a", metadata, {C("id", I, {primary_key = true}), C("b_id", ag.ForeignKey("b.id", {name = "fk_ab"})), comment = "first"})
    ag.Table("b", metadata, {C("id", I, {primary_key = true}), C("a_id", ag.ForeignKey("a.id", {name = "fk_ba"}), {index = true}),
      C("kind", ag.Enum({"x", "y"}, {name = "kind"}))})
    local pg = dump("postgresql://", function(e) metadata:create_all(e) end)
    assert.same({
      "CREATE TYPE kind AS ENUM ('x', 'y')", "CREATE SEQUENCE no",
      "CREATE TABLE a ( id SERIAL NOT NULL, b_id INTEGER, PRIMARY KEY (id) )", "COMMENT ON TABLE a IS 'first'",
      "CREATE TABLE b ( id SERIAL NOT NULL, a_id INTEGER, kind kind, PRIMARY KEY (id) )", "CREATE INDEX ix_b_a_id ON b (a_id)",
      "ALTER TABLE a ADD CONSTRAINT fk_ab FOREIGN KEY(b_id) REFERENCES b (id)",
      "ALTER TABLE b ADD CONSTRAINT fk_ba FOREIGN KEY(a_id) REFERENCES a (id)"}, pg)
    assert.same({"ALTER TABLE a DROP CONSTRAINT fk_ab", "ALTER TABLE b DROP CONSTRAINT fk_ba", "DROP TABLE b", "DROP TABLE a",
      "DROP SEQUENCE no", "DROP TYPE kind"}, dump("postgresql+libpq://", function(e) metadata:drop_all(e) end))
    local sq = dump("sqlite://", function(e) metadata:create_all(e, {checkfirst = true}) end)
    assert.equal(3, #sq)
    assert.matches("^CREATE TABLE a %( id INTEGER NOT NULL, b_id INTEGER, PRIMARY KEY %(id%), CONSTRAINT fk_ab FOREIGN KEY", sq[1])
    local one = dump("sqlite://", function(e)
      e:begin(function(conn) metadata.tables.a:drop(conn) end)
      local conn <close> = e:connect()
      conn:execute(ag.DDL("VACUUM"))
    end)
    assert.same({"DROP TABLE a", "VACUUM"}, one)
  end)

  it("refuses what is no URL, no function, no dialect", function()
    for text, f in pairs{
      ["expected a URL"] = function() ag.create_mock_engine(5, print) end,
      ["expected a function"] = function() ag.create_mock_engine("sqlite://", "x") end,
      ["oracle"] = function() ag.create_mock_engine("oracle://", print) end,
      ["expected a statement"] = function() ag.create_mock_engine("sqlite://", print):execute("x") end,
      ["unknown attribute 'dispse'"] = function() return ag.create_mock_engine("sqlite://", print).dispse end,
    } do
      local ok, e = pcall(f)
      assert.is_false(ok)
      assert.matches(text, tostring(e))
    end
  end)
end)

describe("DDL events and conditions", function()
  local engine, metadata
  before_each(function() engine, metadata = db.engine(), ag.MetaData() end)
  after_each(db.cleanup)

  it("come for tables, indexes, constraints and sequences, before and after", function()
    local C, I = ag.Column, ag.Integer
    local a = ag.Table("a", metadata, {C("id", I, {primary_key = true}), C("b_id", ag.ForeignKey("b.id", {name = "fk_ab"})),
      C("x", I, {index = true})})
    ag.Table("b", metadata, {C("id", I, {primary_key = true}), C("a_id", ag.ForeignKey("a.id", {name = "fk_ba"}))})
    local seq = ag.Sequence("sq", {metadata = metadata})
    local log = {}
    local function watch(target, label)
      for _, name in ipairs{"before_create", "after_create", "before_drop", "after_drop"} do
        ag.event.listen(target, name, function(t, conn, info)
          assert.equal(target, t)
          assert.is_true(conn:in_transaction() or db.sqlite)
          assert.equal(ag.CheckFirst.ALL, info.checkfirst)
          log[#log + 1] = label .. " " .. name
        end)
      end
    end
    watch(metadata, "metadata")
    watch(a, "a")
    watch(a.indexes[1], "index")
    watch(a.foreign_keys[1].constraint, "fk")
    watch(seq, "sequence")
    metadata:create_all(engine)
    local expected = {"metadata before_create", "a before_create", "index before_create", "index after_create", "a after_create",
      "metadata after_create"}
    if db.postgresql then
      expected = {"metadata before_create", "sequence before_create", "sequence after_create", "a before_create", "index before_create",
        "index after_create", "a after_create", "fk before_create", "fk after_create", "metadata after_create"}
    end
    assert.same(expected, log)
    log = {}
    metadata:drop_all(engine)
    expected = {"metadata before_drop", "a before_drop", "a after_drop", "metadata after_drop"}
    if db.postgresql then
      expected = {"metadata before_drop", "fk before_drop", "fk after_drop", "a before_drop", "a after_drop", "sequence before_drop",
        "sequence after_drop", "metadata after_drop"}
    end
    assert.same(expected, log)
  end)

  it("a listener may query and execute; what it raises undoes the whole", function()
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("x", ag.Integer)})
    ag.event.listen(t, "after_create", function(target, conn)
      conn:execute(ag.insert(target), {{x = 1}, {x = 2}})
      assert.equal(2, conn:scalar(ag.select(ag.func.count()):select_from(target)))
    end)
    metadata:create_all(engine)
    metadata:drop_all(engine)
    ag.event.listen(metadata, "after_create", function() error("no") end)
    local ok, e = pcall(metadata.create_all, metadata, engine)
    assert.is_false(ok)
    assert.matches("no", tostring(e))
    engine:begin(function(conn)
      assert.is_false(pcall(conn.begin_nested, conn, function() conn:execute(ag.select(t)) end))
    end)
  end)

  it("DDL with context, as a statement and as a listener; execute_if by dialect, function and state", function()
    local t = ag.Table("t x", metadata, {ag.Column("id", ag.Integer, {primary_key = true})})
    local seen = {}
    ag.event.listen(t, "after_create", ag.DDL("CREATE INDEX %(name)s ON %(fullname)s (id)", {context = {name = "ix_a"}}))
    ag.event.listen(t, "after_create", ag.DDL("CREATE INDEX ix_b ON %(table)s (id)"):execute_if{dialect = {"oracle", db.dialect},
      state = "s", callable_ = function(element, target, bind, state, info)
        seen = {element = element, target = target, bind = bind, state = state, tables = info.tables}
        return true
      end})
    ag.event.listen(t, "after_create", ag.DDL("nonsense"):execute_if{callable_ = function() return false end})
    local list = ddl(engine, function() metadata:create_all(engine) end)
    assert.equal([[CREATE INDEX ix_a ON "t x" (id)]], list[2])
    assert.equal([[CREATE INDEX ix_b ON "t x" (id)]], list[3])
    assert.equal(t, seen.target)
    assert.equal("s", seen.state)
    assert.equal(t, seen.tables[1])
    assert.equal("Connection", ag.inspect and require "argent.core".kind_of(seen.bind))
    engine:begin(function(conn) conn:execute(ag.DDL("DROP INDEX %(name)s", {context = {name = "ix_a"}})) end)
    assert.equal("100% 5% %s (x)s %(x)s 5% %(table)s",
      ag.DDL("100%% 5% %s (x)s %%(x)s %(y)s %(table)s", {context = {y = "5%"}}):compile().string)
    for text, f in pairs{
      ["no value for '%%%(nme%)s'"] = function() ag.DDL("DROP INDEX %(nme)s", {context = {name = "x"}}) end,
      ["expected SQL text"] = function() ag.DDL("") end,
      ["did you mean 'context'"] = function() ag.DDL("x", {contxt = {}}) end,
      ["did you mean 'callable_'"] = function() ag.DDL("x"):execute_if{callable = print} end,
      ["expected a name or a list"] = function() ag.DDL("x"):execute_if{dialect = 5} end,
    } do
      local ok, e = pcall(f)
      assert.is_false(ok)
      assert.matches(text, tostring(e))
    end
  end)

  it("ddl_if on constraints and indexes", function()
    local t = ag.Table("t", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("a", ag.Integer), ag.Column("b", ag.Integer),
      ag.CheckConstraint("a > 0", {name = "ck_here"}):ddl_if{dialect = db.dialect},
      ag.CheckConstraint("b > 0", {name = "ck_there"}):ddl_if{dialect = {"oracle", "mysql"}},
      ag.UniqueConstraint("a", "b", {name = "uq_never"}):ddl_if{callable_ = function() return false end},
      ag.Index("ix_here", "a"):ddl_if{dialect = db.dialect}, ag.Index("ix_there", "b"):ddl_if{dialect = "oracle"},
    })
    local list = ddl(engine, function() metadata:create_all(engine) end)
    assert.equal(2, #list)
    assert.is_truthy(list[1]:find("ck_here", 1, true))
    assert.is_nil(list[1]:find("ck_there", 1, true))
    assert.is_nil(list[1]:find("uq_never", 1, true))
    assert.matches("ix_here", list[2])
    local other = db.sqlite and "postgresql" or "sqlite"
    assert.is_nil(ag.CreateTable(t):compile{dialect = other}.string:find("ck_here", 1, true))
    assert.is_truthy(ag.CreateTable(t):compile{dialect = db.dialect}.string:find("ck_here", 1, true))
    t.constraints[2]:ddl_if{dialect = other}
    assert.is_nil(ag.CreateTable(t):compile{dialect = db.dialect}.string:find("ck_here", 1, true))
  end)

  it("ddl_if asks its function: target, connection, state, dialect; CREATE TABLE by itself has no connection", function()
    local asked = {}
    local function ask(element, target, bind, state, context)
      asked[#asked + 1] = {element = element, target = target, bind = bind, state = state, context = context}
      return context.dialect.name == "postgresql"
    end
    local ck = ag.CheckConstraint("a > 0", {name = "ck_pg"}):ddl_if{callable_ = ask, state = "s"}
    local ix = ag.Index("ix_pg", "a"):ddl_if{callable_ = ask}
    local t = ag.Table("t", metadata, {ag.Column("a", ag.Integer), ck, ix})
    for _, dialect in ipairs{"sqlite", "postgresql"} do
      local text = ag.CreateTable(t):compile{dialect = dialect}.string
      assert.equal(dialect == "postgresql", text:find("ck_pg", 1, true) ~= nil)
    end
    assert.equal(2, #asked)
    assert.equal(ck, asked[1].target)
    assert.is_nil(asked[1].bind)
    assert.equal("s", asked[1].state)
    asked = {}
    local list = ddl(engine, function() metadata:create_all(engine) end)
    assert.equal(db.postgresql and 2 or 1, #list)
    assert.equal(db.postgresql, list[1]:find("ck_pg", 1, true) ~= nil)
    assert.equal(2, #asked)
    assert.equal(ck, asked[1].target)
    assert.equal(ix, asked[2].target)
    assert.equal("CREATE INDEX ix_pg ON t (a)", tostring(asked[2].element))
    assert.equal("Connection", require "argent.core".kind_of(asked[1].bind))
    assert.equal(t, asked[1].context.tables[1])
    assert.equal(0, #ddl(engine, function() ag.Index("ix_b", t.c.a):ddl_if{dialect = "oracle"}:create(engine) end))
    local own = ag.Column("b", ag.Integer, ag.CheckConstraint("b > 0", {name = "ck_own"}):ddl_if{callable_ = ask})
    local t2 = ag.Table("t2", metadata, {own})
    for _, dialect in ipairs{"sqlite", "postgresql"} do
      assert.equal(dialect == "postgresql", ag.CreateTable(t2):compile{dialect = dialect}.string:find("ck_own", 1, true) ~= nil)
      assert.equal(dialect == "postgresql", ag.CreateColumn(own):compile{dialect = dialect}.string:find("ck_own", 1, true) ~= nil)
    end
    asked = {}
    list = ddl(engine, function() t2:create(engine) end)
    assert.equal(1, #asked)
    assert.equal(db.postgresql, list[1]:find("ck_own", 1, true) ~= nil)
    ck:ddl_if{callable_ = function() error("not now") end}
    local ok, e = pcall(function() return ag.CreateTable(t):compile() end)
    assert.is_false(ok)
    assert.matches("not now", tostring(e))
  end)

  it("AddConstraint says that a table has no primary key", function()
    local t = ag.Table("keyless", ag.MetaData(), {ag.Column("a", ag.Integer)})
    assert.equal(t, t.primary_key.table)
    local ok, e = pcall(ag.AddConstraint, t.primary_key)
    assert.is_false(ok)
    assert.matches("table 'keyless' has no primary key", e.message, 1, true)
  end)

  it("AddConstraint takes the constraint out of CREATE TABLE, unless told otherwise", function()
    local t = ag.Table("t", metadata, {ag.Column("a", ag.Integer), ag.CheckConstraint("a > 0", {name = "ck1"}),
      ag.CheckConstraint("a < 9", {name = "ck2"})})
    local add = ag.AddConstraint(t.constraints[2])
    ag.AddConstraint(t.constraints[3], {isolate_from_table = false})
    assert.is_nil(ag.CreateTable(t):compile().string:find("ck1", 1, true))
    assert.is_truthy(ag.CreateTable(t):compile().string:find("ck2", 1, true))
    metadata:create_all(engine)
    if db.postgresql then
      engine:begin(function(conn)
        conn:execute(add)
        conn:execute(ag.DropConstraint(t.constraints[2], {if_exists = true, cascade = true}))
        conn:execute(ag.DropConstraint(t.constraints[2], {if_exists = true}))
      end)
    end
  end)
end)

describe("schema_translate_map in DDL", function()
  after_each(db.cleanup)

  it("creates, looks for and drops in the other schema", function()
    local engine = db.engine()
    local metadata = ag.MetaData()
    local C, I = ag.Column, ag.Integer
    ag.Table("parent", metadata, {C("id", I, {primary_key = true}), C("kind", ag.Enum({"a", "b"}, {name = "kind", schema = "per_user"})),
      schema = "per_user"})
    ag.Table("child", metadata, {C("id", I, {primary_key = true}), C("p", ag.ForeignKey("per_user.parent.id"), {index = true}),
      comment = "c", schema = "per_user"})
    local conn <close> = engine:connect()
    if db.sqlite then conn:execute(ag.text "ATTACH ':memory:' AS alice") else conn:execute(ag.CreateSchema("alice")) end
    conn:commit()
    conn:execution_options{schema_translate_map = {per_user = "alice"}}
    metadata:create_all(conn)
    assert.same({}, (ddl(engine, function() metadata:create_all(conn) end)))
    conn:execute(ag.insert(metadata.tables["per_user.parent"]):values{kind = "b"})
    assert.equal(1, conn:exec_driver_sql("SELECT count(*) FROM alice.parent"):scalar())
    metadata:drop_all(conn)
    assert.same({}, (ddl(engine, function() metadata:drop_all(conn) end)))
    conn:execution_options{schema_translate_map = {per_user = ag.null}}
    metadata:create_all(conn)
    assert.equal(0, conn:exec_driver_sql("SELECT count(*) FROM parent"):scalar())
    metadata:drop_all(conn)
    conn:commit()
  end)
end)

describe("statements prepared for what is gone", function()
  after_each(db.cleanup)

  it("are prepared again after DROP and after the ROLLBACK of DDL", function()
    local engine = db.engine()
    local conn <close> = engine:connect()
    local function round(kind, value, finish)
      local m = ag.MetaData()
      local t = ag.Table("t", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("e", kind)})
      m:create_all(conn)
      for _ = 1, 3 do conn:execute(ag.insert(t):values{e = value}) end
      assert.equal(value, conn:execute(ag.select(t.c.e)):first().e)
      if finish == "drop" then m:drop_all(conn) end
      conn[finish == "drop" and "commit" or "rollback"](conn)
    end
    for _, finish in ipairs{"drop", "rollback"} do
      round(ag.Enum({"a", "b"}, {name = "k1"}), "a", finish)
      round(ag.Enum({"x", "y"}, {name = "k2"}), "x", finish)
      round(ag.String(5), "text", finish)
      round(ag.Enum({"x", "y"}, {name = "k1"}), "y", finish)
    end
  end)
end)
