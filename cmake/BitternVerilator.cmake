# What Verilator itself wants linked to a model with FST traces: its writer needs zlib, that of newer versions liblz4 too.
#
#   bittern_verilator_libraries(out)   link options, as the makefiles say that this Verilator writes: -pthread -lz -llz4 ...
#
# The list is asked for, not written down: Verilator turns an empty module into a makefile, and make says what $(LDLIBS) is.
function(bittern_verilator_libraries out)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/verilator_probe.dir)
  file(REMOVE_RECURSE ${folder})
  file(WRITE ${folder}/probe.sv "module probe (input logic a_i, output logic b_o); assign b_o = a_i; endmodule\n")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env VERILATOR_ROOT=${VERILATOR_ROOT}
            ${VERILATOR_BIN} --sc --trace-fst --prefix Vprobe --Mdir ${folder} ${folder}/probe.sv
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "Verilator (${VERILATOR_BIN}) does not work; it said on a module of one line:\n${output}")
  endif()
  # In "/": make refuses folders whose name has a space, and nothing is made.
  execute_process(
    COMMAND make --no-print-directory -I ${folder} -f ${folder}/Vprobe.mk VERILATOR_ROOT=${VERILATOR_ROOT}
            "--eval=bittern-libraries: ; @echo $(LDLIBS)" bittern-libraries
    WORKING_DIRECTORY / RESULT_VARIABLE result OUTPUT_VARIABLE libraries ERROR_VARIABLE errors)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "make did not say what Verilator's models are linked to (is make installed?): ${errors}")
  endif()
  separate_arguments(libraries NATIVE_COMMAND "${libraries}")
  list(REMOVE_DUPLICATES libraries)

  # A library that is not installed is told here, not in the last step of the build.
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_LIBRARIES ${libraries})
  set(CMAKE_REQUIRED_QUIET ON)
  string(MAKE_C_IDENTIFIER "BITTERN_VERILATOR_LINKS ${libraries}" check)
  check_cxx_source_compiles("int main() { return 0; }" ${check})
  if(NOT ${check})
    unset(${check} CACHE)  # asked again when it has been installed
    string(REPLACE ";" " " text "${libraries}")
    message(FATAL_ERROR "Verilator's models have to be linked with '${text}', which does not work here. Install what is "
                        "missing (scripts/setup.sh does; -lz is zlib1g-dev, -llz4 is liblz4-dev)")
  endif()
  set(${out} "${libraries}" PARENT_SCOPE)
endfunction()
