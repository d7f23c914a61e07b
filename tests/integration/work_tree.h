#pragma once

// A clone of the platform's repository, in which somebody works and from which they push.

#include <filesystem>
#include <string>

namespace hastur {

class WorkTree {
 public:
  // Clones `repo` into `folder`.
  WorkTree(const std::filesystem::path& repo, std::filesystem::path folder);

  // Runs git there: whether it ended with exit code 0. What it said, on both outputs, is said().
  bool git(const std::string& words);
  void save(const std::string& path, const std::string& text);
  // All that was changed, as one commit.
  bool commit(const std::string& message);
  // commit(), then git push.
  bool push(const std::string& message);
  // Everything since the remote's main is forgotten.
  void forget();

  std::string head();
  const std::filesystem::path& folder() const { return folder_; }
  const std::string& said() const { return said_; }
  bool says(const std::string& text) const { return said_.find(text) != std::string::npos; }

 private:
  std::filesystem::path folder_;
  std::string said_;
};

}  // namespace hastur
