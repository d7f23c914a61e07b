#pragma once

// What an alert says to people: the texts of its pages, and why there is none.

#include "trigger-runtime/vm/helpers/alert.h"

namespace hastur {

// "12m30s": whole seconds, of an hour or more whole minutes, of a day or more whole hours.
std::string rough_span(Micros span);

// The text of a page about an open key that was paged before.
std::string again_text(const Alert::Key& key, Time now);
// … about one that is flapping, and of one that is over.
std::string flapping_text(const Alert::Key& key, const Alert::Flap& flap);
std::string resolve_text(const Alert::Key& key, const Alert::Options& options);
// What the channel that was paged before is told when the alert pages another one, or is gone.
std::string moved_text(const Alert::Options& options);
std::string retired_text();

// Why there is no page about this key now: "0.08 is not above 0.10", "held 4 of 5 min", "again in
// 41 min", "burst". `value` is what a call had said of it last, as JSON; empty if nothing is known.
std::string why_quiet(const Alert& alert, std::string_view key, std::string_view value, Time now);

}  // namespace hastur
