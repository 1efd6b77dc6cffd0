-- The tree compiles without a warning under the other compiler too: each command of the build, repeated with clang (with gcc
-- when the build uses clang), without output.
return function(tree, fail)
  local database = io.open(tree.build .. "/compile_commands.json")
  if not database then return end
  local commands = {}
  for command, file in database:read("a"):gmatch('"command": "(.-)",\n%s*"file": "(.-)"') do
    if file:match("/csrc/") then
      local compiler, rest = command:gsub('\\"', '"'):gsub("\\\\", "\\"):match("^(%S+)%s+(.*)$")
      local other = compiler:match("clang[^/]*$") and "gcc" or "clang"
      commands[#commands + 1] = other .. " -fsyntax-only " .. rest:gsub(" %-o %S+", "")
    end
  end
  database:close()
  table.sort(commands)
  local list = os.tmpname()
  local file = assert(io.open(list, "w"))
  file:write(table.concat(commands, "\n"), "\n")
  file:close()
  local lines, ok = tree.run(("tr '\\n' '\\0' <%s | xargs -0 -P \"$(nproc)\" -n 1 sh -c"):format(list))
  os.remove(list)
  local before = 0
  for _, line in ipairs(lines) do
    local name, number, message = line:match("csrc/(%S-%.[chdef]+):(%d+):%d+: (.*)$")
    if name and (message:match("^error") or message:match("^warning") or message:match("^fatal")) then
      before = before + 1
      fail("csrc/" .. name, number, message)
    end
  end
  if not ok and before == 0 then fail("clang", nil, table.concat(lines, " "):sub(1, 400)) end
end
