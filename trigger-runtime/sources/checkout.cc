#include "trigger-runtime/sources/checkout.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace hastur {

namespace fs = std::filesystem;

Result<Checkout> Checkout::make(const std::string& parent,
                                const std::map<std::string, std::string>& files) {
  std::error_code ignored;
  fs::create_directories(parent, ignored);
  std::string folder = parent + "/checkout-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    return fail(ErrorCode::failed, fmt::format("cannot make a folder for the tests in {}: {}",
                                               parent, std::strerror(errno)));
  }
  Checkout checkout(folder);
  fs::create_directory(fs::path(folder) / ".hastur", ignored);
  for (const auto& [path, text] : files) {
    const fs::path at = fs::path(folder) / path;
    fs::create_directories(at.parent_path(), ignored);
    std::ofstream file(at, std::ios::binary);
    file << text;
    if (!file.flush()) {
      return fail(ErrorCode::failed,
                  fmt::format("cannot write {}: {}", at.string(), std::strerror(errno)));
    }
  }
  return checkout;
}

Checkout::Checkout(Checkout&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}

Checkout::~Checkout() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

}  // namespace hastur
