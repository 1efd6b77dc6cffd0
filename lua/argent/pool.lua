--- Kinds of pools, for create_engine's option `poolclass`, which takes the names as well.
---@class argent.pool
return {
  QueuePool = "QueuePool", AsyncAdaptedQueuePool = "AsyncAdaptedQueuePool", NullPool = "NullPool", StaticPool = "StaticPool",
  SingletonThreadPool = "SingletonThreadPool", AssertionPool = "AssertionPool",
}
