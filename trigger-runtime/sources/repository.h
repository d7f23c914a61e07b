#pragma once

// The one wrapper of libgit2: commits read without a work tree, and made, in repositories that need
// none.
//
// Errors are sentences that name the repository; their code is `not_found` for a branch or commit
// that is not there, else `failed`. Nothing here touches the network.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

struct git_repository;

namespace hastur {

// What a commit holds of scripts and their tests.
struct CommitFiles {
  // 40 hex digits.
  std::string commit;
  // "Ada Lovelace", and the first line of what was said.
  std::string author;
  std::string subject;
  Time time{};
  // Every *.lua, *.json and *.jsonl, by path; nothing whose path has a part that begins with a dot.
  std::map<std::string, std::string> files;
  // What stands in place of such a file: a link, a submodule, a file too large or no UTF-8. A
  // sentence each, with its path.
  std::vector<std::string> problems;
};

class GitRepository {
 public:
  // A repository's folder, or a folder that holds one as `.git`.
  static Result<GitRepository> open(const std::string& path);
  // The one that git runs a hook in: with the objects of a push that has not been accepted yet.
  static Result<GitRepository> open_from_environment();
  // A new one without work tree. `conflict` if there is anything in the folder already.
  static Result<GitRepository> init_bare(const std::string& path, const std::string& branch);

  // Absolute, with the objects inside.
  std::string folder() const;

  // The commit that a branch of this repository points at. Nothing: there is no such branch.
  Result<std::optional<std::string>> tip(const std::string& branch) const;
  // The commit that a name means: a hash or a part of one, a branch, a tag.
  Result<std::string> resolve(const std::string& name) const;
  Result<CommitFiles> read(const std::string& commit) const;
  // Whether `old` is `commit` or among those before it. False if `old` is not there any more.
  Result<bool> contains(const std::string& commit, const std::string& old) const;

  // Makes a commit of exactly these files on the branch, after what is there.
  Result<std::string> commit(const std::string& branch,
                             const std::map<std::string, std::string>& files,
                             const std::string& message, const std::string& author, Time time);

 private:
  struct Free {
    void operator()(git_repository* repository) const;
  };
  explicit GitRepository(git_repository* repository) : repository_(repository) {}

  std::unique_ptr<git_repository, Free> repository_;
};

// Whether git takes it for a branch's name.
bool is_branch_name(const std::string& name);

// The most that a file of a commit may weigh, a recording that tests read, and all of them.
inline constexpr std::size_t git_file_bytes_max = 1u << 20;
inline constexpr std::size_t git_recording_bytes_max = 8u << 20;
inline constexpr std::size_t git_commit_bytes_max = 32u << 20;

}  // namespace hastur
