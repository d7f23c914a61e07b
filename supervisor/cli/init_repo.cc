#include "supervisor/cli/init_repo.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/output.h"
#include "core/settings.h"
#include "supervisor/cli/skeleton.h"
#include "supervisor/cli/text.h"
#include "trigger-runtime/sources/repository.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

struct SupervisorPlace {
  std::string http = "127.0.0.1:8127";
  std::string token_file;
};

std::string absolute(const std::string& path) {
  return fs::absolute(path).lexically_normal().string();
}

// As the file says, then as the flags do.
Result<SupervisorPlace> find_supervisor(const InitRepoOptions& options) {
  SupervisorPlace place;
  std::string state = "hastur/state.db", token_file;
  std::error_code ignored;
  const std::string config = !options.config.empty()              ? options.config
                             : fs::exists("hastur.toml", ignored) ? "hastur.toml"
                                                                  : "";
  if (!config.empty()) {
    Settings settings;
    settings.pass_over_unknown();
    Section& supervisor = settings.section("supervisor");
    supervisor.text("http", &place.http, "");
    supervisor.text("state", &state, "");
    supervisor.text("token_file", &token_file, "");
    HASTUR_TRY(settings.read_file(config));
  }
  place.token_file = absolute(
      !token_file.empty() ? token_file : fs::path(state).replace_filename("token").string());
  if (!options.http.empty()) place.http = options.http;
  if (!options.token_file.empty()) place.token_file = absolute(options.token_file);
  return place;
}

Result<void> write_hook(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  std::error_code error;
  if (file.flush()) {
    const auto executable = fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec |
                            fs::perms::others_read | fs::perms::others_exec;
    fs::permissions(path, executable, error);
    if (!error) return {};
  }
  return fail(ErrorCode::failed,
              fmt::format("cannot write the hook {}: {}", path.string(),
                          error ? error.message() : std::string(strerror(errno))));
}

// As one word of a shell.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

Result<std::string> make(const InitRepoOptions& options, const SupervisorPlace& supervisor,
                         const std::string& program, Time now) {
  if (!is_branch_name(options.branch))
    return fail(ErrorCode::invalid, fmt::format("'{}' is no name of a branch", options.branch));
  auto repository = GitRepository::init_bare(absolute(options.path), options.branch);
  if (!repository) return fail(repository.error());
  const auto commit = repository->commit(options.branch, skeleton_files(),
                                         "A trigger to begin with, and its test", "hastur", now);
  if (!commit) return fail(commit.error());
  const fs::path hooks = fs::path(repository->folder()) / "hooks";
  std::error_code ignored;
  fs::create_directories(hooks, ignored);
  for (const char* kind : {"pre-receive", "post-receive"}) {
    HASTUR_TRY(write_hook(hooks / kind, hook_script(kind, program, options.branch, supervisor.http,
                                                    supervisor.token_file)));
  }
  return fs::path(repository->folder()).parent_path().string();
}

}  // namespace

std::string hook_script(const std::string& kind, const std::string& program,
                        const std::string& branch, const std::string& http,
                        const std::string& token_file) {
  const char* what = kind == "pre-receive" ? "Asks the supervisor whether what is pushed may run."
                                           : "Says since when what was pushed runs.";
  return fmt::format(
      "#!/bin/sh\n"
      "# {} Made by `hastur init-repo`.\n"
      "exec {} hook {} --branch {} \\\n"
      "  --http {} --token-file {}\n",
      what, quoted(program), kind, quoted(branch), quoted(http), quoted(token_file));
}

int init_repo_command(const InitRepoOptions& options, const std::string& program, Time now) {
  const auto supervisor = find_supervisor(options);
  const auto made =
      supervisor ? make(options, *supervisor, program, now) : fail(supervisor.error());
  if (!made) {
    print_error("hastur: {}\n", made.error().message);
    return 1;
  }
  fmt::print(
      "made {0}, with a trigger to begin with and its test on the branch {1}\n"
      "\n"
      "Put this into the supervisor's hastur.toml, in the place of [triggers] directory, and "
      "restart it:\n"
      "\n"
      "  [triggers]\n"
      "  repo = \"{0}\"\n"
      "  branch = \"{1}\"\n"
      "\n"
      "Then: git clone {0}\n"
      "\n"
      "What is pushed to {1} is judged by the supervisor at {2}, with the token in {3}, which "
      "whoever pushes must be able to read. hooks/pre-receive and hooks/post-receive say so.\n",
      made->c_str(), options.branch, supervisor->http, supervisor->token_file);
  return 0;
}

}  // namespace hastur
