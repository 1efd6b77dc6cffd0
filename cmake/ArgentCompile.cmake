# How every C file is compiled: the interface target argent_flags.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Debug RelWithDebInfo Release" FORCE)
endif()
# RelWithDebInfo is what developers and CI run: optimised, with asserts. Release is what benchmarks and rocks use.
set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")

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
target_compile_options(argent_flags INTERFACE
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
