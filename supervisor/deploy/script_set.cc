#include "supervisor/deploy/script_set.h"

#include <utility>

#include "trigger-runtime/sources/script_tree.h"

namespace hastur {

ScriptSet make_script_set(const std::map<std::string, std::string>& files) {
  ScriptTree tree = read_script_tree(files);
  ScriptSet set;
  set.problems = std::move(tree.problems);
  for (TreeScript& each : tree.scripts) {
    set.scripts.push_back(
        {std::move(each.name), make_version(std::move(each.script), std::move(each.libraries))});
  }
  return set;
}

}  // namespace hastur
