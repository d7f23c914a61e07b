// Every example of triggers/README.md does what the page says of it.
//
// A block of Lua runs as a trigger, on a stream that has a message of every type. One that makes no
// trigger stands after `local ctx = hastur.trigger{}`. Its first line may say what becomes of it:
//   -- lib/x.lua       it is that file, for the other blocks to require
//   -- refused: TEXT   it does not load, and the error contains TEXT
//   -- raises: TEXT    it loads; a call, or judging its state, fails with TEXT
//   -- cut: TEXT       it loads and runs; some of its effects are left out, the last says TEXT
// Without such a line it loads, is called, and nothing fails.

#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/docs/every_message.h"

namespace hastur::testing {
namespace {

struct Block {
  std::string text;
  std::size_t line = 0;  // of the page
  std::string marker;    // "refused", "raises", "cut", or nothing
  std::string wanted;
};

struct Page {
  std::vector<Block> blocks;
  TriggerOptions options;  // with the page's libraries
};

Page read_page() {
  Page page;
  std::ifstream in(HASTUR_TRIGGERS "/README.md");
  std::optional<Block> block;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!block) {
      if (line == "```lua") block = Block{"", number, "", ""};
      continue;
    }
    if (line != "```") {
      block->text += line + "\n";
      continue;
    }
    const std::string first = block->text.substr(0, block->text.find('\n'));
    if (first.starts_with("-- lib/")) {
      page.options.libraries.emplace(first.substr(3), block->text);
    } else {
      for (const std::string marker : {"refused", "raises", "cut"}) {
        if (!first.starts_with("-- " + marker + ": ")) continue;
        block->marker = marker;
        block->wanted = first.substr(marker.size() + 5);
      }
      if (block->text.find("hastur.trigger") == std::string::npos) {
        block->text = "local ctx = hastur.trigger{}\n" + block->text;
      }
      page.blocks.push_back(*block);
    }
    block.reset();
  }
  EXPECT_FALSE(block) << "the block of line " << block->line << " has no end";
  return page;
}

// What failed, in calls and in judging the state at the end.
std::string faults_of(const TriggerProgress& progress, ScriptVm& vm) {
  std::string faults;
  for (const CallError& error : progress.errors) faults += error.error.text + "\n";
  if (progress.stopped) return faults + progress.stopped->error.error.text;
  const Judged judged = vm.judge(progress.reached, at_second(777'600));
  if (judged.error) faults += judged.error->error.text;
  return faults;
}

void expect_contains(const std::string& text, const std::string& wanted) {
  EXPECT_NE(text.find(wanted), std::string::npos)
      << "\"" << text << "\" does not say \"" << wanted << '"';
}

TEST(AuthorsPage, ShowsExamplesThatDoWhatItSays) {
  const Page page = read_page();
  EXPECT_GT(page.blocks.size(), 20u);
  for (const Block& block : page.blocks) {
    SCOPED_TRACE(fmt::format("triggers/README.md:{}", block.line));
    const ScriptError error = load_error(block.text, page.options);
    if (block.marker == "refused") {
      expect_contains(error.text, block.wanted);
      continue;
    }
    EXPECT_EQ(error.text, "") << error.line;
    if (!error.text.empty()) continue;
    TestTrigger trigger(block.text, page.options);
    const TriggerProgress progress = trigger.feed(every_message());
    EXPECT_GT(progress.callbacks, 0u) << "nothing of the stream reaches it";
    const std::string faults = faults_of(progress, trigger.vm());
    if (block.marker == "raises") {
      expect_contains(faults, block.wanted);
    } else {
      EXPECT_EQ(faults, "");
    }
    EXPECT_EQ(progress.effects_cut > 0, block.marker == "cut");
    if (block.marker == "cut" && !progress.effects.empty()) {
      expect_contains(progress.effects.back().payload, block.wanted);
    }
  }
}

}  // namespace
}  // namespace hastur::testing
