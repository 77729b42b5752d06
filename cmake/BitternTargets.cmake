# Targets by convention: a room is a folder, its library takes every .cpp in it, its test every _test.cpp of the mirrored
# folder under tests/, folders within them too. Nothing but the dependency arrows is written down.

# Of tests: compiling them takes longer than what they compute. After the flags of the build type, so it wins.
set(BITTERN_TEST_OPTIMISATION $<$<NOT:$<CONFIG:Debug>>:-O1>)

# bittern_precompiled_headers(library LIBS fmt::fmt OPTIONS -O1 HEADERS <vector>)   headers compiled once, with these options
# bittern_reuse_headers(library target...)                                         gives them to every source of the targets
# Up to two fifths of the time of a file. Sources include what they need as if there were none; clang-tidy reads them
# without. GCC refuses headers that were made with other warnings or another optimisation, so each kind of target has its own.
function(bittern_precompiled_headers library)
  cmake_parse_arguments(ARG "" "" "LIBS;OPTIONS;HEADERS" ${ARGN})
  add_library(${library} STATIC ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
  target_link_libraries(${library} PUBLIC ${ARG_LIBS} fmt::fmt nlohmann_json::nlohmann_json Threads::Threads
                        PRIVATE bittern_warnings)
  target_compile_options(${library} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess> ${ARG_OPTIONS})
  target_precompile_headers(${library} PRIVATE
    <algorithm> <array> <chrono> <cmath> <cstdint> <filesystem> <fstream> <functional> <map> <memory> <optional> <random> <set>
    <sstream> <string> <string_view> <thread> <utility> <vector> <fmt/format.h> <nlohmann/json.hpp> ${ARG_HEADERS})
endfunction()
function(bittern_reuse_headers library)
  foreach(target ${ARGN})
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
    target_precompile_headers(${target} REUSE_FROM ${library})
  endforeach()
endfunction()
bittern_precompiled_headers(bittern_host_headers)
if(BUILD_TESTING)
  bittern_precompiled_headers(bittern_test_headers LIBS GTest::gmock GTest::gtest OPTIONS ${BITTERN_TEST_OPTIMISATION}
                              HEADERS <gmock/gmock.h> <gtest/gtest.h>)
endif()

# bittern_room(host/network DEPS host/base LIBS yaml-cpp)
#   library   bittern_host_network   from host/network/*.cpp
#   test      host_network_test      from tests/host/network/*_test.cpp (when there are any)
function(bittern_room room)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS;TEST_DEPS;TEST_LIBS" ${ARGN})
  string(REPLACE "/" "_" id ${room})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${room}/*.cpp)
  set(deps)
  foreach(dep ${ARG_DEPS})
    string(REPLACE "/" "_" dep_id ${dep})
    list(APPEND deps bittern_${dep_id})
  endforeach()
  if(sources)
    add_library(bittern_${id} STATIC ${sources})
    target_include_directories(bittern_${id} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(bittern_${id} PUBLIC ${deps} ${ARG_LIBS} PRIVATE bittern_warnings)
    set_property(GLOBAL APPEND PROPERTY BITTERN_ROOMS ${room})  # those that have a library of code
    if(room MATCHES "^host/")  # agent/ has LibTorch's
      bittern_reuse_headers(bittern_host_headers bittern_${id})
    endif()
  else()
    add_library(bittern_${id} INTERFACE)
    target_include_directories(bittern_${id} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(bittern_${id} INTERFACE ${deps} ${ARG_LIBS})
  endif()

  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${room}/*_test.cpp)
  if(tests AND BUILD_TESTING)
    set(test_deps)
    foreach(dep ${ARG_TEST_DEPS})
      string(REPLACE "/" "_" dep_id ${dep})
      list(APPEND test_deps bittern_${dep_id})
    endforeach()
    add_executable(${id}_test ${tests})
    target_link_libraries(${id}_test PRIVATE bittern_${id} ${test_deps} ${ARG_TEST_LIBS} bittern_warnings
                          GTest::gmock GTest::gtest GTest::gtest_main)
    target_compile_options(${id}_test PRIVATE ${BITTERN_TEST_OPTIMISATION})
    if(BITTERN_SANITIZE STREQUAL "thread")
      target_sources(${id}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests/log_before_threads.cpp)
    endif()
    if(room MATCHES "^host/")
      bittern_reuse_headers(bittern_test_headers ${id}_test)
    endif()
    target_compile_definitions(${id}_test PRIVATE BITTERN_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                               BITTERN_BINARY_DIR="${PROJECT_BINARY_DIR}")
    gtest_discover_tests(${id}_test TEST_PREFIX "${room}/" DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
  endif()
endfunction()
