# What cmake --install puts where, in two components. `engine` is the library for C++ programs:
# uring-scenario with the schemas of its scenarios and reports, the conformance corpus, its
# documentation and its examples. Everything is relative to the prefix and may be moved afterwards.
include(CMakePackageConfigHelpers)

# --- The engine ----------------------------------------------------------------------------------
set(engine_include "${CMAKE_INSTALL_INCLUDEDIR}/uring")
set(engine_package "${CMAKE_INSTALL_LIBDIR}/cmake/uring_engine")

target_compile_features(uring_engine PUBLIC cxx_std_20)
target_include_directories(uring_engine PUBLIC "$<INSTALL_INTERFACE:${engine_include}>")
set_target_properties(uring_engine PROPERTIES EXPORT_NAME engine)
install(TARGETS uring_engine EXPORT uring_engine_targets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT engine)
# The rows of the op table and the probes' thread are compiled into the library.
install(DIRECTORY engine/ DESTINATION "${engine_include}/engine" COMPONENT engine
        FILES_MATCHING PATTERN "*.hpp" PATTERN "op_row*.hpp" EXCLUDE
        PATTERN "own_thread.hpp" EXCLUDE)
install(EXPORT uring_engine_targets NAMESPACE uring:: FILE uring_engine-targets.cmake
        DESTINATION "${engine_package}" COMPONENT engine)

configure_package_config_file(cmake/uring_engine-config.cmake.in uring_engine-config.cmake
                              INSTALL_DESTINATION "${engine_package}")
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/uring_engine-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/uring_engine-config.cmake"
              "${PROJECT_BINARY_DIR}/uring_engine-config-version.cmake"
              cmake/coroutine_probe.cmake
        DESTINATION "${engine_package}" COMPONENT engine)
install(DIRECTORY cmake/probe DESTINATION "${engine_package}" COMPONENT engine)

# The file finds its prefix from where it lies, so the way up depends on how deep libdir is.
file(RELATIVE_PATH engine_pc_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(cmake/uring_engine.pc.in uring_engine.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/uring_engine.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT engine)

# --- The program ---------------------------------------------------------------------------------
set(program_docs "${CMAKE_INSTALL_DATAROOTDIR}/doc/uring-scenario")
install(TARGETS uring-scenario RUNTIME COMPONENT program)
install(DIRECTORY schema DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/uring-scenario"
        COMPONENT program)
# What scenarios include: "/usr/local/share/uring-scenario/packs/http.json".
install(DIRECTORY packs DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/uring-scenario"
        COMPONENT program PATTERN "tests" EXCLUDE)
# What `conformance` runs.
install(DIRECTORY tests/conformance DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/uring-scenario"
        COMPONENT program FILES_MATCHING PATTERN "*.scenario.json")
install(FILES README.md CHANGELOG.md LICENSE DESTINATION "${program_docs}" COMPONENT program)
install(DIRECTORY docs examples DESTINATION "${program_docs}" COMPONENT program
        PATTERN "Doxyfile" EXCLUDE PATTERN "doxygen_filter" EXCLUDE)
