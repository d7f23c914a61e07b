#pragma once

// What to do about a key of ctx.state under which nothing was put yet: it is nil then.

#include <string>
#include <string_view>

#include "core/json.h"
#include "trigger-test/trigger_files.h"

namespace hastur {

// Of an error of the script whose text this is, raised by `line`: what to begin with there. Empty
// if it is of something else, or if hastur.trigger{ state = … } puts something there, or if it may
// as well be of a field that `message` has not; that is null at a tick.
std::string remedy_of_unset(const TriggerFiles& trigger, std::string_view text,
                            std::string_view line, const Json& message);

}  // namespace hastur
