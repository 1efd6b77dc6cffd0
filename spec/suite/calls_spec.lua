-- Random calls of everything public (spec/support/random_calls.lua): a short run with fixed seeds and one with a new seed, which is
-- told when something is wrong. ARGENT_CALLS sets the number of calls; `script/fuzz SECONDS api` runs under the sanitizers.
local calls = require "spec.support.random_calls"
local db = require "spec.support.db"

describe("random calls", function()
  local number = tonumber(os.getenv "ARGENT_CALLS") or 8000
  teardown(db.cleanup)

  for what, seed in pairs{["of a fixed seed"] = 1, ["of a new seed"] = os.time()} do
    it(what .. " crash nothing; what is refused is refused by an error object; nothing stays lent", function()
      local faults, done, refused = calls.play(seed, number)
      local list = {}
      for text, key in pairs(faults) do list[#list + 1] = ("%s <- %s"):format(text, key) end
      table.sort(list)
      assert(#list == 0, table.concat(list, "\n"))
      assert.is_true(done >= number and refused > 0 and refused < done)
    end)
  end
end)
