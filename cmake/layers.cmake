# hastur_layer(NAME target SOURCES a.cc ... MAY_INCLUDE layer ... [LINK library ...])
#
# Makes the static library of the current folder. MAY_INCLUDE names the layers (folders, as written in an
# #include) that this one may include; they are linked too. LINK names third-party libraries.
# Every layer is appended to build/layers.txt as "folder: allowed allowed ...", which tests/tidy checks.

file(WRITE ${CMAKE_BINARY_DIR}/layers.txt "")

function(hastur_target_of folder result)
  string(REGEX REPLACE "[/-]" "_" name ${folder})
  set(${result} hastur_${name} PARENT_SCOPE)
endfunction()

function(hastur_layer)
  cmake_parse_arguments(LAYER "" "" "SOURCES;MAY_INCLUDE;LINK" ${ARGN})
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  hastur_target_of(${folder} target)
  if(LAYER_SOURCES)
    add_library(${target} STATIC ${LAYER_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE hastur_warnings)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} ${CMAKE_SOURCE_DIR})
  foreach(dependency ${LAYER_MAY_INCLUDE})
    hastur_target_of(${dependency} dependency_target)
    target_link_libraries(${target} ${scope} ${dependency_target})
  endforeach()
  target_link_libraries(${target} ${scope} ${LAYER_LINK})
  string(JOIN " " allowed ${LAYER_MAY_INCLUDE})
  file(APPEND ${CMAKE_BINARY_DIR}/layers.txt "${folder}: ${allowed}\n")
endfunction()

# hastur_program(NAME binary SOURCES main.cc ... USES layer ...)
# A program of the current folder; USES is what its sources may include besides their own folder.
function(hastur_program)
  cmake_parse_arguments(PROGRAM "" "NAME" "SOURCES;USES;LINK" ${ARGN})
  add_executable(${PROGRAM_NAME} ${PROGRAM_SOURCES})
  target_include_directories(${PROGRAM_NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${PROGRAM_NAME} PRIVATE hastur_warnings)
  foreach(dependency ${PROGRAM_USES})
    hastur_target_of(${dependency} dependency_target)
    target_link_libraries(${PROGRAM_NAME} PRIVATE ${dependency_target})
  endforeach()
  target_link_libraries(${PROGRAM_NAME} PRIVATE ${PROGRAM_LINK})
endfunction()
