--- Which Lua module of argent a public name comes from: `name = "module"` (argent.<module> returns a table with it) or `name = true`
--- (argent.<name> is the value). Names that are not here come from the C core. Add a line for a new name.
return {
  -- engine
  exc = true, event = true, try = true, log = true, inspect = true,
  create_mock_engine = "mock", create_engine = "engine", engine_from_config = "engine",
  Engine = "event", Pool = "event",
  make_url = "url", URL = "url",
  QueuePool = "pool", AsyncAdaptedQueuePool = "pool", NullPool = "pool", StaticPool = "pool", SingletonThreadPool = "pool",
  AssertionPool = "pool",
  -- custom constructs and dialects
  compiles = "custom", deregister = "custom", ColumnElement = "custom", ClauseElement = "custom", FunctionElement = "custom",
  GenericFunction = "custom", Executable = "custom", ExecutableDDLElement = "custom", register_function = "custom",
  SyntaxExtension = "custom", dialects = true, visitors = true, ClauseAdapter = "visitors",
  FrameClause = "frame", FrameClauseType = "frame",
  ObjectKind = "inspector", ObjectScope = "inspector",
  -- dialect namespaces
  sqlite = true, postgresql = true,
  -- schema
  MetaData = "schema.metadata", Table = "schema.table", BLANK_SCHEMA = "schema.table", RETAIN_SCHEMA = "schema.table",
  sort_tables = "schema.metadata", sort_tables_and_constraints = "schema.metadata",
  Column = "schema.column", insert_sentinel = "schema.column",
  ForeignKey = "schema.items", Sequence = "schema.items", Identity = "schema.items", Computed = "schema.items",
  FetchedValue = "schema.items", DefaultClause = "schema.items", ColumnDefault = "schema.items",
  conv = "schema.items", quoted_name = "schema.items",
  PrimaryKeyConstraint = "schema.constraints", ForeignKeyConstraint = "schema.constraints",
  UniqueConstraint = "schema.constraints", CheckConstraint = "schema.constraints", Index = "schema.constraints",
  CreateTable = "schema.ddl", CreateColumn = "schema.ddl", DropTable = "schema.ddl", CreateIndex = "schema.ddl", DropIndex = "schema.ddl",
  AddConstraint = "schema.ddl", DropConstraint = "schema.ddl", CreateSchema = "schema.ddl", DropSchema = "schema.ddl",
  CreateSequence = "schema.ddl", DropSequence = "schema.ddl", SetTableComment = "schema.ddl",
  DropTableComment = "schema.ddl", SetColumnComment = "schema.ddl", DropColumnComment = "schema.ddl",
  SetConstraintComment = "schema.ddl", DropConstraintComment = "schema.ddl", DDL = "schema.ddl",
  CreateView = "schema.view", CreateTableAs = "schema.view", DropView = "schema.view", CheckFirst = "schema.exists",
  -- types
  TypeDecorator = "user_types", UserDefinedType = "user_types",
  -- values
  date = "values", time = "values", datetime = "values", interval = "values",
  json_array = "json", json_object = "json",
  unpack = "rows", to_table = "rows",
  -- ORM
  declarative_base = "orm", mapped_column = "orm", relationship = "orm", backref = "orm", column_property = "orm", deferred = "orm",
  hybrid_property = "orm", hybrid_method = "orm", synonym = "orm", composite = "orm", association_proxy = "orm", validates = "orm",
  declared_attr = "orm", aliased = "orm", attribute_keyed_dict = "orm", keyfunc_mapping = "orm", with_polymorphic = "orm",
  selectin_polymorphic = "orm", query_expression = "orm", with_expression = "orm", configure_mappers = "orm",
  with_parent = "orm", Session = "orm", sessionmaker = "orm", scoped_session = "orm",
  object_session = "orm", make_transient = "orm", make_transient_to_detached = "orm", flag_modified = "orm", selectinload = "orm",
  joinedload = "orm", subqueryload = "orm", lazyload = "orm", immediateload = "orm", noload = "orm", raiseload = "orm",
  defaultload = "orm", contains_eager = "orm", load_only = "orm", defer = "orm", undefer = "orm", undefer_group = "orm",
  Load = "orm", with_loader_criteria = "orm",
}
