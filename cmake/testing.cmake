# How tests are registered. Every test carries its tier as a label: `quick` runs in scripts/test,
# `full` only in scripts/test --full. Exit code 77 means skipped (4 for Catch2's programs).
#
# The optimised build also runs what the sanitised one has built, so that one ctest covers both. Its
# programs are looked for when ctest starts, and shown as disabled when they are not there. A
# sanitised build registers those only.

if(URING_SANITIZE)
  set(URING_SANITIZED_DIR "${PROJECT_BINARY_DIR}")
else()
  set(URING_SANITIZED_DIR "${PROJECT_SOURCE_DIR}/build-asan" CACHE PATH "Sanitised build directory")
endif()

# What turns the addresses in a sanitizer's report into lines: binutils has one.
find_program(URING_SYMBOLIZER NAMES llvm-symbolizer-19 addr2line)

# A command that asks nothing of the build, run from the repository's root.
function(uring_test name tier)
  if(URING_SANITIZE)
    return()
  endif()
  add_test(NAME "${name}" COMMAND ${ARGN} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties("${name}" PROPERTIES LABELS "${tier}" SKIP_RETURN_CODE 77)
endfunction()

# The same for a command that runs the program: @PROGRAM@ in it stands for the program's path, once
# as it is built here and once as it is built with sanitizers. Two tiers are one for each.
function(uring_program_test name tiers)
  list(GET tiers 0 tier)
  string(REPLACE "@PROGRAM@" "$<TARGET_FILE:uring-scenario>" command "${ARGN}")
  uring_test("${name}" ${tier} ${command})
  list(GET tiers -1 tier)
  string(REPLACE "@PROGRAM@" "${URING_SANITIZED_DIR}/uring-scenario" command "${ARGN}")
  uring_sanitized_test("${name}" ${tier} 77 "${URING_SANITIZED_DIR}/uring-scenario" ${command})
endfunction()

# A Catch2 program: one test a case here, of tier full; one or two (tiers) for all cases with
# sanitizers.
function(uring_unit_tests target prefix)
  if(NOT URING_SANITIZE)
    catch_discover_tests(${target} TEST_PREFIX "${prefix}/"
                         WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" PROPERTIES LABELS full)
  endif()
  set(program "${URING_SANITIZED_DIR}/${target}")
  uring_sanitized_test("${prefix}" quick 4 "${program}"
                       "${program}" "~[full]" --allow-running-no-tests)
  uring_sanitized_test("${prefix} (full)" full 4 "${program}"
                       "${program}" "[full]" --allow-running-no-tests)
endfunction()

# Appends one test to the file that ctest reads when it starts. They are the slow ones: COST lets
# them begin first.
function(uring_sanitized_test name tier skip_code program)
  list(JOIN ARGN "]==] [==[" command)
  set(options "print_stacktrace=1")
  if(URING_SYMBOLIZER)
    string(APPEND options ":external_symbolizer_path=${URING_SYMBOLIZER}")
  endif()
  set_property(GLOBAL APPEND_STRING PROPERTY URING_SANITIZED_TESTS "
add_test([==[sanitized/${name}]==] [==[${command}]==])
set_tests_properties([==[sanitized/${name}]==] PROPERTIES
  COST 60 LABELS ${tier} SKIP_RETURN_CODE ${skip_code}
  WORKING_DIRECTORY [==[${PROJECT_SOURCE_DIR}]==]
  ENVIRONMENT \"ASAN_OPTIONS=${options};UBSAN_OPTIONS=${options}\")
if(NOT EXISTS [==[${program}]==])
  set_tests_properties([==[sanitized/${name}]==] PROPERTIES DISABLED TRUE)
endif()
")
endfunction()

# Once, after all tests are registered.
function(uring_write_sanitized_tests)
  get_property(tests GLOBAL PROPERTY URING_SANITIZED_TESTS)
  file(WRITE "${PROJECT_BINARY_DIR}/sanitized_tests.cmake" "${tests}")
  set_property(DIRECTORY APPEND PROPERTY
               TEST_INCLUDE_FILES "${PROJECT_BINARY_DIR}/sanitized_tests.cmake")
endfunction()
