# Simulated devices from variant files. Adding a variant is adding configs/variants/<name>.yaml: nothing here names one.
#
#   bittern_read_variant(file prefix)            <prefix>_{NAME,CORE,CHECKS,PARAMETERS} from the YAML
#   bittern_verilated_library(target ...)        a static library from one Verilog top
#   bittern_variant_libraries(file)              bittern_variant_<name>: the SystemC testbench of a variant,
#                                                bittern_bare_<name>: the same sim_top without SystemC (bench)

include(BitternVerilator)
find_library(BITTERN_SYSTEMC_LIBRARY systemc REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
bittern_verilator_libraries(BITTERN_VERILATOR_LIBRARIES)
set(BITTERN_VERILATOR_INCLUDE ${VERILATOR_ROOT}/include)

# Results are wrong without -fno-const-bit-op-tree (see docs/rtl.md); the others are for speed.
set(BITTERN_VERILATOR_FLAGS -O3 --x-assign fast --x-initial fast -fno-const-bit-op-tree --unroll-count 300 -Wall)
# Of the generated C++, in every build type: without optimisation it is six times slower. Sanitizers watch our code, not this.
set(BITTERN_MODEL_CXX_FLAGS -O3 -march=${BITTERN_SIM_ARCH} -w -fno-sanitize=all -include ${PROJECT_SOURCE_DIR}/rtl/common/verilator_countones.h)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Wide signals are copied and cleared in every cycle, some hundred bytes at a time; "rep movs" takes some 30 cycles to begin.
  # bitfusion_cloud is a quarter faster without.
  list(APPEND BITTERN_MODEL_CXX_FLAGS -mmemcpy-strategy=vector_loop:-1:noalign -mmemset-strategy=vector_loop:-1:noalign)
endif()
execute_process(COMMAND ${VERILATOR_BIN} --version OUTPUT_VARIABLE BITTERN_VERILATOR_VERSION
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

# The runtime of Verilator, once for all models. Everything is compiled with VM_SC=1, models without SystemC too, so that
# both kinds can be in one executable.
add_library(bittern_verilator_runtime STATIC
  ${BITTERN_VERILATOR_INCLUDE}/verilated.cpp ${BITTERN_VERILATOR_INCLUDE}/verilated_dpi.cpp
  ${BITTERN_VERILATOR_INCLUDE}/verilated_fst_c.cpp ${BITTERN_VERILATOR_INCLUDE}/verilated_threads.cpp
  ${PROJECT_SOURCE_DIR}/sim/verilator_hooks.cpp)
target_include_directories(bittern_verilator_runtime
  SYSTEM PUBLIC ${BITTERN_VERILATOR_INCLUDE} ${BITTERN_VERILATOR_INCLUDE}/vltstd
  PRIVATE ${PROJECT_SOURCE_DIR})
target_compile_definitions(bittern_verilator_runtime
  PUBLIC VM_SC=1 VM_TRACE=1 VM_TRACE_FST=1 VM_TRACE_VCD=0 VM_COVERAGE=0 VL_USER_STOP VL_USER_FATAL)
target_compile_options(bittern_verilator_runtime PRIVATE -O2 -w -fno-sanitize=all)
target_link_libraries(bittern_verilator_runtime
  PUBLIC ${BITTERN_SYSTEMC_LIBRARY} ${BITTERN_VERILATOR_LIBRARIES} Threads::Threads PRIVATE bittern_host_base)

# bittern_read_variant(file prefix)
#   <prefix>_NAME, <prefix>_CORE, <prefix>_CHECKS (0/1), <prefix>_PARAMETERS (list of Name=value from `rtl:`)
function(bittern_read_variant file prefix)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  set(script ${PROJECT_SOURCE_DIR}/scripts/variant_file.py)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
  execute_process(COMMAND ${Python3_EXECUTABLE} ${script} ${file} --cmake
                  OUTPUT_VARIABLE parameters ERROR_VARIABLE fault RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${fault}")
  endif()
  list(POP_FRONT parameters name core checks)
  if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    set(checks 1)
  endif()
  set(${prefix}_NAME ${name} PARENT_SCOPE)
  set(${prefix}_CORE ${core} PARENT_SCOPE)
  set(${prefix}_CHECKS ${checks} PARENT_SCOPE)
  set(${prefix}_PARAMETERS ${parameters} PARENT_SCOPE)
endfunction()

# bittern_core_sources(out core [folder of the core])   packages first, as the tools want them
function(bittern_core_sources out core)
  set(folder ${PROJECT_SOURCE_DIR}/rtl/${core})
  if(ARGC GREATER 2)
    set(folder ${ARGV2})
  endif()
  set(rtl ${PROJECT_SOURCE_DIR}/rtl)
  file(GLOB packages CONFIGURE_DEPENDS ${rtl}/common/*_pkg.sv ${rtl}/shell/*_pkg.sv ${folder}/*_pkg.sv)
  file(GLOB modules CONFIGURE_DEPENDS ${rtl}/common/*.sv ${rtl}/shell/*.sv ${folder}/*.sv)
  if(packages)
    list(REMOVE_ITEM modules ${packages})
  endif()
  set(${out} ${packages} ${modules} PARENT_SCOPE)
endfunction()

# bittern_verilated_library(target MODE sc|cc PREFIX Vname TOP module SOURCES ... [FLAGS ...])
# Verilator runs when the library is built. Its output, whose file names are not known before, is compiled as two files:
# what runs in every cycle, and the rest (constructors, initial values, trace declarations), which is not optimised.
function(bittern_verilated_library target)
  cmake_parse_arguments(ARG "" "MODE;PREFIX;TOP" "SOURCES;FLAGS" ${ARGN})
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}.dir)
  set(outputs ${folder}/${ARG_PREFIX}.h ${folder}/fast.cpp ${folder}/slow.cpp)
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND ${CMAKE_COMMAND} -DVERILATOR=${VERILATOR_BIN} -DVERILATOR_ROOT=${VERILATOR_ROOT} -DFOLDER=${folder}
            -DPREFIX=${ARG_PREFIX}
            "-DARGUMENTS=--${ARG_MODE};--prefix;${ARG_PREFIX};--top-module;${ARG_TOP};${BITTERN_VERILATOR_FLAGS};${ARG_FLAGS};${PROJECT_SOURCE_DIR}/rtl/lint.vlt;${ARG_SOURCES}"
            -P ${PROJECT_SOURCE_DIR}/cmake/RunVerilator.cmake
    DEPENDS ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/rtl/lint.vlt ${PROJECT_SOURCE_DIR}/cmake/RunVerilator.cmake
    COMMENT "Verilator --${ARG_MODE}: ${target}"
    VERBATIM)
  add_library(${target} STATIC ${outputs})
  target_include_directories(${target} PUBLIC ${folder})
  target_link_libraries(${target} PUBLIC bittern_sim_memory bittern_verilator_runtime)
  # After CMAKE_CXX_FLAGS_<CONFIG>, so these win in every build type.
  set_source_files_properties(${folder}/fast.cpp PROPERTIES COMPILE_OPTIONS "${BITTERN_MODEL_CXX_FLAGS}")
  set_source_files_properties(${folder}/slow.cpp PROPERTIES COMPILE_OPTIONS "-O1;-w;-fno-sanitize=all")
endfunction()

# bittern_source_digests(out files...)
# "path digest" of every file, sorted; the digest does not change with comments and white space (scripts/source_digest.py).
function(bittern_source_digests out)
  set(script ${PROJECT_SOURCE_DIR}/scripts/source_digest.py)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARGN} ${script})
  # Each file is read once, however many variants use it.
  set(unread)
  foreach(file IN LISTS ARGN)
    get_property(known GLOBAL PROPERTY "bittern_digest_${file}" SET)
    if(NOT known)
      list(APPEND unread ${file})
    endif()
  endforeach()
  if(unread)
    execute_process(COMMAND ${Python3_EXECUTABLE} ${script} ${unread} OUTPUT_VARIABLE lines
                    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    string(REPLACE "\n" ";" lines "${lines}")
    foreach(line IN LISTS lines)
      if(NOT line MATCHES "^([0-9a-f]+)  (.+)$")
        message(FATAL_ERROR "${script} printed '${line}', expected a digest and a file")
      endif()
      set_property(GLOBAL PROPERTY "bittern_digest_${CMAKE_MATCH_2}" ${CMAKE_MATCH_1})
    endforeach()
  endif()
  set(named)
  foreach(file IN LISTS ARGN)
    get_property(digest GLOBAL PROPERTY "bittern_digest_${file}")
    file(RELATIVE_PATH relative ${PROJECT_SOURCE_DIR} ${file})
    list(APPEND named "${relative} ${digest}")
  endforeach()
  list(SORT named)
  set(${out} ${named} PARENT_SCOPE)
endfunction()

# bittern_sim_top(file prefix [folder of the core])
# Writes sim_top.sv of a variant, and sets
#   <prefix>_SIM_SOURCES   all Verilog files, <prefix>_FLAGS  extra Verilator flags, BITTERN_* for sim/variant.cpp.in
macro(bittern_sim_top file prefix)
  bittern_read_variant(${file} ${prefix})
  bittern_core_sources(${prefix}_SOURCES ${${prefix}_CORE} ${ARGN})
  file(GLOB ${prefix}_TESTBENCH CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sim/rtl/*.sv)
  set(${prefix}_FLAGS --trace-fst)
  if(${prefix}_CHECKS)
    list(APPEND ${prefix}_FLAGS --assert)
  endif()

  # The hash covers everything that decides cycles and results: RTL, testbench with its memory model, parameters, tool, flags.
  # Of sources their tokens count: comments and white space do not make measurements stale.
  set(_files ${${prefix}_SOURCES} ${${prefix}_TESTBENCH} ${PROJECT_SOURCE_DIR}/sim/rtl/sim_top.sv.in
      ${PROJECT_SOURCE_DIR}/rtl/common/verilator_countones.h ${PROJECT_SOURCE_DIR}/sim/port_memory.h
      ${PROJECT_SOURCE_DIR}/sim/port_memory.cpp ${PROJECT_SOURCE_DIR}/sim/dpi.cpp)
  bittern_source_digests(_named ${_files})
  string(SHA256 BITTERN_HASH "${_named}|${${prefix}_CORE}|${${prefix}_PARAMETERS}|${${prefix}_CHECKS}|${BITTERN_VERILATOR_VERSION}|${BITTERN_VERILATOR_FLAGS}|${${prefix}_FLAGS}")
  string(SUBSTRING ${BITTERN_HASH} 0 16 BITTERN_HASH64)

  set(BITTERN_VARIANT ${${prefix}_NAME})
  set(BITTERN_CORE ${${prefix}_CORE})
  set(BITTERN_AXI_CHECKS ${${prefix}_CHECKS})
  string(REPLACE ";" " " BITTERN_VERILATOR "${BITTERN_VERILATOR_VERSION}, ${BITTERN_VERILATOR_FLAGS} ${${prefix}_FLAGS}")
  set(BITTERN_PARAMETERS)
  set(BITTERN_PARAMETER_MAP)
  foreach(_parameter IN LISTS ${prefix}_PARAMETERS)
    string(REGEX MATCH "^([^=]+)=(.*)$" _match ${_parameter})
    set(BITTERN_${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
    string(APPEND BITTERN_PARAMETERS "    .${CMAKE_MATCH_1}(${CMAKE_MATCH_2}),\n")
    string(APPEND BITTERN_PARAMETER_MAP "{\"${CMAKE_MATCH_1}\", ${CMAKE_MATCH_2}}, ")
  endforeach()
  string(REGEX REPLACE "\n$" "" BITTERN_PARAMETERS "${BITTERN_PARAMETERS}")
  set(_folder ${CMAKE_CURRENT_BINARY_DIR}/${${prefix}_NAME})
  configure_file(${PROJECT_SOURCE_DIR}/sim/rtl/sim_top.sv.in ${_folder}/sim_top.sv @ONLY)
  configure_file(${PROJECT_SOURCE_DIR}/sim/variant.cpp.in ${_folder}/variant.cpp @ONLY)

  # sim_memory_pkg before its users, packages of the core before its modules.
  set(${prefix}_PACKAGES ${PROJECT_SOURCE_DIR}/sim/rtl/sim_memory_pkg.sv)
  list(REMOVE_ITEM ${prefix}_TESTBENCH ${${prefix}_PACKAGES})
  set(${prefix}_SIM_SOURCES ${${prefix}_PACKAGES} ${${prefix}_SOURCES} ${${prefix}_TESTBENCH} ${_folder}/sim_top.sv)
endmacro()

# bittern_variant_libraries(file [folder of the core])
function(bittern_variant_libraries file)
  bittern_sim_top(${file} V ${ARGN})
  bittern_verilated_library(bittern_verilated_${V_NAME} MODE sc PREFIX V${V_NAME} TOP sim_top
                            SOURCES ${V_SIM_SOURCES} FLAGS ${V_FLAGS})
  add_library(bittern_variant_${V_NAME} STATIC ${CMAKE_CURRENT_BINARY_DIR}/${V_NAME}/variant.cpp)
  target_link_libraries(bittern_variant_${V_NAME} PUBLIC bittern_sim bittern_verilated_${V_NAME})
  set_source_files_properties(${CMAKE_CURRENT_BINARY_DIR}/${V_NAME}/variant.cpp PROPERTIES COMPILE_OPTIONS
                              "-O2;-march=${BITTERN_SIM_ARCH}")
  # For the benchmark: the same Verilog without SystemC and without tracing.
  list(REMOVE_ITEM V_FLAGS --trace-fst)
  bittern_verilated_library(bittern_bare_${V_NAME} MODE cc PREFIX B${V_NAME} TOP sim_top
                            SOURCES ${V_SIM_SOURCES} FLAGS ${V_FLAGS})
  set_target_properties(bittern_bare_${V_NAME} PROPERTIES EXCLUDE_FROM_ALL TRUE)
endfunction()
