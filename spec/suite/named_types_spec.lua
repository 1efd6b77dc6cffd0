--- Named types of PostgreSQL (Enum, DOMAIN): their schema, create and drop with tables, by themselves and as members of a MetaData.
local ag = require "argent"
local db = require "spec.support.db"
local pg = ag.postgresql
local C, I = ag.Column, ag.Integer

local function message(f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok)
  return tostring(e)
end

--- CREATE and DROP of types in what `f` executes.
local function types_of(engine, f)
  local list = {}
  local function listener(_, _, statement)
    local s = statement:gsub("%s+", " ")
    if s:match("^%u+ TYPE") or s:match("^%u+ DOMAIN") then list[#list + 1] = s:match("^%u+ %u+ [^ ]+") end
  end
  ag.event.listen(engine, "before_cursor_execute", listener)
  local ok, e = pcall(f)
  ag.event.remove(engine, "before_cursor_execute", listener)
  if not ok then error(e, 0) end
  return list
end

local classes = {"Enum", "DOMAIN"}
local function make(class, o)
  local options = {}
  for k, v in pairs(o) do options[k] = v end
  local name = options.name or "kind"
  if class == "DOMAIN" then
    options.name = nil
    return pg.DOMAIN(name, ag.Text, options)
  end
  options.name = name
  return ag.Enum({"a", "b"}, options)
end

describe("the schema of a named type", function()
  --- own options, the MetaData's schema, the table's schema → the type's
  local cases = {
    {{}, nil, nil, nil}, {{}, nil, "t", nil}, {{}, "m", nil, "m"}, {{}, "m", "t", "m"},
    {{schema = "e"}, "m", "t", "e"}, {{schema = "e"}, nil, nil, "e"},
    {{schema = ag.null}, "m", "t", nil}, {{schema = ag.BLANK_SCHEMA}, "m", "t", nil},
    {{inherit_schema = true}, "m", "t", "t"}, {{inherit_schema = true}, nil, "t", "t"}, {{inherit_schema = false}, "m", "t", "m"},
    {{schema = ag.quoted_name("e", true)}, "m", nil, "e"},
  }
  for _, class in ipairs(classes) do
    it("is its own, the table's or the MetaData's: " .. class, function()
      for i, case in ipairs(cases) do
        local metadata = ag.MetaData{schema = case[2]}
        local t = ag.Table("t", metadata, {C("x", make(class, case[1])), schema = case[3]})
        assert.equal(case[4], t.c.x.type.schema, "case " .. i)
      end
      assert.matches("mean the same", message(make, class, {schema = "e", inherit_schema = true}))
    end)

    it("follows a member of a MetaData, arrays, variants and copies: " .. class, function()
      local metadata = ag.MetaData{schema = "m"}
      assert.equal("m", make(class, {metadata = metadata}).schema)
      assert.equal("e", make(class, {metadata = metadata, schema = "e"}).schema)
      local inherits = make(class, {metadata = metadata, inherit_schema = true})
      assert.equal("t", ag.Table("x", metadata, {C("x", inherits), schema = "t"}).c.x.type.schema)
      local t = ag.Table("y", metadata, {C("x", pg.ARRAY(make(class, {}))), C("v", ag.String:with_variant(make(class, {}), "postgresql")),
        C("d", ag.TypeDecorator{impl = make(class, {}), cache_ok = true})})
      assert.equal("m", t.c.x.type.item_type.schema)
      assert.equal("m", t.c.v.type:dialect_impl("postgresql").schema)
      assert.equal("m", t.c.d.type.impl.schema)
      assert.matches("x m.kind%[%]", ag.CreateTable(t):compile{dialect = "postgresql"}.string)
      local moved = t:to_metadata(ag.MetaData(), {schema = "bar"})
      assert.equal("bar", moved.c.x.type.item_type.schema)
      assert.equal("m", t:to_metadata(ag.MetaData()).c.x.type.item_type.schema)
      assert.equal("m", t:to_metadata(ag.MetaData(), {schema = ag.RETAIN_SCHEMA}).c.x.type.item_type.schema)
      assert.is_nil(t:to_metadata(ag.MetaData(), {schema = ag.null}).c.x.type.item_type.schema)
      assert.equal("o", t:to_metadata(ag.MetaData{schema = "o"}, {schema = ag.null}).c.x.type.item_type.schema)
      assert.is_nil(t:to_metadata(ag.MetaData{schema = "o"}, {schema = ag.BLANK_SCHEMA}).c.x.type.item_type.schema)
    end)
  end
end)

describe("named types of a MetaData", function()
  it("are found by class, name and schema, sequences too", function()
    local metadata = ag.MetaData()
    local one = ag.Enum({"a", "b"}, {name = "one"})
    local two = ag.Enum({"x", "y"}, {name = "two", metadata = metadata})
    local three = ag.Enum({"x", "b"}, {name = "one", schema = "s", metadata = metadata})
    local number = ag.Sequence("number")
    assert.same({}, metadata:get_schema_objects(ag.Enum, {schema = "z"}))
    ag.Table("t", metadata, {C("c", one), C("n", I, number), C("d", pg.DOMAIN("dom", ag.Text))})
    assert.same({two, one}, metadata:get_schema_objects(ag.Enum))
    assert.same({three}, metadata:get_schema_objects(ag.Enum, {schema = "s"}))
    assert.same({number}, metadata:get_schema_objects(ag.Sequence))
    assert.equal("dom", metadata:get_schema_objects(pg.DOMAIN)[1].name)
    assert.equal(one, metadata:get_schema_object_by_name(ag.Enum, "one"))
    assert.equal(three, metadata:get_schema_object_by_name(ag.Enum, "one", {schema = "s"}))
    assert.is_nil(metadata:get_schema_object_by_name(ag.Enum, "two", {schema = "s"}))
    assert.is_nil(metadata:get_schema_object_by_name(pg.DOMAIN, "one"))
    assert.equal(number, metadata:get_schema_object_by_name(ag.Sequence, "number"))
    assert.matches("expected ag.Enum, pg.DOMAIN or ag.Sequence", message(metadata.get_schema_objects, metadata, ag.Integer))
    assert.matches("expected an ag.MetaData", message(ag.Enum, {"a"}, {name = "n", metadata = 5}))
  end)
end)

describe("named types of PostgreSQL", function()
  local function sql(element) return element:compile{dialect = "postgresql"}.string end

  it("are not called as one of the database's own, unless in a schema", function()
    for _, name in ipairs{"text", "integer", "int4", "char", "timestamptz", "xml"} do
      for _, named in ipairs{function(o) return ag.Enum({"a"}, {name = name, schema = o}) end,
                             function(o) return ag.postgresql.DOMAIN(name, ag.Integer, {schema = o}) end} do
        local text = message(function() return sql(ag.cast(ag.null, named())) end)
        assert.matches("CompileError", text)
        assert.matches("'" .. name .. "': the database has a type of this name", text, 1, true)
        assert.equal("CAST(NULL AS own." .. name .. ")", sql(ag.cast(ag.null, named("own"))))
      end
    end
    assert.equal("CAST(NULL AS texts)", sql(ag.cast(ag.null, ag.Enum({"a"}, {name = "texts"}))))
    assert.equal("CAST(NULL AS in4)", sql(ag.cast(ag.null, ag.Enum({"a"}, {name = "in4"}))))
    assert.equal('CAST(NULL AS "Text")', sql(ag.cast(ag.null, ag.Enum({"a"}, {name = "Text"}))))
  end)

  it("in arrays have no CHECK", function()
    local function create(options)
      options.name = "tint"
      local t = ag.Table("t", ag.MetaData(), {ag.Column("c", ag.ARRAY(ag.Enum({"a", "b"}, options)))})
      return sql(ag.CreateTable(t))
    end
    assert.matches("create_constraint = false", message(create, {native_enum = false, create_constraint = true}), 1, true)
    assert.matches("c VARCHAR(1)[]", create{native_enum = false}, 1, true)
    assert.matches("c tint[]", create{create_constraint = true}, 1, true)
  end)
end)

describe("CREATE TYPE and DROP TYPE", function()
  local engine, metadata
  before_each(function() engine, metadata = db.engine(), ag.MetaData() end)
  after_each(db.cleanup)
  --- On SQLite, nothing.
  local function expect(list, f) assert.same(db.postgresql and list or {}, types_of(engine, f)) end

  for _, class in ipairs(classes) do
    local word = class == "Enum" and "TYPE" or "DOMAIN"

    it("by itself: " .. class, function()
      local t = make(class, {})
      expect({"CREATE " .. word .. " kind"}, function() t:create(engine) end)
      expect({}, function() t:create(engine) end)
      if db.postgresql then
        assert.is_true(select(2, pcall(t.create, t, engine, {checkfirst = false})):is(ag.exc.ProgrammingError))
      end
      expect({"DROP " .. word .. " kind"}, function() t:drop(engine) end)
      expect({}, function() t:drop(engine, {checkfirst = ag.CheckFirst.TYPES}) end)
      assert.matches("expected an Enum or DOMAIN", message(function() ag.Integer:create(engine) end))
    end)

    it("with tables: " .. class, function()
      if class == "DOMAIN" and db.sqlite then return end
      local t = make(class, {})
      local one = ag.Table("one", metadata, {C("id", I, {primary_key = true}), C("x", t)})
      local two = ag.Table("two", metadata, {C("id", I, {primary_key = true}), C("x", t), C("y", t)})
      expect({"CREATE " .. word .. " kind"}, function() one:create(engine) end)
      expect({}, function() two:create(engine) end)
      expect({}, function() two:drop(engine) end) -- the type stays: other tables may have it
      if db.postgresql then
        local ok, e = pcall(two.create, two, engine, {checkfirst = false})
        assert.is_false(ok)
        assert.is_true(e:is(ag.exc.ProgrammingError))
      end
      expect({}, function() two:create(engine, {checkfirst = ag.CheckFirst.TYPES}) end)
      expect({}, function() metadata:create_all(engine) end)
      expect({}, function() metadata:drop_all(engine, {tables = {two}}) end) -- table one has it
      expect({"DROP " .. word .. " kind"}, function() metadata:drop_all(engine) end)
      expect({"CREATE " .. word .. " kind"}, function() metadata:create_all(engine, {checkfirst = false}) end)
      expect({"DROP " .. word .. " kind"}, function() metadata:drop_all(engine, {tables = {one, two}}) end)
    end)

    it("of a MetaData without a table: " .. class, function()
      make(class, {metadata = metadata})
      make(class, {metadata = metadata, name = "other"})
      make(class, {metadata = metadata, name = "never", create_type = false})
      expect({"CREATE " .. word .. " kind", "CREATE " .. word .. " other"}, function() metadata:create_all(engine) end)
      expect({}, function() metadata:create_all(engine) end)
      expect({"DROP " .. word .. " other", "DROP " .. word .. " kind"}, function() metadata:drop_all(engine) end)
      expect({}, function() metadata:drop_all(engine) end)
    end)

    it("in the schema of the MetaData, of the table and under a translated one: " .. class, function()
      if not db.postgresql then return end
      engine:begin(function(conn)
        for _, name in ipairs{"ns1", "ns2"} do conn:execute(ag.CreateSchema(name)) end
      end)
      metadata = ag.MetaData{schema = "ns1"}
      ag.Table("t", metadata, {C("id", I, {primary_key = true}), C("x", make(class, {})),
        C("y", make(class, {name = "kind2", inherit_schema = true})), C("z", pg.ARRAY(make(class, {}))), schema = "ns2"})
      expect({"CREATE " .. word .. " ns1.kind", "CREATE " .. word .. " ns2.kind2"}, function() metadata:create_all(engine) end)
      expect({}, function() metadata:create_all(engine) end)
      engine:begin(function(conn)
        conn:execute(ag.insert(metadata.tables["ns2.t"]), {x = "a", y = "b", z = {"a", "b"}})
        local row = conn:execute(ag.select(metadata.tables["ns2.t"])):one()
        assert.same({"a", "b", "b"}, {row.x, row.y, row.z[2]})
      end)
      local conn <close> = engine:connect()
      conn:execution_options{schema_translate_map = {ns1 = "ns2"}}
      ag.Table("u", metadata, {C("x", make(class, {name = "kind3"}))}):create(conn)
      assert.is_true(ag.inspect(conn):has_table("u", {schema = "ns2"}))
      conn:rollback()
      expect({"DROP " .. word .. " ns2.kind2", "DROP " .. word .. " ns1.kind"}, function()
        metadata:remove(metadata.tables["ns1.u"])
        metadata:drop_all(engine)
      end)
      engine:begin(function(c)
        for _, name in ipairs{"ns1", "ns2"} do c:execute(ag.DropSchema(name, {cascade = true})) end
      end)
    end)
  end
end)
