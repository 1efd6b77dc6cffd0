-- luacheck by .luacheckrc.
return function(tree, fail)
  local folders = {}
  for _, folder in ipairs{"lua", "spec", "examples", "bench", "script", "types"} do
    if #tree.files(folder, "*.lua") > 0 then folders[#folders + 1] = folder end
  end
  local lines = tree.run("luacheck --formatter plain --codes " .. table.concat(folders, " ") .. " .luacheckrc .busted")
  for _, line in ipairs(lines) do
    local file, number, message = line:match("^([^:]+):(%d+):(.*)$")
    if file then fail(file, number, message:gsub("^%d+: ", "")) else fail("luacheck", nil, line) end
  end
end
