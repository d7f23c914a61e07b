#pragma once

// hastur init-repo: a repository of triggers with the gate installed.

#include <string>

#include "core/result.h"
#include "core/time.h"

namespace hastur {

struct InitRepoOptions {
  // Where it is made.
  std::string path;
  std::string branch = "main";
  // The daemons' file: says where the supervisor is and where its token lies. Empty: hastur.toml in
  // the current folder, if there is one.
  std::string config = {};
  // Instead of what the file says.
  std::string http = {};
  std::string token_file = {};
};

// Makes it, with hooks that call `program` (this one's absolute path), and says how it goes on. 0,
// or 1 having said why not.
int init_repo_command(const InitRepoOptions& options, const std::string& program, Time now);

// A hook's text. `kind` is "pre-receive" or "post-receive".
std::string hook_script(const std::string& kind, const std::string& program,
                        const std::string& branch, const std::string& http,
                        const std::string& token_file);

}  // namespace hastur
