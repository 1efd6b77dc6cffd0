--- Every public function with one thing wrong: nothing given, nil, a value that is never right in each place, a wrong self, an option that
--- there is not, each option misspelt; every object with names that it has not. Each is refused by an error object that says what was
--- wrong, and for names which one was meant. ARGENT_SWEEP_VERBOSE=1 tells the numbers.
local ag = require "argent"
local core = require "argent.core"
local bad_input = require "spec.support.bad_input"

local wrong = bad_input.wrong

--- Places that take any value, or ignore what other functions of the same name take: "key#place".
local takes_anything = {}
for key in ([[ag.try#1 ag.exc.is_error#1 ag.event.listeners#1 ag.event.listeners#2 Connection:invalidate#1 collection:index#1
  ag.date.today#1 ag.datetime.utcnow#1 datetime:date#1 datetime:time#1 Pool:dispose#1
  Column:slice#2 MetaData:remove#2 MetaData:remove#3
  ag.dialects.get#2 ag.dialects.get#3 ag.dialects.get#4 collection:all#1 collection:all#2 Session:invalidate#1]]):gmatch "%S+" do
  takes_anything[key] = true end

--- Functions whose table of names is data: columns, parameters, free options.
local names_are_data = {}
for key in ([[CompoundSelect:execution_options Connection:execution_options Engine:execution_options Delete:with_dialect_options
  Insert:with_dialect_options Update:with_dialect_options Connection:invalidate Pool:dispose Session:invalidate
  collection:all ag.between]]):gmatch "%S+" do names_are_data[key] = true end

local function count(n, what)
  if os.getenv "ARGENT_SWEEP_VERBOSE" then io.stderr:write(("bad input: %d %s\n"):format(n, what)) end
end

local function fail_with(list, what)
  table.sort(list)
  assert(#list == 0, ("%d %s:\n%s"):format(#list, what, table.concat(list, "\n", 1, math.min(#list, 60))))
end

--- The text of a refusal; nil, and a complaint, when it is no error object.
local function text_of(e, key, complaints)
  if ag.exc.is_error(e) then return tostring(e) end
  local ok, text = pcall(tostring, e)
  if not (ok and text:find "^[%w_./]*spec/support/") then complaints[#complaints + 1] = key .. ": " .. (ok and text or "?") end
end

--- Does an error say which value, or what else about the call, is wrong? (Another argument may be wrong for this object, too.)
local function says_what(text)
  for _, words in ipairs{"thread", "takes at most", "works on", "bad argument #", "expected ", "unknown option", "belongs to no", "not enabled",
    "is for transactions", "closed", "named by",
    "listens to events", "unknown event", "is not a function itself", "for collections", "Can't compare"} do
    if text:find(words, 1, true) then return true end
  end
  return false
end

describe("bad input", function()
  local entries, player
  setup(function()
    entries, player = bad_input.entries(), bad_input.player()
  end)
  teardown(function() player.world:close() end)

  local function renew_after(entry, number)
    if number % 10 == 0 or entry.key:find "Session" or entry.key:find "Transaction" or entry.key:find "close" or entry.key:find "dispose"
      or entry.key:find "Connection" then
      player:renew()
    end
  end

  it("of nothing, nil, and too many arguments is refused by error objects", function()
    local complaints, n = {}, 0
    for number, entry in ipairs(entries) do
      local self = entry.class and player:selves(entry.class)[1]
      for _, args in ipairs{{n = 0}, {n = 1}, {n = 2}, {n = 3}, table.pack(table.unpack({}, 1, 40))} do
        for _, object in ipairs{false, self} do
          local ok, e
          if object then ok, e = pcall(entry.f, object, table.unpack(args, 1, args.n)) else ok, e = pcall(entry.f, table.unpack(args, 1, args.n)) end
          n = n + 1
          if not ok then text_of(e, entry.key, complaints) end
        end
      end
      renew_after(entry, number)
    end
    fail_with(complaints, "errors that are no error objects")
    count(n, "calls with nothing or nil")
  end)

  it("in each place is refused, and said to be wrong", function()
    local complaints, accepted, untold, n, places = {}, {}, {}, 0, 0
    for number, entry in ipairs(entries) do
      local most = 0
      for _, params in ipairs(entry.params) do most = math.max(most, #params) end
      for place = 1, math.min(most, 4) do
        local told, other = false, "not tried"
        for try = 1, 12 do
          local params = entry.params[try % #entry.params + 1]
          if #params >= place then
            n = n + 1
            local ok, e = player:call(entry, params, try, function(args)
              args[place] = wrong
              args.n = math.max(args.n, place)
            end)
            local key = entry.key .. "#" .. place
            if ok and not takes_anything[key] then accepted[#accepted + 1] = key end
            local text = not ok and text_of(e, key, complaints)
            if ok or text and says_what(text) then told = true else other = text or e end
            renew_after(entry, try == 12 and number or 1)
          end
        end
        places = places + 1
        if not told then untold[#untold + 1] = ("%s#%d: %s"):format(entry.key, place, tostring(other):sub(1, 140)) end
      end
    end
    fail_with(complaints, "errors that are no error objects")
    fail_with(accepted, "places that take what is never right")
    fail_with(untold, "places where no error names the value")
    count(n, "calls with a wrong value, in " .. places .. " places")
  end)

  --- What a closed object still answers: questions, closing it once more, and views whose first row raises.
  local answers = {}
  for key in ([[Connection:close Connection:in_transaction Connection:in_nested_transaction Connection:get_transaction
    Connection:get_nested_transaction Connection:get_execution_options Connection:invalidate Transaction:close Transaction:rollback Result:close
    Result:keys Connection:get_isolation_level Result:mappings Result:columns Result:partitions Result:rows Result:set_rowcounts Result:tuples
    Result:yield_per Result:supports_sane_rowcount Result:supports_sane_multi_rowcount]]):gmatch "%S+" do answers[key] = true end

  it("of a closed object: all that would use it is refused", function()
    local complaints, accepted, n = {}, {}, 0
    for _, closed in ipairs{{"Connection", "closed_conn"}, {"Transaction", "closed_tx"}, {"Result", "closed_result"}} do
      local class, name = closed[1], closed[2]
      for _, entry in ipairs(entries) do
        local own = core.methods(class)[entry.name]
        if own == entry.f and entry.class and not answers[entry.key] then
          for try = 1, 6 do
            local made, args = pcall(function()
              return table.pack(require "spec.support.random_fitting".right(player, entry.params[try % #entry.params + 1]))
            end)
            if made then
              n = n + 1
              local ok, e = pcall(entry.f, player.world[name], table.unpack(args, 1, args.n))
              if ok then accepted[#accepted + 1] = entry.key else text_of(e, entry.key, complaints) end
            end
          end
        end
      end
    end
    fail_with(complaints, "errors that are no error objects")
    fail_with(accepted, "methods of closed objects that work")
    count(n, "calls of closed objects")
  end)

  it("as self is refused", function()
    local complaints, accepted, n = {}, {}, 0
    for _, entry in ipairs(entries) do
      if entry.class then
        for _, self in ipairs{wrong, 1, "x", true, ag.null, io.stdout, print} do
          n = n + 1
          local ok, e = pcall(entry.f, self)
          if ok then accepted[#accepted + 1] = entry.key .. " " .. type(self) else text_of(e, entry.key, complaints) end
        end
      end
    end
    fail_with(complaints, "errors that are no error objects")
    fail_with(accepted, "methods that take a wrong self")
    count(n, "wrong selves")
  end)

  local function misspelt(name)
    if #name < 4 or name:sub(2, 2) == name:sub(3, 3) then return name .. "x" end
    return name:sub(1, 1) .. name:sub(3, 3) .. name:sub(2, 2) .. name:sub(4)
  end

  it("of options: unknown ones are refused, misspelt ones with the name that was meant", function()
    local complaints, silent, missing, n, with_options = {}, {}, {}, 0, 0
    for number, entry in ipairs(entries) do
      for index, params in ipairs(entry.params) do
        local last = params[#params]
        if last == "options" and not names_are_data[entry.key] then
          local known
          local function try(options)
            n = n + 1
            return player:call(entry, params, index, function(args)
              args.n = math.max(args.n, #params)
              args[args.n] = options
            end)
          end
          for _ = 1, 6 do
            local ok, e = try{zzz_unknown = 1}
            if ok then silent[#silent + 1] = entry.key end
            local text = not ok and text_of(e, entry.key, complaints)
            known = known or text and text:find("zzz_unknown", 1, true) and text:match "known: ([^)]+)%)"
          end
          if known then
            with_options = with_options + 1
            for name in known:gmatch "[%w_]+" do
              local ok, e = try{[misspelt(name)] = 1}
              local text = not ok and text_of(e, entry.key, complaints) or ""
              if text:find(misspelt(name), 1, true) and not text:find("did you mean", 1, true) then
                missing[#missing + 1] = ("%s: %s (%s)"):format(entry.key, misspelt(name), text:sub(1, 120))
              end
            end
          end
        end
      end
      renew_after(entry, number)
    end
    fail_with(complaints, "errors that are no error objects")
    fail_with(silent, "functions that take unknown options")
    fail_with(missing, "misspelt options without the name that was meant")
    count(n, "calls with options, of " .. with_options .. " functions that have them")
  end)

  it("as names of fields and methods is refused, with the name that was meant", function()
    local complaints, silent, missing, n = {}, {}, {}, 0
    for _, item in ipairs(player.world:list()) do
      local object, kind = item.value, core.kind_of(item.value)
      local ok, methods = pcall(core.methods, kind or "")
      if ok and type(methods) == "table" then
        local names = {}
        for name in pairs(methods) do if name:sub(1, 1) ~= "_" and #name > 3 then names[#names + 1] = name end end
        for _, name in ipairs(names) do
          n = n + 1
          local near = misspelt(name)
          local got, e = pcall(function() return object[near] end)
          if got and e ~= nil and methods[near] == nil then silent[#silent + 1] = item.name .. "." .. near
          elseif not got then
            local text = text_of(e, item.name, complaints) or ""
            if not text:find("did you mean", 1, true) then missing[#missing + 1] = item.name .. "." .. near .. ": " .. text:sub(1, 100) end
          end
        end
      end
    end
    fail_with(complaints, "errors that are no error objects")
    fail_with(silent, "fields that are not there and give something")
    fail_with(missing, "misspelt names without the name that was meant")
    count(n, "misspelt fields")
  end)
end)
