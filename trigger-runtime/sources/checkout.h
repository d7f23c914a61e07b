#pragma once

// A commit's scripts and tests as files in a folder, for programs that read files.

#include <map>
#include <string>

#include "core/result.h"

namespace hastur {

// Removed, with all that is in it, when it goes.
class Checkout {
 public:
  // Writes the files below a new folder in `parent`, which is made if need be. The folder has
  // .hastur/, so that trigger-test takes it for the root of the scripts.
  static Result<Checkout> make(const std::string& parent,
                               const std::map<std::string, std::string>& files);
  Checkout(Checkout&& other) noexcept;
  Checkout& operator=(Checkout&&) = delete;
  ~Checkout();

  const std::string& folder() const { return folder_; }

 private:
  explicit Checkout(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

}  // namespace hastur
