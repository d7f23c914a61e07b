#pragma once

// What a fuzz target gives its driver.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Inputs that are well-formed, for mutations to start from. `driver --seeds DIR` writes them as a
// first corpus for libFuzzer.
std::vector<std::string> fuzz_seeds();

// Ends the process if a promise is broken; the sanitizers see to the rest. Always 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
