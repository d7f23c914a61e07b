# Compiler, linker and sanitizer settings that hold for every target.

add_library(hastur_warnings INTERFACE)
target_compile_options(hastur_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns about code inside std::string and std::variant that is in order (GCC bugs 105329, 105562).
  target_compile_options(hastur_warnings INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # g++ counts a change of sign alone as no conversion; both compilers ask the same.
  target_compile_options(hastur_warnings INTERFACE -Wno-sign-conversion)
endif()

find_program(HASTUR_CCACHE ccache)
if(HASTUR_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HASTUR_CCACHE})
endif()
find_program(HASTUR_MOLD mold)
if(HASTUR_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

if(HASTUR_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  add_compile_definitions(HASTUR_SANITIZED=1)
endif()
if(HASTUR_TSAN)
  # g++ warns of Asio's fences, which ThreadSanitizer does not see; ours are all operations that it does.
  add_compile_options(-fsanitize=thread -Wno-tsan)
  add_link_options(-fsanitize=thread)
  add_compile_definitions(HASTUR_SANITIZED=1)
endif()
if(HASTUR_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
  add_compile_definitions(HASTUR_SANITIZED=1)
endif()
