-- What the built Lua modules show and want. A module shows its luaopen function and nothing else, and leaves nothing of ours
-- to be found at load time: Lua opens modules so that they do not see each other's symbols.
return function(tree, fail)
  for _, module in ipairs(tree.files(tree.build .. "/lua", "*.so")) do
    local name = module:match("/lua/(.*)%.so$"):gsub("/", "_")
    local shown = module:match("/lua/(.*)$")
    for _, line in ipairs((tree.run("nm -D --defined-only " .. tree.quote{module}))) do
      local symbol = line:match("%S+%s+[TDBRVW]%s+(%S+)$")
      if symbol and symbol ~= "luaopen_" .. name and not symbol:match("^_") then
        fail(shown, nil, "shows " .. symbol .. ": only luaopen_" .. name .. " may be visible")
      end
    end
    for _, line in ipairs((tree.run("nm -D --undefined-only " .. tree.quote{module}))) do
      local symbol = line:match("%sU%s+(agl?_[%w_]+)$")
      if symbol then fail(shown, nil, "needs " .. symbol .. ", which no other module can give it") end
    end
  end
end
