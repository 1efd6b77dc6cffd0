-- Random expressions against a plain evaluator, and random statements with and without the statement cache. The seed is printed when
-- something differs; ARGENT_SEED sets it, ARGENT_RANDOM the number (script/proof runs many more).
local ag = require "argent"
local db = require "spec.support.db"
local expressions = require "spec.support.random_expression"
local statements = require "spec.support.random_statement"

local seed = tonumber(os.getenv "ARGENT_SEED") or os.time()
local count = tonumber(os.getenv "ARGENT_RANDOM") or 500

describe("random", function()
  local tbl = expressions.table(ag.MetaData())

  local function filled(options)
    local engine = db.engine(options)
    tbl.metadata:create_all(engine)
    engine:begin(function(conn)
      for _, row in ipairs(expressions.rows) do conn:execute(ag.insert(tbl), row) end
    end)
    return engine
  end
  teardown(db.cleanup)

  it("expressions have the values of a plain evaluator", function()
    local conn <close> = filled():connect()
    local report
    local wrong = expressions.check(conn, tbl, seed, count, function(e, row, got, want)
      report = report or ("seed %d, row %d: got %s, expected %s: %s"):format(seed, row, tostring(got), tostring(want),
        e.sql:compile{dialect = db.dialect, literal_binds = true}.string)
    end)
    assert.equal(0, wrong, report)
  end)

  it("statements are the same from the cache", function()
    local first
    local function connect(options)
      if first and db.shared then return db.other_engine(first, options) end
      first = filled(options)
      return first
    end
    local report
    local wrong, hits = statements.check(connect, tbl, seed, count, function(i, _, sent, ok, rows, ok2, rows2)
      report = report or ("seed %d, statement %d: cached %s %s %s; uncached %s %s %s"):format(seed, i, sent.cached, tostring(ok),
        tostring(rows), sent.uncached, tostring(ok2), tostring(rows2))
    end)
    assert.equal(0, wrong, report)
    assert.is_true(hits > count / 100, "hits: " .. hits)
  end)
end)
