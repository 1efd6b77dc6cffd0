-- Shell scripts parse, and can be run.
return function(tree, fail)
  for _, file in ipairs(tree.files("script .ci", "*")) do
    local first = tree.lines(file)[1] or ""
    if first:match("^#!.*sh$") then
      local lines, ok = tree.run("bash -n " .. tree.quote{file})
      if not ok then fail(file, nil, table.concat(lines, " ")) end
      if not select(2, tree.run("test -x " .. tree.quote{file})) then fail(file, nil, "is not executable") end
    end
  end
end
