#pragma once

// Syndicator and supervisor as an operator runs them, on a folder and ports of their own.

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "tests/integration/process.h"

namespace hastur {

class Platform {
 public:
  // Makes the folder. Nothing runs yet; the set of triggers is empty.
  Platform();
  // Kills what runs. If the test has failed, prints the ends of the logs and keeps the folder.
  ~Platform();

  // Saves a script as an editor does: into a new file, which then takes the name.
  void save_script(const std::string& name, const std::string& text);
  // Before the supervisor starts: more keys of [supervisor], and more sections.
  void configure(std::string supervisor_keys, std::string sections);
  // The same while it runs: the supervisor reads the file again.
  void reconfigure(std::string supervisor_keys, std::string sections);
  // Before anything starts: a repository, which `hastur init-repo` makes, says what runs.
  void follow_repo();
  std::filesystem::path repo() const { return folder_ / "triggers.git"; }
  std::filesystem::path folder() const { return folder_; }
  // The scripts of triggers/ in the repo.
  void copy_repo_scripts();

  // Both return when the daemon serves; false, and a failure of the test, if it does not.
  bool start_syndicator();
  bool start_supervisor();
  // Supervisor first. Both end with exit code 0; failures of the test otherwise.
  void stop();

  // A command of the supervisor's program, with its configuration ("replay --all --from 1").
  struct Said {
    int exit_code = 0;
    std::string out, error;
  };
  Said run_supervisor(const std::string& command);
  // A command of `hastur` for this supervisor.
  Said run_hastur(const std::string& command);
  // The same, begun and not waited for; `words` are those of a verb that takes --token-file.
  std::unique_ptr<Process> begin_hastur(std::vector<std::string> words);
  // The same of the syndicator's program.
  Said run_syndicator(const std::string& command);

  Process& syndicator() { return *syndicator_; }
  Process& supervisor() { return *supervisor_; }
  std::uint16_t udp_port() const { return udp_port_; }

  // Every script that was saved runs: waits for it. A failure of the test if that takes too long.
  bool wait_for_triggers();
  // One answer of the API; nothing if none comes soon, or a refusal.
  std::optional<Json> get(const std::string& path);
  // The value of a metric without labels, or as it stands with them; nothing if there is none.
  std::optional<std::uint64_t> metric(const std::string& name);
  // Waits until every trigger has caught up with what was numbered before the call, what was
  // derived has been taken by the syndicator, and the stored state of `touched`, a trigger that
  // these inputs have touched, is of all of them. A failure of the test if that takes too long.
  bool settle(const std::string& touched);

  std::string history_folder() const { return folder_ / "history"; }
  std::string state_file() const { return folder_ / "state" / "state.db"; }
  std::string token_file() const { return folder_ / "state" / "token"; }
  const std::filesystem::path& scripts() const { return scripts_; }

 private:
  Said run(const std::string& program, const std::string& command);
  Said run_line(const std::string& line);
  void install_hooks();
  bool wait_for_log(Process& process, const std::string& text);
  void write_whole_config();
  void write_config(const std::string& syndicator, const std::string& supervisor);

  std::filesystem::path folder_, scripts_;
  std::string syndicator_section_, supervisor_keys_, sections_;
  std::string publish_, request_, http_;
  std::uint16_t udp_port_ = 0;
  bool follows_repo_ = false;
  std::unique_ptr<Process> syndicator_, supervisor_;
};

}  // namespace hastur
