// uir-identify: who appears when in a film, or on which photos. Questions to a timeline and corrections of it
// are answered by the front, at once; what looks at films or faces stands in identify_films.cc.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "console.h"
#include "identify_films.h"
#include "programs.h"
#include "uir/base/allocator.h"
#include "uir/base/child_process.h"
#include "uir/base/log.h"
#include "uir/base/text.h"
#include "uir/experiment/option_names.h"
#include "uir/timeline/answers.h"
#include "uir/timeline/corrections.h"
#include "uir/timeline/cutting.h"
#include "uir/timeline/layers.h"

namespace {

constexpr const char* kProgram = "uir-identify";

// What every command is given.
struct Arguments {
  std::string timeline, first, second;
  std::string layer = "scenes", cut;
  bool play = false, copy = false;
};

// Runs it, or prints it where the program is not installed.
int run_or_print(const uir::Command& command) {
  std::cout.flush();
  uir::replace_process(command.front(), command);
  if (errno != ENOENT)
    uir::fail(uir::ErrorKind::kIo, command.front(), ": cannot start: ", std::strerror(errno));
  uir::log_info(command.front(), " is not installed; this would do it:");
  std::cout << uir::shell_text(command) << '\n';
  return 0;
}

// What the program prints; none if it is not installed or fails.
std::optional<std::string> output_of(const uir::Command& command) {
  std::FILE* pipe = ::popen((uir::shell_text(command) + " 2>/dev/null").c_str(), "r");
  if (!pipe) return std::nullopt;
  std::string text;
  char buffer[65536];
  for (size_t read; (read = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, read);
  return ::pclose(pipe) == 0 ? std::optional(text) : std::nullopt;
}

int copy(const uir::Timeline& timeline, std::vector<uir::Span> spans, const uir::fs::path& film,
         const uir::fs::path& out) {
  if (const auto packets = output_of(uir::packets_command(film))) {
    const auto copied = uir::copied_spans(spans, uir::key_frames(timeline.film, *packets));
    std::cout << uir::copied_text(timeline, spans, copied);
    spans = uir::united(copied);
  } else {
    uir::log_info(
        "copies begin at the key frame before each scene; without ffprobe it cannot be said where those are");
  }
  uir::fs::path list = out;
  list += ".cuts.txt";
  uir::write_file_atomically(list, uir::copy_list(timeline.film, spans, film));
  return run_or_print(uir::copy_command(list, out));
}

int only(const Arguments& arguments) {
  const uir::fs::path folder = uir::timeline_folder(arguments.timeline);
  const uir::Timeline timeline = uir::read_timeline(folder);
  const auto layer = arguments.layer == "visible" ? uir::Layer::kVisible : uir::Layer::kScenes;
  const std::vector<uir::Span> spans = uir::spans_of_person(timeline, layer, arguments.first);
  const bool wants_film = arguments.play || !arguments.cut.empty();
  if (!wants_film) {
    std::cout << uir::only_text(timeline, spans);
    uir::log_info(uir::only_summary(timeline, layer, arguments.first, spans));
    return 0;
  }
  if (!timeline.is_film()) uir::fail(uir::ErrorKind::kUsage, "photos can be neither played nor cut");
  const uir::fs::path film = uir::film_path(timeline.film, folder);
  if (!uir::fs::exists(film)) {
    uir::fail(uir::ErrorKind::kMissingInput, film.string(),
              ": is not there; the film of a timeline is looked for where it lay, seen from the timeline");
  }
  if (arguments.play) return run_or_print(uir::play_command(timeline.film, spans, film));
  if (uir::fs::exists(arguments.cut))
    uir::fail(uir::ErrorKind::kUsage, arguments.cut, ": is there already; give another file");
  if (arguments.copy) return copy(timeline, spans, film, arguments.cut);
  return run_or_print(uir::cut_command(timeline.film, spans, film, arguments.cut));
}

int at(const Arguments& arguments) {
  const uir::Timeline timeline = uir::read_timeline(uir::timeline_folder(arguments.timeline));
  std::cout << uir::at_text(timeline, uir::parse_time(timeline, arguments.first));
  return 0;
}

// Corrects, and says what has become of whom.
int correct(const Arguments& arguments, const std::function<uir::Edit(const uir::Timeline&)>& make) {
  uir::Labels before;
  const uir::Timeline timeline =
      uir::correct(uir::timeline_folder(arguments.timeline), [&](const uir::Timeline& now) {
        before = uir::labels_of(now);
        return make(now);
      });
  std::cout << uir::changes_text(before, timeline);
  return 0;
}

class Commands {
 public:
  explicit Commands(CLI::App& cli) : cli_(cli) { cli.require_subcommand(0, 1); }

  CLI::App& add(const std::string& name, const std::string& help, std::function<int()> body) {
    CLI::App* command = cli_.add_subcommand(name, help);
    command->add_option("timeline", arguments.timeline, "Folder FILM.timeline, or the film beside it")
        ->required();
    bodies_[command] = std::move(body);
    return *command;
  }
  CLI::App& add_correction(const std::string& name, const std::string& help,
                           std::function<uir::Edit(const uir::Timeline&)> make) {
    return add(name, help, [this, make = std::move(make)] { return correct(arguments, make); });
  }
  bool has(const std::string& name) const {
    return std::any_of(bodies_.begin(), bodies_.end(),
                       [&](const auto& body) { return body.first->get_name() == name; });
  }
  int run() const {
    if (cli_.get_subcommands().empty())
      uir::fail(uir::ErrorKind::kUsage, "no film given; see ", kProgram, " --help");
    return bodies_.at(cli_.get_subcommands().front())();
  }

  Arguments arguments;

 private:
  CLI::App& cli_;
  std::map<const CLI::App*, std::function<int()>> bodies_;
};

void add_questions(Commands& commands) {
  Arguments& arguments = commands.arguments;
  commands
      .add("at", "Who is there at a time, where in the picture, and how sure that is.",
           [&] { return at(arguments); })
      .add_option("time", arguments.first, "00:41:07, 41:07.5 or seconds; the name of a photo")
      ->required();
  CLI::App& cli = commands.add("only", "The scenes of one person: lists, plays or cuts them.",
                               [&] { return only(arguments); });
  cli.add_option("name", arguments.first, "Name of a person, or 'stranger 3'")->required();
  cli.add_option("--layer", arguments.layer,
                 "scenes (default), or visible: only while the face is to be seen")
      ->check(CLI::IsMember({"scenes", "visible"}));
  CLI::Option* play =
      cli.add_flag("--play", arguments.play, "Play them with mpv; without it the command is printed");
  CLI::Option* cut = cli.add_option("--cut", arguments.cut,
                                    "Cut them into this file with ffmpeg; without it the command is printed");
  play->excludes(cut);
  cli.add_flag("--copy", arguments.copy, "Copy instead of encoding: fast, but cuts begin at key frames")
      ->needs(cut);
}

void add_corrections(Commands& commands) {
  Arguments& arguments = commands.arguments;
  const std::string who_help =
      "A label (Anna, 'stranger 3': everybody under it), a track (#12), or a time or photo with one person";
  const auto who = [&](CLI::App& cli) { cli.add_option("who", arguments.first, who_help)->required(); };
  CLI::App& name = commands.add_correction("name", "Says who somebody is.", [&](const uir::Timeline& now) {
    return uir::name_edit(now, arguments.first, arguments.second);
  });
  who(name);
  name.add_option("name", arguments.second, "The name")->required();
  CLI::App& rejection = commands.add_correction(
      "not", "Says that somebody is not who they are said to be.", [&](const uir::Timeline& now) {
        return uir::not_edit(now, arguments.first,
                             arguments.second.empty() ? std::nullopt : std::optional(arguments.second));
      });
  who(rejection);
  rejection.add_option("name", arguments.second, "Who they are not, where several people are visible");
  CLI::App& merge = commands.add_correction(
      "merge", "Says that two are one person.",
      [&](const uir::Timeline& now) { return uir::merge_edit(now, arguments.first, arguments.second); });
  who(merge);
  merge.add_option("other", arguments.second, "The other one")->required();
  CLI::App& split = commands.add_correction(
      "split", "Cuts a track in two, or takes what a label shows at a time out of it.",
      [&](const uir::Timeline& now) { return uir::split_edit(now, arguments.first, arguments.second); });
  who(split);
  split.add_option("time", arguments.second, "When")->required();
  commands.add_correction("undo", "Takes back the last correction.", [&](const uir::Timeline&) {
    return uir::undo_edit(uir::timeline_folder(arguments.timeline));
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli(uir::description_of(kProgram), kProgram);
  Commands commands(cli);
  add_questions(commands);
  add_corrections(commands);
  uir::FilmRequests films;
  uir::add_film_flags(cli, films);
  const int first = argc > 1 && argv[1] == std::string_view(uir::kJsonFlag) ? 2 : 1;
  const bool answered_here = argc <= first || uir::is_shared_flag(argv[first]) || commands.has(argv[first]);
  if (!answered_here) return uir::identify_films(argc, argv);
  const auto body = [&] {
    uir::ignore_write_signals();
    uir::tune_memory_allocator();
    return commands.run();
  };
  return uir::run_program(cli, argc, argv, body, uir::experiment_options);
}
