-- C is formatted by .clang-format: script/format does it.
return function(tree, fail)
  local files = tree.files("csrc cmake", "*.[ch]")
  if #files == 0 then return end
  local lines, ok = tree.run("clang-format --dry-run " .. tree.quote(files))
  if not ok then fail("clang-format", nil, table.concat(lines, " ")) end
  local seen = {}
  for _, line in ipairs(lines) do
    local file, number = line:match("^(%S+):(%d+):%d+: warning: code should be clang%-formatted")
    if file and not seen[file] then
      seen[file] = true
      fail(file, number, "is not formatted from here on: script/format " .. file)
    end
  end
end
