# How every C file is compiled: the interface target argent_flags.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Debug RelWithDebInfo Release" FORCE)
endif()
# RelWithDebInfo is what developers and CI run: optimised, with asserts. Release is what benchmarks and rocks use.
set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
# Release: a statement's way goes through some two hundred small functions in as many files: together they are compiled to 6 % fewer instructions.
include(CheckIPOSupported)
check_ipo_supported(RESULT ipo OUTPUT why LANGUAGES C)
if(ipo)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION_RELEASE ON)
endif()

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(argent_flags INTERFACE)
target_include_directories(argent_flags INTERFACE ${CMAKE_SOURCE_DIR}/csrc)
# poll, clock_gettime and POLLRDHUP are hidden by -std=c11 otherwise.
target_compile_definitions(argent_flags INTERFACE _GNU_SOURCE)
# The blocks that layers share (a userdata's header and the core's object in it, a packed row's cells) are seen under more than
# one type; with the whole module optimised at once a compiler would see it, too, and reorder.
target_compile_options(argent_flags INTERFACE -fno-strict-aliasing
  -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla)
if(ARGENT_WERROR AND NOT ARGENT_SANITIZE) # gcc warns falsely of what it instruments
  target_compile_options(argent_flags INTERFACE -Werror)
endif()

if(ARGENT_SANITIZE)
  target_compile_options(argent_flags INTERFACE -fsanitize=${ARGENT_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(argent_flags INTERFACE -fsanitize=${ARGENT_SANITIZE})
  # One malloc per arena item, so that the sanitizer sees overruns between items.
  target_compile_definitions(argent_flags INTERFACE AG_DEBUG_ARENA=1)
  # script/lua preloads the runtime named here: the interpreter itself is not instrumented.
  if(ARGENT_SANITIZE MATCHES "address")
    set(runtime libasan.so)
    if(CMAKE_C_COMPILER_ID MATCHES "Clang")
      set(runtime libclang_rt.asan-${CMAKE_SYSTEM_PROCESSOR}.so)
      set(ARGENT_MODULE_LINK_OPTIONS -shared-libasan)
    endif()
    execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=${runtime} OUTPUT_VARIABLE path
      OUTPUT_STRIP_TRAILING_WHITESPACE)
    file(WRITE ${CMAKE_BINARY_DIR}/preload ${path}\n)
  endif()
endif()

if(ARGENT_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "ARGENT_FUZZ needs clang: configure with -DCMAKE_C_COMPILER=clang")
  endif()
  target_compile_options(argent_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
