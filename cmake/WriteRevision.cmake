# cmake -DSOURCE_DIR=... -DFILE=... -P WriteRevision.cmake: writes a source file that defines
# bittern::source_revision(), unless it is already there with the same content.
set(revision unknown)
# A tree without .git may lie in the working tree of another project, whose revision says nothing.
execute_process(COMMAND git -C ${SOURCE_DIR} rev-parse --show-toplevel
                OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE no_tree)
file(REAL_PATH "${SOURCE_DIR}" source)
if(no_tree EQUAL 0 AND top STREQUAL source)
  execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty
                  OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE none)
  if(none EQUAL 0 AND described MATCHES "^[A-Za-z0-9._/+-]+$")
    set(revision ${described})
  endif()
endif()
file(CONFIGURE OUTPUT "${FILE}" @ONLY CONTENT [[#include "host/base/version.h"

std::string bittern::source_revision() { return "@revision@"; }
]])
