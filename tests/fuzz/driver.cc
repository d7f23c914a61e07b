// Runs a fuzz target without libFuzzer: for a second, on mutations of its seeds and on noise.
//
//   TARGET [--seed N]     prints the seed, which gives the same inputs again
//   TARGET --seeds DIR    writes the target's seeds as a corpus
//   TARGET FILE           one input, such as libFuzzer leaves behind

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <random>

#include "core/clock.h"
#include "tests/fuzz/fuzz.h"

namespace {

using Random = std::mt19937_64;

constexpr hastur::Micros run_for = std::chrono::seconds{1};
constexpr std::uint64_t seed_default = 20'240'101;

std::string noise(Random& random) {
  std::string bytes(random() % 64, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// Bytes replaced, cut out, repeated, taken from another seed; now and then a length or sign at its
// extreme.
std::string mutated(std::string input, const std::vector<std::string>& seeds, Random& random) {
  for (std::uint64_t left = random() % 4 + 1; left > 0 && !input.empty(); --left) {
    const std::size_t at = random() % input.size();
    const std::size_t length = std::min<std::size_t>(random() % 16 + 1, input.size() - at);
    constexpr unsigned char extremes[] = {0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF};
    switch (random() % 7) {
      case 0:
        input[at] = static_cast<char>(random());
        break;
      case 1:
        input[at] = static_cast<char>(input[at] ^ (1 << random() % 8));
        break;
      case 2:
        input[at] = static_cast<char>(extremes[random() % std::size(extremes)]);
        break;
      case 3:
        input.erase(at, length);
        break;
      case 4:
        input.insert(at, input.substr(at, length));
        break;
      case 5:
        input.resize(at);
        break;
      default: {
        const std::string& other = seeds[random() % seeds.size()];
        if (!other.empty())
          input.replace(at, length, other.substr(random() % other.size(), length));
        break;
      }
    }
  }
  return input;
}

void run(const std::string& input) {
  // A block of exactly its size, so that reading past its end is seen.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  const std::vector<std::string> seeds = fuzz_seeds();
  if (args.size() == 2 && args[0] == "--seeds") {
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      std::ofstream(fmt::format("{}/seed-{}", args[1], i), std::ios::binary) << seeds[i];
    }
    return 0;
  }
  if (args.size() == 1) {
    std::ifstream file(args[0], std::ios::binary);
    run(std::string(std::istreambuf_iterator<char>(file), {}));
    return 0;
  }
  const std::uint64_t seed =
      args.size() == 2 && args[0] == "--seed" ? std::stoull(args[1]) : seed_default;
  Random random(seed);
  hastur::SystemClock clock;
  const hastur::Micros end = clock.monotonic() + run_for;
  std::uint64_t inputs = 0;
  for (const std::string& one : seeds) run(one);
  while (clock.monotonic() < end) {
    for (int i = 0; i < 64; ++i, ++inputs) {
      run(random() % 8 == 0 ? noise(random)
                            : mutated(seeds[random() % seeds.size()], seeds, random));
    }
  }
  fmt::print("{} inputs, --seed {}\n", inputs, seed);
  return 0;
}
