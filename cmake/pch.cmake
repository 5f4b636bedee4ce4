# Precompiled headers save a third of the time to compile everything; scripts/build turns them on.
# With them a file that leans on another's includes compiles, too: clang-tidy, which reads what a
# reader sees, finds it.
option(URING_PCH "Precompile the headers that most files include" OFF)

# uring_precompile(TARGET HEADER...) precompiles these headers for the target.
function(uring_precompile target)
  if(NOT URING_PCH)
    return()
  endif()
  target_precompile_headers(${target} PRIVATE ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Templates that the headers use are instantiated once; without a time in it, the precompiled
    # header is the same file each time, as ccache needs it.
    target_compile_options(${target} PRIVATE -fpch-instantiate-templates
                           "SHELL:-Xclang -fno-pch-timestamp")
  endif()
endfunction()
