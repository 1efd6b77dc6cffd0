# What becomes a test of ctest. Everything is found by name, so that a new file needs no line here:
#
#   c:<name>            csrc/test/test_<name>.c, a cmocka program linked with the core and both drivers
#   fuzz:<name>         csrc/fuzz/fuzz_<name>.c run over csrc/fuzz/corpus/<name>/*
#   spec:<db>:<path>    spec/**/*_spec.lua; suite engine orm binding once per database, the rest once ("any")
#   example:<name>      examples/*.lua
#   snippets:<path>     the Lua blocks of README.md and docs/**.md
#   lint:<check>        the checks of script/lint
#   rock:install        luarocks make into a temporary folder
#
# A test that needs a PostgreSQL server exits 77 without ARGENT_PG_URL, which ctest reports as skipped. Labels: c fuzz
# spec example snippets lint rock, the database, and full for what script/check leaves to script/test.

set(ARGENT_SCRIPT ${CMAKE_SOURCE_DIR}/script)

function(argent_test name)
  cmake_parse_arguments(PARSE_ARGV 1 A "" "TIMEOUT" "COMMAND;LABELS;ENV")
  add_test(NAME ${name} COMMAND ${A_COMMAND} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${A_LABELS}" TIMEOUT ${A_TIMEOUT} SKIP_RETURN_CODE 77
    ENVIRONMENT "ARGENT_BUILD=${CMAKE_BINARY_DIR};${A_ENV}")
endfunction()

# ── C ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

find_path(CMOCKA_INCLUDE_DIR cmocka.h)
find_library(CMOCKA_LIBRARY cmocka)
file(GLOB c_tests CONFIGURE_DEPENDS csrc/test/test_*.c)
file(GLOB c_test_helpers CONFIGURE_DEPENDS csrc/test/*.c)
list(REMOVE_ITEM c_test_helpers ${c_tests} "")

# What specs need of the system and Lua has not: a module each, argent_test.<name>.
file(GLOB lua_test_modules CONFIGURE_DEPENDS csrc/test/lua/*.c)
foreach(file IN LISTS lua_test_modules)
  get_filename_component(name ${file} NAME_WE)
  add_library(argent_test_${name} MODULE ${file})
  target_include_directories(argent_test_${name} PRIVATE ${LUA_INCLUDE_DIR})
  target_link_libraries(argent_test_${name} PRIVATE argent_flags)
  set_target_properties(argent_test_${name} PROPERTIES PREFIX "" SUFFIX ".so" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lua/argent_test)
endforeach()

# Both driver libraries, as far as they are built. ARGENT_WITH_<DRIVER> tells a test which are there.
add_library(argent_test_flags INTERFACE)
foreach(driver IN ITEMS sqlite postgresql)
  if(TARGET argent_driver_${driver})
    string(TOUPPER ${driver} upper)
    target_link_libraries(argent_test_flags INTERFACE argent_driver_${driver})
    target_compile_definitions(argent_test_flags INTERFACE ARGENT_WITH_${upper}=1)
  endif()
endforeach()
target_link_libraries(argent_test_flags INTERFACE argent_core)
target_compile_definitions(argent_test_flags INTERFACE ARGENT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

if(c_tests AND NOT (CMOCKA_INCLUDE_DIR AND CMOCKA_LIBRARY))
  message(STATUS "C tests are LEFT OUT: cmocka was not found (Debian: libcmocka-dev)")
  set(c_tests "")
endif()
if(c_tests AND c_test_helpers)
  add_library(argent_test_helpers STATIC ${c_test_helpers})
  target_link_libraries(argent_test_helpers PUBLIC argent_test_flags ${CMOCKA_LIBRARY})
endif()
foreach(source IN LISTS c_tests)
  string(REGEX REPLACE ".*/test_(.*)\\.c$" "\\1" name ${source})
  add_executable(test_${name} ${source})
  target_link_libraries(test_${name} PRIVATE $<TARGET_NAME_IF_EXISTS:argent_test_helpers> argent_test_flags
    ${CMOCKA_LIBRARY})
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  if(name MATCHES "^(pq|pg|postgresql)")
    argent_test(c:${name} COMMAND ${ARGENT_SCRIPT}/pg scratch $<TARGET_FILE:test_${name}> LABELS c postgresql)
  else()
    argent_test(c:${name} COMMAND test_${name} LABELS c)
  endif()
endforeach()

# ── fuzz targets ──────────────────────────────────────────────────────────────────────────────────────────────────────

file(GLOB fuzz_targets CONFIGURE_DEPENDS csrc/fuzz/fuzz_*.c)
foreach(source IN LISTS fuzz_targets)
  string(REGEX REPLACE ".*/fuzz_(.*)\\.c$" "\\1" name ${source})
  set(corpus ${CMAKE_SOURCE_DIR}/csrc/fuzz/corpus/${name})
  add_executable(fuzz_${name}_replay ${source} ${CMAKE_SOURCE_DIR}/cmake/fuzz_replay.c)
  target_link_libraries(fuzz_${name}_replay PRIVATE argent_test_flags)
  set_target_properties(fuzz_${name}_replay PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  argent_test(fuzz:${name} COMMAND fuzz_${name}_replay ${corpus} LABELS fuzz)
  if(ARGENT_FUZZ)
    add_executable(fuzz_${name} ${source})
    target_link_libraries(fuzz_${name} PRIVATE argent_test_flags)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  endif()
endforeach()

# ── specs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

set(ARGENT_SPEC_DATABASES sqlite-memory sqlite-file postgresql)
set(ARGENT_SPEC_PER_DATABASE suite engine orm binding)
file(GLOB_RECURSE specs CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/spec spec/*_spec.lua)
# Specs, examples and snippets need the package itself; without it there is nothing to say.
file(GLOB package CONFIGURE_DEPENDS lua/argent/init.lua)
if(NOT (package AND TARGET argent_module_core))
  message(STATUS "specs, examples and snippets are LEFT OUT: there is no lua/argent/init.lua or no csrc/binding yet")
  set(package "")
  set(specs "")
endif()
# What specs need in C: spec/support/<name>.c is the Lua module argent_test_<name>, beside the product's in build/lua.
file(GLOB support CONFIGURE_DEPENDS spec/support/lua_*.c)
foreach(source IN LISTS support)
  string(REGEX REPLACE ".*/lua_(.*)\\.c$" "argent_test_\\1" name ${source})
  add_library(${name} MODULE ${source})
  target_include_directories(${name} PRIVATE ${LUA_INCLUDE_DIR})
  target_link_libraries(${name} PRIVATE argent_flags)
  target_link_options(${name} PRIVATE -Wl,-z,nodelete ${ARGENT_MODULE_LINK_OPTIONS})
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".so" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lua)
endforeach()
foreach(spec IN LISTS specs)
  string(REGEX REPLACE "_spec\\.lua$" "" name ${spec})
  string(REGEX REPLACE "/.*" "" dir ${spec})
  if(dir IN_LIST ARGENT_SPEC_PER_DATABASE)
    set(databases ${ARGENT_SPEC_DATABASES})
  else()
    set(databases any)
  endif()
  foreach(db IN LISTS databases)
    argent_test(spec:${db}:${name} COMMAND ${ARGENT_SCRIPT}/spec --db ${db} spec/${spec} LABELS spec ${db})
    # A file without a test has tested nothing; one in which all are pending was skipped.
    set_tests_properties(spec:${db}:${name} PROPERTIES
      FAIL_REGULAR_EXPRESSION "[\n ]0 successes / 0 failures / 0 errors / 0 pending"
      SKIP_REGULAR_EXPRESSION "[\n ]0 successes / 0 failures / 0 errors / [1-9][0-9]* pending")
  endforeach()
endforeach()

# ── examples, snippets ────────────────────────────────────────────────────────────────────────────────────────────────

file(GLOB examples CONFIGURE_DEPENDS examples/*.lua)
if(NOT package)
  set(examples "")
endif()
foreach(example IN LISTS examples)
  get_filename_component(name ${example} NAME_WE)
  argent_test(example:${name} COMMAND ${ARGENT_SCRIPT}/example ${example} LABELS example)
endforeach()

file(GLOB_RECURSE documents CONFIGURE_DEPENDS docs/*.md)
if(EXISTS ${CMAKE_SOURCE_DIR}/README.md)
  list(PREPEND documents ${CMAKE_SOURCE_DIR}/README.md)
endif()
if(NOT package)
  set(documents "")
endif()
foreach(document IN LISTS documents)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${document})
  file(STRINGS ${document} blocks REGEX "^```lua")
  if(blocks)
    file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR} ${document})
    argent_test(snippets:${name} COMMAND ${ARGENT_SCRIPT}/lua ${ARGENT_SCRIPT}/snippets.lua ${document} LABELS snippets)
  endif()
endforeach()

# ── lint ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

foreach(check IN ITEMS layers symbols)
  argent_test(lint:${check} COMMAND ${ARGENT_SCRIPT}/lint ${check} LABELS lint)
endforeach()
foreach(check IN ITEMS length annotations types paths format luacheck shell clang)
  argent_test(lint:${check} COMMAND ${ARGENT_SCRIPT}/lint ${check} LABELS lint full)
endforeach()

# Every header compiles by itself.
file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/csrc csrc/*/*.h)
list(FILTER headers EXCLUDE REGEX "^(test|fuzz)/|^driver/(pq|sqlite3)")
set(header_units "")
foreach(header IN LISTS headers)
  string(REPLACE "/" "_" unit ${header})
  set(unit ${CMAKE_BINARY_DIR}/headers/${unit}.c)
  file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${header}\"\nextern int argent_empty;\n")
  list(APPEND header_units ${unit})
  if(header MATCHES "^binding/")
    set_source_files_properties(${unit} PROPERTIES INCLUDE_DIRECTORIES ${LUA_INCLUDE_DIR})
  endif()
endforeach()
if(header_units)
  add_library(argent_headers OBJECT ${header_units})
  target_link_libraries(argent_headers PRIVATE argent_flags)
endif()

# ── the rock ──────────────────────────────────────────────────────────────────────────────────────────────────────────

if(package)
  argent_test(rock:install COMMAND ${ARGENT_SCRIPT}/rock LABELS rock full TIMEOUT 600)
endif()
