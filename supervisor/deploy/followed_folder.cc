#include "supervisor/deploy/followed_folder.h"

#include <algorithm>

#include "core/log.h"
#include "supervisor/deploy/script_directory.h"

namespace hastur {

void FollowedFolder::read() {
  auto set = read_script_directory(directory_);
  if (!set) {
    const std::string& text = set.error().message;
    if (!trouble_ || trouble_->text != text) {
      log_error("{}; the triggers that run go on running", text);
      trouble_ = {text, trouble_ ? trouble_->since : clock_.now()};
    }
    return;
  }
  if (trouble_) log_info("the triggers' directory {} can be read again", directory_);
  trouble_.reset();
  for (const std::string& problem : set->problems) {
    if (std::ranges::find(problems_, problem) == problems_.end()) log_warn("left out: {}", problem);
  }
  problems_ = std::move(set->problems);
  dispatcher_.desire(std::move(set->scripts));
}

}  // namespace hastur
