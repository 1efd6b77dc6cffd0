--- A dialect outside the tree, in one file: what a database of its own kind would need. It is based on SQLite, so that it can also be
--- run on SQLite's driver where its SQL allows.
local ag = require "argent"

return ag.dialects.register("toy", {
  base = "sqlite",
  identifier_quote = "[]",
  paramstyle = "qmark",
  max_identifier_length = 30,
  reserved_words = {"select", "from", "where", "order", "group", "zone"},
  features = {native_boolean = true, ilike = true},
  operators = {concat = " || ", bitwise_xor = " XOR "},
  visit = {
    -- no OFFSET without LIMIT, and the other way round
    limit = function(el) return {" LIMIT ", el.limit or "-1", el.offset and " OFFSET " or "", el.offset or ""} end,
    Cast = function(el, compiler) return {"CAST(", el.operand, " AS ", compiler:type(el.type), ")"} end,
    ["func.now"] = function() return "datetime('2024-01-05 10:00:00')" end,
    BinaryExpression = function(el, compiler)
      if el.operator ~= "is_distinct_from" then return compiler:default(el) end
      return {"NOT (", el.left, " IS ", el.right, ")"}
    end,
  },
  types = {String = function(t) return t.length and ("CHARACTER(%d)"):format(t.length) or "TEXT" end, Boolean = "BOOL"},
})
