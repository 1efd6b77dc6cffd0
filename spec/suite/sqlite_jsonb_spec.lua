-- sqlite.JSONB: the SQL is that of SQLAlchemy 2.1's type of this name. Older libraries have no jsonb(): one that changes nothing stands in.
local ag = require "argent"
local db = require "spec.support.db"

local JSONB = ag.sqlite.JSONB

describe("sqlite.JSONB", function()
  local t = ag.Table("docs", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("d", JSONB)})

  local function text(stmt) return (stmt:compile{dialect = "sqlite"}.string:gsub("%s+", " ")) end

  it("is written through jsonb() and read through json()", function()
    assert.equal("CREATE TABLE docs ( id INTEGER NOT NULL, d JSONB, PRIMARY KEY (id) )", text(ag.CreateTable(t)))
    assert.equal("INSERT INTO docs (d) VALUES (jsonb(?))", text(ag.insert(t):values{d = {a = 1}}))
    assert.equal("UPDATE docs SET d=jsonb(?) WHERE docs.d = jsonb(?)", text(ag.update(t):values{d = {b = 1}}:where(t.c.d:eq{a = 1})))
    assert.equal("SELECT json(docs.d) AS d, json(JSON_QUOTE(JSON_EXTRACT(docs.d, ?))) AS anon_1 FROM docs "
      .. "WHERE CAST(JSON_EXTRACT(docs.d, ?) AS INTEGER) = ?",
      text(ag.select(t.c.d, t.c.d:at "a"):where(t.c.d:at "a":as_integer():eq(4))))
    assert.equal("INSERT INTO docs (d) VALUES (jsonb(?)) RETURNING json(d) AS d", text(ag.insert(t):values{d = {}}:returning(t.c.d)))
    assert.equal("SELECT json(CAST(docs.d AS JSONB)) AS d, json(jsonb(?)) AS anon_1 FROM docs",
      text(ag.select(ag.cast(t.c.d, JSONB), ag.type_coerce({a = 1}, JSONB))))
    assert.equal("SELECT json(anon_1.d) AS d FROM (SELECT docs.d AS d FROM docs) AS anon_1", text(ag.select(ag.select(t.c.d):subquery().c.d)))
    assert.equal(JSONB, ag.sqlite.JSONB)
  end)

  it("takes the options of JSON", function()
    local kind = JSONB{none_as_null = true}
    assert.is_true(kind.none_as_null)
    assert.equal(kind, ag.sqlite.JSONB{none_as_null = true})
    assert.not_equal(kind, JSONB)
    assert.equal(JSONB, JSONB())
    local other = ag.Table("other", ag.MetaData(), {ag.Column("d", kind)})
    assert.equal("CREATE TABLE other ( d JSONB )", text(ag.CreateTable(other)))
    assert.equal("INSERT INTO other (d) VALUES (jsonb(?))", text(ag.insert(other):values{d = {a = 1}}))
    local ok, e = pcall(JSONB, {none_as = true})
    assert.is_false(ok)
    assert.matches("none_as_null", tostring(e))
  end)

  it("keeps values", function()
    if not db.sqlite then return pending "SQLite's" end
    local engine = db.engine()
    local conn = engine:connect()
    if not pcall(conn.exec_driver_sql, conn, "SELECT jsonb('1')") then
      conn:rollback()
      conn.connection:create_function("jsonb", 1, function(v) return v end)
    end
    t:create(conn)
    conn:execute(ag.insert(t), {{d = {a = {1, 2}, b = "x"}}, {d = ag.null}, {d = ag.json_array{}}})
    local rows = conn:execute(ag.select(t.c.d):order_by(t.c.id)):all()
    assert.same({1, 2}, {rows[1].d.a[1], rows[1].d.a[2]})
    assert.equal(0, #rows[3].d)
    assert.equal("x", conn:scalar(ag.select(t.c.d:at "b":as_string()):where(t.c.d:at{"a", 0}:as_integer():eq(1))))
    conn:close()
    db.cleanup()
  end)
end)
