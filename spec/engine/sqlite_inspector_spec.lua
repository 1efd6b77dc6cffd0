--- The Inspector over SQLite: names in any case, keys that refer to nothing, automatic indexes, the order of tables.
local ag = require "argent"

describe("The Inspector of SQLite", function()
  local engine, insp

  local function run(...)
    local texts = {...}
    engine:begin(function(conn)
      for _, text in ipairs(texts) do conn:exec_driver_sql(text) end
    end)
    insp = ag.inspect(engine)
  end

  local function raises(class, fn, ...)
    local ok, e = pcall(fn, ...)
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc[class]), tostring(e))
    return e
  end

  before_each(function() engine = ag.create_engine("sqlite://") end)
  after_each(function() engine:dispose() end)

  it("finds a table whatever the case of its name, alone and through a foreign key", function()
    run("CREATE TABLE Rivers (Id INTEGER PRIMARY KEY, Name TEXT UNIQUE)",
      "CREATE TABLE bridges (id INTEGER PRIMARY KEY, river INTEGER REFERENCES RIVERS (ID), name TEXT REFERENCES rivers (NAME))",
      "CREATE INDEX ix ON bridges (river)", "CREATE VIEW Long_Ones AS SELECT Name FROM Rivers")
    assert.is_true(insp:has_table("BRIDGES"))
    assert.are.equal("river", insp:get_columns("BRIDGES")[2].name)
    assert.are.same({"id"}, insp:get_pk_constraint("Bridges").constrained_columns)
    assert.are.equal("ix", insp:get_indexes("bridgeS")[1].name)
    assert.are.same({{"Rivers", {"Id"}}, {"Rivers", {"Name"}}}, {
      {insp:get_foreign_keys("bridges")[1].referred_table, insp:get_foreign_keys("bridges")[1].referred_columns},
      {insp:get_foreign_keys("bridges")[2].referred_table, insp:get_foreign_keys("bridges")[2].referred_columns}})
    assert.are.same({}, insp:get_multi_columns{filter_names = {"BRIDGES"}}) -- SQLAlchemy's: a list of names is taken exactly
    local metadata = ag.MetaData()
    local bridges = ag.Table("bridges", metadata, {autoload_with = engine})
    assert.are.equal(metadata.tables.Rivers.c.Id, bridges.c.river.foreign_keys[1].column)
    assert.are.equal(metadata.tables.Rivers.c.Name, bridges.c.name.foreign_keys[1].column)
    local shouted = ag.Table("BRIDGES", ag.MetaData(), {autoload_with = engine})
    assert.are.equal("BRIDGES.c(id, river, name)", tostring(shouted.c))
  end)

  it("names the missing table of a foreign key without columns, and skips one whose table has no such key", function()
    run("CREATE TABLE a (x INTEGER, y INTEGER, FOREIGN KEY (x, y) REFERENCES gone)", "CREATE TABLE c (z INTEGER PRIMARY KEY)",
      "CREATE TABLE b (x INTEGER, y INTEGER, FOREIGN KEY (x, y) REFERENCES c)")
    assert.are.same({}, insp:get_foreign_keys("a")[1].referred_columns)
    assert.matches("no such table: gone", tostring(raises("NoSuchTableError", ag.Table, "a", ag.MetaData(), {autoload_with = engine})))
    assert.are.equal(0, #ag.Table("b", ag.MetaData(), {autoload_with = engine}).foreign_keys)
    assert.are.equal(0, #ag.Table("a", ag.MetaData(), {autoload_with = engine, resolve_fks = false}).foreign_keys)
  end)

  it("takes dots in the names of a foreign key for what they are, in a copy of the table, too", function()
    run([[CREATE TABLE "a.b" ("x.y" INTEGER, z INTEGER, PRIMARY KEY ("x.y", z))]],
      [[CREATE TABLE c (m INTEGER, "n.o" INTEGER, FOREIGN KEY (m, "n.o") REFERENCES "a.b" ("x.y", z))]])
    local metadata, copy = ag.MetaData(), ag.MetaData()
    metadata:reflect(engine)
    for _, tab in ipairs(metadata.sorted_tables) do tab:to_metadata(copy) end
    for _, m in ipairs{metadata, copy} do
      local columns, target = m.tables.c.c, m.tables["a.b"]
      assert.are.equal(target.c["x.y"], columns.m.foreign_keys[1].column)
      assert.are.equal(target.c.z, columns["n.o"].foreign_keys[1].column)
    end
  end)

  it("leaves out SQLite's own indexes unless include_auto_indexes asks for them", function()
    run("CREATE TABLE t (a TEXT PRIMARY KEY, b INTEGER UNIQUE)", "CREATE INDEX ix ON t (b, a)")
    local function names(list)
      local out = {}
      for i, ix in ipairs(list) do out[i] = ix.name end
      return out
    end
    assert.are.same({"ix"}, names(insp:get_indexes("t")))
    assert.are.same({"ix", "sqlite_autoindex_t_1", "sqlite_autoindex_t_2"}, names(insp:get_indexes("t", {include_auto_indexes = true})))
    assert.are.equal(3, #insp:get_multi_indexes{include_auto_indexes = true}.t)
    assert.are.equal(1, #insp:get_multi_indexes().t)
    raises("ArgumentError", insp.get_columns, insp, "t", {include_auto_indexes = true})
  end)

  it("sorts tables level by level, by name within one, cycles in the last item", function()
    run("CREATE TABLE d (x INTEGER REFERENCES c (x))", "CREATE TABLE c (x INTEGER PRIMARY KEY REFERENCES e (x))",
      "CREATE TABLE b (x INTEGER PRIMARY KEY)", "CREATE TABLE e (x INTEGER PRIMARY KEY REFERENCES e (x))",
      "CREATE TABLE m (x INTEGER PRIMARY KEY, y INTEGER, CONSTRAINT m_n FOREIGN KEY (y) REFERENCES n (x))",
      "CREATE TABLE n (x INTEGER PRIMARY KEY, y INTEGER, CONSTRAINT n_m FOREIGN KEY (y) REFERENCES m (x))")
    local order, last = {}, nil
    for i, item in ipairs(insp:get_sorted_table_and_fkc_names()) do
      order[i] = item[1] ~= ag.null and item[1] or "-"
      last = item[2]
    end
    assert.are.same({"b", "e", "m", "n", "c", "d", "-"}, order)
    table.sort(last, function(a, b) return a[1] < b[1] end)
    assert.are.same({{"m", "m_n"}, {"n", "n_m"}}, last)
  end)

  it("raises NotImplementedError for what SQLite has not", function()
    for _, name in ipairs{"get_materialized_view_names", "get_sequence_names", "get_enums", "get_table_comment"} do
      raises("NotImplementedError", insp[name], insp, name == "get_table_comment" and "t" or nil)
    end
  end)
end)
