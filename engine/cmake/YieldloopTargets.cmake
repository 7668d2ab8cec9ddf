# One function for libraries, one for programs, one for tests: every folder is built alike.

add_library(yieldloop_options INTERFACE)
target_include_directories(yieldloop_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(yieldloop_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  # g++ 12 reports string concatenation as overlapping copies (GCC bug 105329).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # Members with defaults are left out of designated initialisers on purpose.
  -Wno-missing-field-initializers
  $<$<BOOL:${YIELDLOOP_WERROR}>:-Werror>)
target_compile_definitions(yieldloop_options INTERFACE FMT_HEADER_ONLY=0 SPDLOG_FMT_EXTERNAL)
target_link_libraries(yieldloop_options INTERFACE fmt::fmt Threads::Threads)
if(YIELDLOOP_SANITIZE)
  add_compile_options(-fsanitize=${YIELDLOOP_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${YIELDLOOP_SANITIZE})
endif()
if(YIELDLOOP_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

# The shared precompiled header: standard library and fmt only, so that every target may use it.
add_library(yieldloop_pch OBJECT ${CMAKE_SOURCE_DIR}/engine/core/pch.cpp)
target_link_libraries(yieldloop_pch PRIVATE yieldloop_options)
target_precompile_headers(yieldloop_pch PRIVATE ${CMAKE_SOURCE_DIR}/engine/core/pch.h)

# yieldloop_library(engine/core DEPENDS fmt::fmt PRIVATE_DEPENDS ... [QT])
#
# Makes the static library of a folder from the .cpp files in it (main.cpp excepted). The target is
# named after the folder with underscores: engine/core -> engine_core. DEPENDS are public,
# PRIVATE_DEPENDS are not. QT switches on moc and resources. OWN_PCH is for targets whose parts
# define macros that the shared precompiled header was made without.
function(yieldloop_library folder)
  cmake_parse_arguments(ARG "QT;OWN_PCH" "" "DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.h)
  list(FILTER sources EXCLUDE REGEX "/(main|pch)\\.cpp$")
  if(NOT sources)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE yieldloop_options ${ARG_DEPENDS})
    return()
  endif()
  add_library(${name} STATIC ${sources} ${headers})
  target_link_libraries(${name} PUBLIC yieldloop_options ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
  if(ARG_QT)
    set_target_properties(${name} PROPERTIES AUTOMOC ON AUTORCC ON)
    file(GLOB resources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.qrc)
    target_sources(${name} PRIVATE ${resources})
  endif()
  if(ARG_QT OR ARG_OWN_PCH)
    target_precompile_headers(${name} PRIVATE ${CMAKE_SOURCE_DIR}/engine/core/pch.h)
  else()
    target_precompile_headers(${name} REUSE_FROM yieldloop_pch)
  endif()
endfunction()

# yieldloop_program(name folder DEPENDS ...): a program from FOLDER/main.cpp.
function(yieldloop_program name folder)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${folder}/main.cpp)
    return()
  endif()
  add_executable(${name} ${CMAKE_SOURCE_DIR}/${folder}/main.cpp)
  target_link_libraries(${name} PRIVATE yieldloop_options ${ARG_DEPENDS})
endfunction()

# yieldloop_test(name folder DEPENDS ...): a Catch2 program from FOLDER/*.cpp, every case a CTest test.
function(yieldloop_test name folder)
  cmake_parse_arguments(ARG "QT;ONE_TEST" "" "DEPENDS;LABELS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE tests_support ${ARG_DEPENDS})
  target_compile_definitions(${name} PRIVATE
    YIELDLOOP_SOURCE_DIR="${CMAKE_SOURCE_DIR}" YIELDLOOP_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
  if(ARG_QT)
    set_target_properties(${name} PROPERTIES AUTOMOC ON)
  endif()
  # One CTest entry a program: Catch2 runs its cases in one process, which keeps the suite short.
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 1200 LABELS "${ARG_LABELS}"
                       ENVIRONMENT "QT_QPA_PLATFORM=offscreen;OMP_WAIT_POLICY=passive")
endfunction()
