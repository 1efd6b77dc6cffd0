--- Which Lua module of argent a public name comes from: `name = "module"` (argent.<module> returns a table with it) or `name = true`
--- (argent.<name> is the value). Names that are not here come from the C core. Add a line for a new name.
return {
  -- engine
  exc = true, event = true, try = true,
  create_engine = "engine", engine_from_config = "engine", create_mock_engine = "engine", create_pool_from_url = "engine",
  Engine = "event", Pool = "event",
  make_url = "url", URL = "url",
  -- dialect namespaces
  sqlite = true, postgresql = true,
  -- values
  date = "values", time = "values", datetime = "values", interval = "values",
  json_array = "json", json_object = "json",
  unpack = "rows", to_table = "rows",
}
