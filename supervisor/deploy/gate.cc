#include "supervisor/deploy/gate.h"

#include <fmt/format.h>

#include <fstream>

namespace hastur {
namespace {

constexpr std::size_t report_bytes_max = 64u << 10;

// The beginning and the end: what failed, and how many.
std::string read_report(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.size() > report_bytes_max) {
    const std::size_t half = report_bytes_max / 2;
    text = text.substr(0, half) +
           fmt::format("\n… {} bytes are left out …\n", text.size() - 2 * half) +
           text.substr(text.size() - half);
  }
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

}  // namespace

std::unique_ptr<Gate> Gate::begin(Loop& loop, const Options& options,
                                  const std::map<std::string, std::string>& files,
                                  const std::vector<std::string>& scripts,
                                  std::function<void(Verdict)> done) {
  std::unique_ptr<Gate> gate(new Gate(loop, std::move(done)));
  if (scripts.empty()) {
    gate->tell({true, "no trigger changes\n"});
  } else if (const auto started = gate->start(options, files, scripts); !started) {
    gate->tell({false, started.error().message + "\n"});
  }
  return gate;
}

Result<void> Gate::start(const Options& options, const std::map<std::string, std::string>& files,
                         const std::vector<std::string>& scripts) {
  auto checkout = Checkout::make(options.folder, files);
  if (!checkout) return fail(checkout.error());
  checkout_ = std::make_unique<Checkout>(*std::move(checkout));
  BoundedRun::Request request;
  request.command = {options.trigger_test};
  // A path is no flag, whatever it begins with.
  for (const std::string& script : scripts) request.command.push_back("./" + script);
  request.folder = checkout_->folder();
  request.output = output_ = checkout_->folder() + "/.hastur/report";
  request.time_max = options.time_max;
  auto run =
      BoundedRun::start(loop_, request, [this](const BoundedRun::Ended& ended) { tested(ended); });
  if (!run) return fail(run.error());
  run_ = *std::move(run);
  return {};
}

void Gate::tested(const BoundedRun::Ended& ended) {
  Verdict verdict{ended.exit_code == 0, read_report(output_)};
  if (ended.out_of_time) {
    verdict.report +=
        fmt::format("the tests: {}; a test or a loop in a script has no end\n", ended.how);
  } else if (ended.exit_code != 0 && ended.exit_code != 1) {
    verdict.report += fmt::format("trigger-test ended with {}\n", ended.how);
  }
  tell(std::move(verdict));
}

void Gate::tell(Verdict verdict) {
  later_ = loop_.after(Micros{0}, [this, verdict = std::move(verdict)] {
    // The call may end this object.
    const auto done = std::move(done_);
    done(verdict);
  });
}

}  // namespace hastur
