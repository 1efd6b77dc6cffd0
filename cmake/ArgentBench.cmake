# The C side of bench/: module_<name>.c becomes the Lua module bench.<name> (build/lua/bench/<name>.so), any other <name>.c
# the program build/bench/<name>. Both may use the client libraries; programs also the core and the drivers.

set(clients "")
set(drivers "")
foreach(driver IN ITEMS sqlite postgresql)
  if(TARGET argent_client_${driver})
    list(APPEND clients argent_client_${driver})
  endif()
  if(TARGET argent_driver_${driver})
    list(APPEND drivers argent_driver_${driver})
  endif()
endforeach()

file(GLOB bench_sources CONFIGURE_DEPENDS bench/*.c)
foreach(source IN LISTS bench_sources)
  get_filename_component(name ${source} NAME_WE)
  if(name MATCHES "^module_(.*)$")
    argent_module(bench_${CMAKE_MATCH_1} bench SOURCES ${source} LIBS ${clients})
    set_target_properties(argent_module_bench_${CMAKE_MATCH_1} PROPERTIES OUTPUT_NAME ${CMAKE_MATCH_1})
  else()
    add_executable(bench_${name} ${source})
    target_link_libraries(bench_${name} PRIVATE ${drivers} argent_core ${clients})
    set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name}
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
  endif()
endforeach()
