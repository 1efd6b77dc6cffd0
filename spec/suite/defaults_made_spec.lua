--- Values that are made: by functions that see the row, by the database, by sequences; and how they come back.
local ag = require "argent"
local db = require "spec.support.db"

describe("a default function that takes the context", function()
  local engine, metadata, calls
  before_each(function() engine, metadata, calls = db.engine(), ag.MetaData(), {} end)
  after_each(db.cleanup)

  local function declare(more)
    return ag.Table("t", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("a", ag.Integer), ag.Column("fixed", ag.Integer, {default = 3}),
      ag.Column("b", ag.Integer, {
        default = function(ctx)
          local p = ctx:get_current_parameters()
          calls[#calls + 1] = p
          assert.is_true(ctx.isinsert)
          assert.is_false(ctx.isupdate)
          assert.equal(p, ctx.current_parameters)
          return p.a and p.a * 10 or -1
        end,
        onupdate = function(ctx)
          local p = ctx:get_current_parameters()
          assert.is_true(ctx.isupdate)
          return p.a and p.a * 100 or -2
        end}),
      ag.Column("c d", ag.Integer, {key = "later", default = function(ctx) return ctx:get_current_parameters().b + 1 end}),
      table.unpack(more or {}),
    })
  end

  local function rows(conn, t)
    local list = {}
    for r in conn:execute(ag.select(t):order_by(t.c.id)):rows() do list[#list + 1] = ("%s %s %s %s"):format(r.a, r.fixed, r.b, r["c d"]) end
    return list
  end

  it("sees values of the statement, of the call, of each set, of each row of VALUES", function()
    local t = declare()
    metadata:create_all(engine)
    engine:begin(function(conn)
      conn:execute(ag.insert(t):values{a = 1})
      conn:execute(ag.insert(t), {a = 2})
      conn:execute(ag.insert(t), {{a = 3}, {a = 4, fixed = 9}, {a = ag.null}})
      conn:execute(ag.insert(t):values{{a = 5}, {a = 6}})
      conn:execute(ag.insert(t):values{a = 7}, {fixed = 8})
      conn:execute(ag.insert(t):values{a = 8, b = 1})
      assert.same({"1 3 10 11", "2 3 20 21", "3 3 30 31", "4 9 40 41", "nil 3 -1 0", "5 3 50 51", "6 3 60 61", "7 8 70 71", "8 3 1 2"},
        rows(conn, t))
    end)
    assert.equal(1, calls[1].a)
    assert.equal(3, calls[1].fixed)
    assert.is_nil(calls[1].b)
    assert.is_nil(calls[1].later)
  end)

  it("sees nothing of an expression, but its binds", function()
    local t = declare()
    metadata:create_all(engine)
    engine:begin(function(conn)
      conn:execute(ag.insert(t):values{a = ag.func.abs(ag.bindparam("x", {value = -4}))})
      assert.same({"4 3 -1 0"}, rows(conn, t))
    end)
    assert.equal(-4, calls[1].x)
    assert.is_nil(calls[1].a)
  end)

  it("onupdate sees what the UPDATE sets", function()
    local t = declare()
    metadata:create_all(engine)
    engine:begin(function(conn)
      conn:execute(ag.insert(t), {{a = 1}, {a = 2}})
      conn:execute(ag.update(t):values{a = 5}:where(t.c.id:eq(1)))
      conn:execute(ag.update(t):values{fixed = 1}:where(t.c.id:eq(2)))
      assert.same({"5 3 500 11", "2 1 -2 21"}, rows(conn, t))
      conn:execute(ag.update(t):where(t.c.id:eq(ag.bindparam("row"))), {{row = 1, a = 6}, {row = 2, a = 7}})
      assert.same({"6 3 600 11", "7 1 700 21"}, rows(conn, t))
      conn:execute(ag.update(t):values{b = 0})
      assert.equal("6 3 0 11", rows(conn, t)[1])
    end)
  end)

  it("sees the object's values in a flush", function()
    declare()
    local Base = ag.declarative_base{metadata = metadata}
    local Thing = Base:model("Thing", {__table = metadata.tables.t})
    metadata:create_all(engine)
    local session <close> = ag.Session(engine)
    local one, two = Thing{a = 4}, Thing{a = 5, b = 7}
    session:add_all{one, two}
    session:commit()
    assert.equal(40, one.b)
    assert.equal(41, one.later)
    assert.equal(7, two.b)
    assert.equal(8, two.later)
    assert.equal(1, #calls)
  end)

  it("may query on the connection, raise, and give NULL", function()
    local t
    t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("n", ag.Integer, {default = function(ctx) return ctx.connection:scalar(ag.select(ag.func.count()):select_from(t)) end}),
      ag.Column("none", ag.Integer, {default = function() return nil end}),
      ag.Column("bad", ag.Integer, {default = function(ctx) if ctx.current_parameters.n == 1 then error("refused") end end})})
    metadata:create_all(engine)
    engine:begin(function(conn)
      conn:execute(ag.insert(t):values{})
      local row = conn:execute(ag.select(t)):one()
      assert.equal(0, row.n)
      assert.is_nil(row.none)
      local ok, e = pcall(conn.begin_nested, conn, function() conn:execute(ag.insert(t):values{}) end)
      assert.is_false(ok)
      assert.matches("refused", tostring(e))
      assert.equal(1, conn:scalar(ag.select(ag.func.count()):select_from(t)))
    end)
  end)

  it("is told how to call the method", function()
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("x", ag.Integer, {default = function(ctx) return ctx.get_current_parameters().id end})})
    metadata:create_all(engine)
    local ok, e = pcall(engine.begin, engine, function(conn) conn:execute(ag.insert(t):values{}) end)
    assert.is_false(ok)
    assert.matches("with a colon", tostring(e))
  end)
end)

describe("what the database makes", function()
  local engine, metadata
  before_each(function() engine, metadata = db.engine(), ag.MetaData() end)
  after_each(db.cleanup)
  local function id(...) return ag.Column("id", ag.Integer, {primary_key = true}, ...) end

  it("comes back in inserted_primary_key and, where asked, in returned_defaults", function()
    local t = ag.Table("t", metadata, {id(), ag.Column("x", ag.Integer, {server_default = ag.text "3 + 4"}),
      ag.Column("y", ag.String(20), {server_default = "it's"}), ag.Column("z", ag.Integer)})
    metadata:create_all(engine)
    engine:begin(function(conn)
      local r = conn:execute(ag.insert(t):values{z = 1}:return_defaults())
      assert.equal(1, r.inserted_primary_key.id)
      assert.equal(7, r.returned_defaults.x)
      assert.equal("it's", r.returned_defaults.y)
      r = conn:execute(ag.insert(t):values{z = 1, x = 5}:return_defaults(t.c.y))
      assert.equal("it's", r.returned_defaults.y)
      local row = conn:execute(ag.insert(t):values{y = "own"}:returning(t.c.id, t.c.x, t.c.y)):one()
      assert.equal(3, row.id)
      assert.equal(7, row.x)
      assert.equal("own", row.y)
    end)
  end)

  it("FetchedValue and server_onupdate: a trigger's values are read back by the ORM", function()
    local t = ag.Table("t", metadata, {id(), ag.Column("x", ag.Integer),
      ag.Column("made", ag.Integer, ag.FetchedValue(), ag.FetchedValue(true))})
    metadata:create_all(engine)
    engine:begin(function(conn)
      if db.postgresql then
        conn:exec_driver_sql("CREATE FUNCTION f() RETURNS trigger AS 'BEGIN NEW.made := NEW.x * 2; RETURN NEW; END' LANGUAGE plpgsql")
        conn:exec_driver_sql("CREATE TRIGGER tr BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()")
      else
        conn:exec_driver_sql("CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET made = NEW.x * 2 WHERE id = NEW.id; END")
        conn:exec_driver_sql("CREATE TRIGGER tu AFTER UPDATE OF x ON t BEGIN UPDATE t SET made = NEW.x * 2 WHERE id = NEW.id; END")
      end
    end)
    assert.equal("FetchedValue()", tostring(t.c.made.server_default))
    assert.is_true(t.c.made.server_onupdate.for_update)
    assert.is_nil(ag.CreateTable(t):compile().string:find("DEFAULT", 1, true))
    local Thing = ag.declarative_base{metadata = metadata}:model("Thing", {__table = t})
    local session <close> = ag.Session(engine, {expire_on_commit = false})
    local thing = Thing{x = 4}
    session:add(thing)
    session:flush()
    assert.equal(8, thing.made)
    thing.x = 5
    session:flush()
    assert.equal(10, thing.made)
    session:rollback()
  end)

  it("keys that a function of the server makes come back in the order of the rows, monotonic or not", function()
    local make = db.postgresql and ag.func.gen_random_uuid{monotonic = true} or ag.func.lower(ag.func.hex(ag.func.randomblob(16)),
      {monotonic = true})
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Uuid, {primary_key = true, server_default = make}), ag.Column("x", ag.Integer)})
    metadata:create_all(engine)
    engine:begin(function(conn)
      local rows = {}
      for i = 1, 300 do rows[i] = {x = i} end
      local made = conn:execute(ag.insert(t):returning(t.c.id, t.c.x, {sort_by_parameter_order = true}), rows):all()
      for i = 1, 300 do
        assert.equal(i, made[i].x)
        assert.equal(i, conn:scalar(ag.select(t.c.x):where(t.c.id:eq(made[i].id))))
      end
    end)
    assert.is_false(pcall(ag.func.f, {monotonic = "yes"}))
  end)

  it("insert_default is the same as default", function()
    local t = ag.Table("t", metadata, {id(), ag.Column("x", ag.Integer, {insert_default = 5})})
    metadata:create_all(engine)
    engine:begin(function(conn)
      conn:execute(ag.insert(t):values{})
      assert.equal(5, conn:scalar(ag.select(t.c.x)))
    end)
    assert.is_false(pcall(ag.Column, "x", ag.Integer, {insert_default = 5, default = 6}))
  end)

  it("SQL defaults of a primary key are selected first", function()
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true, default = ag.select(ag.literal(40) + 2):scalar_subquery()}),
      ag.Column("x", ag.Integer)})
    metadata:create_all(engine)
    engine:begin(function(conn)
      assert.equal(42, conn:execute(ag.insert(t):values{x = 1}).inserted_primary_key.id)
      assert.equal(42, conn:scalar(ag.select(t.c.id)))
    end)
  end)

  it("Identity: generated, always, by default, in the options' steps", function()
    if not db.postgresql then return pending("SQLite has no identity columns; the column is a plain key") end
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, ag.Identity{always = true, start = 10, increment = 5}, {primary_key = true}),
      ag.Column("n", ag.Integer, ag.Identity{start = 100, minvalue = 100, maxvalue = 101, cycle = true}), ag.Column("x", ag.Integer)})
    metadata:create_all(engine)
    engine:begin(function(conn)
      assert.equal(10, conn:execute(ag.insert(t):values{x = 1}).inserted_primary_key.id)
      assert.same({15, 20}, conn:scalars(ag.insert(t):returning(t.c.id), {{x = 2}, {x = 3}}):all())
      assert.same({100, 101, 100}, conn:scalars(ag.select(t.c.n):order_by(t.c.id)):all())
      conn:execute(ag.insert(t):values{n = 7})
      local ok, e = pcall(conn.begin_nested, conn, function() conn:execute(ag.insert(t):values{id = 1}) end)
      assert.is_false(ok)
      assert.equal("428C9", e.sqlstate)
    end)
    metadata:drop_all(engine)
  end)

  it("Identity on SQLite is a plain key", function()
    if not db.sqlite then return pending("PostgreSQL has them") end
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, ag.Identity{start = 10}, {primary_key = true}), ag.Column("x", ag.Integer)})
    metadata:create_all(engine)
    engine:begin(function(conn) assert.equal(1, conn:execute(ag.insert(t):values{x = 1}).inserted_primary_key.id) end)
  end)

  it("Computed columns are read back and cannot be written", function()
    local t = ag.Table("t", metadata, {id(), ag.Column("a", ag.Integer), ag.Column("b", ag.Integer, ag.Computed("a * 2", {persisted = true})),
      ag.Column("plain", ag.Integer, ag.Computed("a + 1"))})
    metadata:create_all(engine)
    engine:begin(function(conn)
      local row = conn:execute(ag.insert(t):values{a = 4}:returning(t.c.b, t.c.plain)):one()
      assert.equal(8, row.b)
      assert.equal(5, row.plain)
      conn:execute(ag.update(t):values{a = 5})
      assert.equal(10, conn:scalar(ag.select(t.c.b)))
      assert.is_false(pcall(conn.begin_nested, conn, function() conn:execute(ag.insert(t):values{a = 1, b = 1}) end))
    end)
    if db.postgresql then
      local v = ag.Table("v", metadata, {id(), ag.Column("x", ag.Integer, ag.Computed("1 + 1", {persisted = false}))})
      local ok, e = pcall(v.create, v, engine)
      assert.is_false(ok)
      assert.is_true(e:is(ag.exc.CompileError))
      assert.matches("PostgreSQL 18", e.message)
    end
    for _, f in ipairs{
      function() ag.Column("x", ag.Integer, ag.Computed("1"), {server_default = "2"}) end,
      function() ag.Column("x", ag.Integer, ag.Computed("1"), {default = 2}) end,
      function() ag.Column("x", ag.Integer, ag.Computed("1"), ag.Identity()) end,
      function() ag.Column("x", ag.Integer, ag.Identity(), {server_default = "1"}) end,
      function() ag.Computed(5) end, function() ag.Identity{start = "1"} end, function() ag.Identity{increment = 0} end,
      function() ag.FetchedValue("x") end, function() ag.Column("x", ag.Integer, {server_default = 5}) end,
    } do
      local ok, e = pcall(f)
      assert.is_false(ok)
      assert.is_true(e:is(ag.exc.ArgumentError))
    end
  end)
end)

describe("sequences", function()
  local engine, metadata
  before_each(function() engine, metadata = db.engine(), ag.MetaData() end)
  after_each(db.cleanup)

  it("number columns that are no key, alone and in batches; as server defaults; with every option", function()
    if not db.postgresql then return pending("SQLite has no sequences") end
    local a = ag.Sequence("seq_a", {start = 5, increment = 5, cache = 2})
    local b = ag.Sequence("seq_b", {metadata = metadata, start = -1, increment = -1, minvalue = -2, maxvalue = -1, cycle = true,
      data_type = ag.SmallInteger})
    local t = ag.Table("t", metadata, {
      ag.Column("id", ag.Integer, ag.Sequence("seq_id", {start = 100}), {primary_key = true}),
      ag.Column("n", ag.Integer, a), ag.Column("m", ag.Integer, {server_default = b:next_value()}),
    })
    metadata:create_all(engine)
    engine:begin(function(conn)
      local r = conn:execute(ag.insert(t):values{})
      assert.equal(100, r.inserted_primary_key.id)
      local rows = conn:execute(ag.insert(t):returning(t.c.id, t.c.n), {{m = 0}, {m = 0}}):all()
      assert.equal(101, rows[1].id)
      assert.equal(15, rows[2].n)
      conn:execute(ag.insert(t):values{n = 1})
      conn:execute(ag.insert(t):values{n = 1})
      assert.same({-1, 0, 0, -2, -1}, conn:scalars(ag.select(t.c.m):order_by(t.c.id)):all())
      assert.equal(20, conn:scalar(a))
      assert.equal(25, conn:scalar(ag.select(a:next_value())))
      assert.equal("smallint", conn:scalar(ag.text "SELECT data_type::text FROM pg_sequences WHERE sequencename = 'seq_b'"))
    end)
    metadata:drop_all(engine)
    engine:begin(function(conn)
      assert.equal(0, conn:scalar(ag.text "SELECT count(*) FROM pg_sequences WHERE schemaname = 'public'"))
    end)
  end)

  it("that are optional are left to SERIAL", function()
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, ag.Sequence("never", {optional = true}), {primary_key = true}),
      ag.Column("x", ag.Integer)})
    metadata:create_all(engine)
    engine:begin(function(conn)
      assert.equal(1, conn:execute(ag.insert(t):values{x = 1}).inserted_primary_key.id)
      assert.same({2, 3}, conn:scalars(ag.insert(t):returning(t.c.id), {{x = 2}, {x = 3}}):all())
    end)
    metadata:drop_all(engine)
  end)

  it("in a schema, of the MetaData's schema, translated", function()
    if not db.postgresql then return pending("SQLite has no sequences") end
    local own = ag.MetaData{schema = "app"}
    local s = ag.Sequence("s", {metadata = own})
    assert.equal("app", s.schema)
    engine:begin(function(conn)
      conn:execute(ag.CreateSchema("app"))
      conn:execute(ag.CreateSchema("other"))
    end)
    own:create_all(engine)
    own:create_all(engine)
    engine:begin(function(conn) assert.equal(1, conn:scalar(s:next_value())) end)
    local translated = engine:execution_options{schema_translate_map = {app = "other"}}
    own:create_all(translated)
    translated:begin(function(conn) assert.equal(1, conn:scalar(s:next_value())) end)
    own:drop_all(translated)
    engine:begin(function(conn) assert.equal(2, conn:scalar(s:next_value())) end)
    own:drop_all(engine)
    engine:begin(function(conn)
      conn:execute(ag.DropSchema("app"))
      conn:execute(ag.DropSchema("other"))
    end)
  end)
end)
