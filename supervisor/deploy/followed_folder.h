#pragma once

// A folder that says which triggers run (DESIGN §12: `[triggers] directory`).
//
// Whatever is wrong with it, what runs goes on running, and the trouble is told.

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "supervisor/deploy/source_trouble.h"
#include "supervisor/dispatch/dispatcher.h"

namespace hastur {

class FollowedFolder {
 public:
  // Both references outlive it.
  FollowedFolder(Clock& clock, Dispatcher& dispatcher, std::string directory)
      : clock_(clock), dispatcher_(dispatcher), directory_(std::move(directory)) {}

  // Reads it, and tells the dispatcher what is to run. What a script is left out for is logged once
  // while it stands.
  void read();

  const std::string& directory() const { return directory_; }
  // Why the last read() failed.
  const std::optional<SourceTrouble>& trouble() const { return trouble_; }

 private:
  Clock& clock_;
  Dispatcher& dispatcher_;
  std::string directory_;
  std::vector<std::string> problems_;
  std::optional<SourceTrouble> trouble_;
};

}  // namespace hastur
