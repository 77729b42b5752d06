# What `cmake --install <build> --prefix <prefix>` puts where. Nothing of it names the source tree or the build folder: programs
# find each other and their files from the place they lie in.
#
#   bin/                      bittern, bittern-agent, bittern-device-<variant>
#   share/bittern/configs/    variants, networks, energy tables, policies, recipes, campaigns and what they name
#   share/doc/bittern/        README, licence, docs, examples
#   share/man/man1/           manual pages; completion for bash, zsh and fish where these look for it
#   include/bittern/          the header of the library
#   lib/libbittern.a, lib/cmake/bittern/    the library and its CMake package: find_package(bittern), bittern::bittern
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# LibTorch may lie in a folder of its own.
set(programs bittern)
if(BITTERN_AGENT)
  list(APPEND programs bittern-agent)
endif()
foreach(variant IN LISTS BITTERN_BUILT_VARIANTS)
  list(APPEND programs bittern-device-${variant})
endforeach()
set_target_properties(${programs} PROPERTIES INSTALL_RPATH_USE_LINK_PATH TRUE)
install(TARGETS ${programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DATADIR}/bittern)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)

# Manual pages and completion, written by the program itself when it is installed.
set(written ${PROJECT_BINARY_DIR}/written)
install(CODE "
  file(REMOVE_RECURSE \"${written}\")
  file(MAKE_DIRECTORY \"${written}\")
  execute_process(COMMAND \"$<TARGET_FILE:bittern>\" man --out \"${written}/man1\" OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  foreach(pair bash=bittern zsh=_bittern fish=bittern.fish)
    string(REPLACE \"=\" \";\" pair \"\${pair}\")
    list(GET pair 0 shell)
    list(GET pair 1 name)
    execute_process(COMMAND \"$<TARGET_FILE:bittern>\" completion \${shell} OUTPUT_FILE \"${written}/\${name}\"
                    COMMAND_ERROR_IS_FATAL ANY)
  endforeach()")
install(DIRECTORY ${written}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${written}/bittern DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${written}/_bittern DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${written}/bittern.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# The library: all rooms of the host in one archive, so that its users link one thing. LibTorch and SystemC have no part in it.
get_property(rooms GLOBAL PROPERTY BITTERN_ROOMS)
list(FILTER rooms INCLUDE REGEX "^host/")
set(objects $<TARGET_OBJECTS:bittern_revision> $<TARGET_OBJECTS:bittern_planner_hash>)  # which are no rooms
foreach(room IN LISTS rooms)
  string(REPLACE "/" "_" id ${room})
  list(APPEND objects $<TARGET_OBJECTS:bittern_${id}>)
endforeach()
add_library(bittern_library STATIC ${objects})
set_target_properties(bittern_library PROPERTIES OUTPUT_NAME bittern EXPORT_NAME bittern LINKER_LANGUAGE CXX)
# What scripts/run.sh has built can be installed.
add_dependencies(programs bittern_library)
target_compile_features(bittern_library INTERFACE cxx_std_17)
target_include_directories(bittern_library INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(bittern_library INTERFACE fmt::fmt spdlog::spdlog yaml-cpp SQLite::SQLite3 Boost::filesystem Threads::Threads
                      onnx onnx_proto protobuf)
install(TARGETS bittern_library EXPORT bitternTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/bittern DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/bittern)
install(EXPORT bitternTargets NAMESPACE bittern:: DESTINATION ${package})
set(home ${CMAKE_INSTALL_DATADIR}/bittern)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/bitternConfig.cmake.in ${PROJECT_BINARY_DIR}/bitternConfig.cmake
                              INSTALL_DESTINATION ${package} PATH_VARS home CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/bitternConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/bitternConfig.cmake ${PROJECT_BINARY_DIR}/bitternConfigVersion.cmake DESTINATION ${package})
