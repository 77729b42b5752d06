# Targets by convention: a room is a folder, its library takes every .cpp in it, its test every _test.cpp of the mirrored
# folder under tests/, folders within them too. Nothing but the dependency arrows is written down.

# Of tests: compiling them takes longer than what they compute. After the flags of the build type, so it wins.
set(BITTERN_TEST_OPTIMISATION $<$<NOT:$<CONFIG:Debug>>:-O1>)

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
    target_compile_definitions(${id}_test PRIVATE BITTERN_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                               BITTERN_BINARY_DIR="${PROJECT_BINARY_DIR}")
    gtest_discover_tests(${id}_test TEST_PREFIX "${room}/" DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
  endif()
endfunction()
