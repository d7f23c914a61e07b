#include "core/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "core/output.h"
#include "core/suggest.h"

namespace hastur {
namespace {

constexpr const char* default_config = "hastur.toml";
constexpr int usage_exit_code = 2;

// Stands before an argument like "-5" on its way through CLI11, which would take it for a flag. No
// argument that a person types begins with it.
constexpr char value_mark = '\x01';

bool is_negative_number(std::string_view argument) {
  return argument.size() > 1 && argument[0] == '-' &&
         (argument[1] == '.' || (argument[1] >= '0' && argument[1] <= '9'));
}

std::string without_mark(std::string text) {
  if (!text.empty() && text[0] == value_mark) text.erase(0, 1);
  return text;
}

std::string lowered_first(std::string sentence) {
  // "A subcommand is required" goes on after "hastur: "; "NAME is required" is a name.
  if (sentence.size() > 1 && sentence[0] >= 'A' && sentence[0] <= 'Z' &&
      (sentence[1] < 'A' || sentence[1] > 'Z')) {
    sentence[0] = static_cast<char>(sentence[0] - 'A' + 'a');
  }
  return sentence;
}

std::string dashed(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '_' || c == '.'; }, '-');
  return name;
}

}  // namespace

struct CommandLine::Parser {
  // The program's own holds the CLI11 object; a command's points into it.
  std::unique_ptr<CLI::App> owned;
  CLI::App* app = nullptr;
  std::string program;
  std::vector<std::unique_ptr<CommandLine>> commands;
  // Its own flags and operands are not for commands.
  bool commands_stand_alone = false;

  Settings* settings = nullptr;
  std::function<Result<void>()> check;
  bool check_config = false;
  std::string config_given;
  std::string config_read;
  struct FlagGiven {
    std::string section, key, text;
  };
  std::vector<FlagGiven> flags_given;

  CLI::Option* add_text(const std::string& names, std::string* value, const std::string& help) {
    return app
        ->add_option_function<std::string>(
            names, [value](const std::string& text) { *value = without_mark(text); }, help)
        ->type_name("TEXT");
  }

  // Reads file and flags into `into`.
  Result<void> read(Settings& into) {
    config_read = config_given;
    std::error_code ignored;
    if (config_read.empty() && std::filesystem::exists(default_config, ignored))
      config_read = default_config;
    if (!config_read.empty()) HASTUR_TRY(into.read_file(config_read));
    for (const FlagGiven& flag : flags_given)
      HASTUR_TRY(into.set(flag.section, flag.key, flag.text));
    return {};
  }

  // The sentence for arguments that nothing takes, with the nearest known word.
  std::string unexpected() const {
    const std::vector<std::string> extras = app->remaining(true);
    if (extras.empty()) return "an argument was not expected";
    const std::string word = without_mark(extras.front());
    const bool is_flag = word.starts_with('-');
    std::vector<std::string> known;
    const auto collect = [&](const CLI::App* from) {
      for (const CLI::Option* option : from->get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
      }
      for (const CLI::App* command : from->get_subcommands({}))
        known.push_back(command->get_name());
    };
    const bool of_command = commands_stand_alone && !app->get_subcommands().empty();
    if (!of_command) collect(app);
    for (const CLI::App* command : app->get_subcommands()) collect(command);
    std::erase_if(known, [&](const std::string& name) { return name.starts_with('-') != is_flag; });
    const std::string name = word.substr(0, word.find('='));
    const std::string near = nearest(name, known);
    return fmt::format("{} \"{}\"{}", is_flag ? "unknown flag" : "unexpected argument", name,
                       near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near));
  }

  // An argument of the program itself beside a command that does not take it; empty if there is
  // none.
  std::string beside_command() const {
    const std::vector<CLI::App*> chosen = app->get_subcommands();
    if (!commands_stand_alone || chosen.empty()) return "";
    for (const CLI::Option* option : app->get_options()) {
      if (option->count() == 0) continue;
      const bool is_operand = option->get_positional();
      return fmt::format("{} \"{}\" before \"{}\"",
                         is_operand ? "unexpected argument" : "unexpected flag",
                         is_operand ? without_mark(option->results().front())
                                    : "--" + option->get_lnames().front(),
                         chosen.front()->get_name());
    }
    return "";
  }

  int refuse(const std::string& sentence) const {
    print_error("{}: {}\n", program, sentence);
    return usage_exit_code;
  }
};

CommandLine::CommandLine(std::string program, std::string about)
    : parser_(std::make_unique<Parser>()) {
  parser_->owned = std::make_unique<CLI::App>(std::move(about), program);
  parser_->app = parser_->owned.get();
  parser_->app->set_version_flag("--version", version_line(program), "Print the version and end");
  parser_->app->get_help_ptr()->description("Print this help and end");
  parser_->program = std::move(program);
}
CommandLine::CommandLine(std::unique_ptr<Parser> parser) : parser_(std::move(parser)) {}
CommandLine::~CommandLine() = default;
CommandLine::CommandLine(CommandLine&&) noexcept = default;
CommandLine& CommandLine::operator=(CommandLine&&) noexcept = default;

void CommandLine::flag(const std::string& names, bool* value, const std::string& help) {
  parser_->app->add_flag(names, *value, help);
}

void CommandLine::text(const std::string& names, std::string* value, const std::string& help) {
  CLI::Option* option = parser_->add_text(names, value, help);
  if (!value->empty()) option->default_str(*value);
}

void CommandLine::required_text(const std::string& names, std::string* value,
                                const std::string& help) {
  parser_->add_text(names, value, help)->required();
}

void CommandLine::list(const std::string& names, std::vector<std::string>* value,
                       const std::string& help) {
  CLI::Option* option = parser_->app
                            ->add_option_function<std::vector<std::string>>(
                                names,
                                [value](const std::vector<std::string>& texts) {
                                  value->clear();
                                  for (const std::string& text : texts)
                                    value->push_back(without_mark(text));
                                },
                                help)
                            ->type_name("TEXT");
  if (names.starts_with('-')) option->allow_extra_args(false);
}

void CommandLine::number(const std::string& names, std::uint64_t* value, const std::string& help) {
  parser_->app->add_option(names)
      ->description(help)
      ->type_name("NUMBER")
      ->default_str(std::to_string(*value))
      ->check([value](const std::string& marked) -> std::string {
        const std::string text = without_mark(marked);
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
        if (error == std::errc{} && end == text.data() + text.size()) return {};
        return fmt::format("takes a whole number from 0 up, not \"{}\"", text);
      });
}

void CommandLine::span(const std::string& names, Micros* value, const std::string& help,
                       Micros min) {
  parser_->app->add_option(names)
      ->description(help)
      ->type_name("SPAN")
      ->default_str(format_span(*value))
      ->check([value, min](const std::string& text) -> std::string {
        const auto span = parse_span(without_mark(text));
        if (!span) return span.error().message;
        if (*span < min)
          return fmt::format("takes at least {}, not {}", format_span(min), format_span(*span));
        *value = *span;
        return {};
      });
}

CommandLine& CommandLine::command(const std::string& name, const std::string& about) {
  auto parser = std::make_unique<Parser>();
  parser->app = parser_->app->add_subcommand(name, about);
  parser->app->fallthrough();
  parser->app->get_help_ptr()->description("Print this help and end");
  parser->program = parser_->program + " " + name;
  parser_->app->require_subcommand(1);
  parser_->commands.push_back(std::unique_ptr<CommandLine>(new CommandLine(std::move(parser))));
  return *parser_->commands.back();
}

void CommandLine::optional_command() { parser_->app->require_subcommand(0, 1); }

void CommandLine::commands_stand_alone() {
  parser_->commands_stand_alone = true;
  for (const auto& command : parser_->commands) command->parser_->app->fallthrough(false);
}

bool CommandLine::chosen() const { return parser_->app->parsed(); }

void CommandLine::daemon(Settings* settings, std::function<Result<void>()> check) {
  Parser* parser = parser_.get();
  parser->settings = settings;
  parser->check = std::move(check);
  parser
      ->add_text("--config", &parser->config_given, "Read this file [hastur.toml, if there is one]")
      ->type_name("FILE");
  parser->app->add_flag("--check-config", parser->check_config,
                        "Say whether file and flags are in order, and end");
  for (const auto& [section, keys] : settings->sections()) {
    for (const Section::Key& key : keys.keys()) {
      if (!key.flag) continue;
      std::string name = "--" + dashed(key.name);
      if (parser->app->get_option_no_throw(name) != nullptr)
        name = "--" + dashed(section + "-" + key.name);
      parser->app
          ->add_option_function<std::string>(
              name,
              [parser, section_name = section, key_name = key.name](const std::string& text) {
                parser->flags_given.push_back({section_name, key_name, without_mark(text)});
              },
              key.help)
          ->type_name(key.takes())
          ->default_str(key.current())
          ->group("[" + section + "]");
    }
  }
}

std::optional<int> CommandLine::parse(int argc, const char* const* argv) {
  // CLI11 takes the arguments last first.
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    std::string argument = argv[i];
    if (is_negative_number(argument)) argument.insert(0, 1, value_mark);
    arguments.push_back(std::move(argument));
  }
  const auto see = [this] {
    const std::vector<CLI::App*> commands = parser_->app->get_subcommands();
    return fmt::format("; see {}{} --help", parser_->program,
                       commands.empty() ? "" : " " + commands.front()->get_name());
  };
  try {
    parser_->app->parse(std::move(arguments));
  } catch (const CLI::Success& asked) {
    return parser_->app->exit(asked);
  } catch (const CLI::ParseError& wrong) {
    // A command that is mistyped is missing too, but what was typed says more.
    if (!parser_->app->remaining(true).empty())
      return parser_->refuse(parser_->unexpected() + see());
    std::string sentence = lowered_first(wrong.what());
    if (sentence == "a subcommand is required") sentence = "a command is required";
    return parser_->refuse(sentence + see());
  }
  if (const std::string beside = parser_->beside_command(); !beside.empty())
    return parser_->refuse(beside + see());
  if (parser_->settings == nullptr) return std::nullopt;

  if (const auto read = parser_->read(*parser_->settings); !read)
    return parser_->refuse(read.error().message);
  if (parser_->check) {
    if (const auto checked = parser_->check(); !checked)
      return parser_->refuse(checked.error().message);
  }
  if (!parser_->check_config) return std::nullopt;
  if (parser_->config_read.empty()) {
    return parser_->refuse(
        "there is no hastur.toml in this folder; name the file with --config FILE");
  }
  fmt::print("{} is in order\n", parser_->config_read);
  return 0;
}

Result<void> CommandLine::read_again(Settings& settings) const { return parser_->read(settings); }

const std::string& CommandLine::config_path() const { return parser_->config_read; }

std::string version_line(const std::string& program) { return program + " " HASTUR_VERSION; }

}  // namespace hastur
