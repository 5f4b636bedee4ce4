# Refuses a compiler that miscompiles coroutines. g++ 12, the default of Debian 12, does so without
# a warning: bodies that never run, temporaries that are destroyed twice. The shapes in cmake/probe/
# are compiled and run at the optimisation levels that the project is built with.
#
# A good compiler costs two small programs, once a build directory: the verdict is cached under the
# compiler's path and version, the sanitizers and the shapes' own text. Only when one of the two
# fails is each shape tried alone, so that the message can name it. The engine's package carries
# this file and the shapes along: its headers are coroutines, and a consumer's compiler must not be
# worse than ours.

set(probe_dir "${CMAKE_CURRENT_LIST_DIR}/probe")
# Below -O2 no compiler promises the tail call that symmetric transfer needs, and neither do the
# sanitizers: that one shape is asked of plain -O2 only.
set(probe_shapes awaited_condition temporaries initializer_list aligned_local)
set(probe_shapes_O2 symmetric_transfer)

set(probe_flags "")
if(URING_SANITIZE)
  set(probe_flags ${URING_SANITIZE_FLAGS})
  set(probe_shapes_O2 "")
endif()

# Compiles main.cpp with the named shapes at one level and runs them; `verdict` becomes empty when
# all hold, otherwise one line that says what happened.
function(uring_probe verdict level)
  set(sources "${probe_dir}/main.cpp")
  foreach(shape IN LISTS ARGN)
    list(APPEND sources "${probe_dir}/${shape}.cpp")
  endforeach()
  try_run(exit_code compiled SOURCES ${sources} NO_CACHE
    COMPILE_DEFINITIONS ${level} ${probe_flags}
    LINK_OPTIONS ${probe_flags}
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    COMPILE_OUTPUT_VARIABLE errors
    RUN_OUTPUT_VARIABLE output)
  if(NOT compiled)
    string(REGEX MATCH "error: [^\n]*" said "${errors}")
    set(${verdict} "does not compile (${said})" PARENT_SCOPE)
  elseif(NOT exit_code EQUAL 0)
    string(REGEX MATCH "^[^\n]*" said "${output}")
    if(NOT exit_code EQUAL 1)
      set(said "the program crashed")
    endif()
    set(${verdict} "${said}" PARENT_SCOPE)
  else()
    set(${verdict} "" PARENT_SCOPE)
  endif()
endfunction()

# `problem` becomes empty for a compiler that holds, otherwise the message that refuses it.
function(uring_probe_coroutines problem)
  set(${problem} "" PARENT_SCOPE)
  set(identity "${CMAKE_CXX_COMPILER} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_CXX_FLAGS}")
  string(APPEND identity " ${probe_flags}")
  file(GLOB texts "${probe_dir}/*")
  foreach(text IN LISTS texts)
    file(SHA256 "${text}" hash)
    string(APPEND identity " ${hash}")
  endforeach()
  string(SHA256 identity "${identity}")
  if(URING_COROUTINES_PROBED STREQUAL identity)
    return()
  endif()
  if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
    message(WARNING "Cross-compiling: the coroutine probe can't run its programs and is left out.")
    return()
  endif()

  set(compiler "${CMAKE_CXX_COMPILER} (${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION})")
  message(CHECK_START "Does ${compiler} compile coroutines correctly")
  set(suspect FALSE)
  foreach(level IN ITEMS O0 O2)
    uring_probe(verdict -${level} ${probe_shapes} ${probe_shapes_${level}})
    if(verdict)
      set(suspect TRUE)
    endif()
  endforeach()
  if(NOT suspect)
    message(CHECK_PASS "yes")
    if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14) OR
       (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16))
      message(WARNING "${compiler} passes the probe but is older than what the project is tested "
                      "with (clang >= 16 or g++ >= 14).")
    endif()
    set(URING_COROUTINES_PROBED "${identity}" CACHE INTERNAL "compiler that passed the probe")
    return()
  endif()

  message(CHECK_FAIL "no")
  set(wrong "")
  foreach(level IN ITEMS O0 O2)
    foreach(shape IN LISTS probe_shapes probe_shapes_${level})
      uring_probe(verdict -${level} ${shape})
      if(verdict)
        string(APPEND wrong "\n  ${shape}, -${level}: ${verdict}")
      endif()
    endforeach()
  endforeach()
  if(NOT wrong)
    set(wrong "\n  all shapes in one program, though each one alone passes")
  endif()
  set(${problem}
    "${compiler} gets these coroutine shapes of ${probe_dir} wrong:${wrong}\nUse clang >= 16 or \
g++ >= 14 (on Debian: the package clang-19); then configure a new build directory with \
-DCMAKE_CXX_COMPILER=clang++-19 (or unset CXX)." PARENT_SCOPE)
endfunction()
