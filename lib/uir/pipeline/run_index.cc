#include "uir/pipeline/run_index.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "uir/base/json_text.h"
#include "uir/base/log.h"
#include "uir/data/color_check.h"
#include "uir/data/contact_sheet.h"
#include "uir/data/index_builder.h"
#include "uir/data/index_report.h"
#include "uir/data/pack.h"
#include "uir/data/test_people.h"
#include "uir/data/verification_bin.h"
#include "uir/eval/verification.h"

namespace uir {
namespace {

const VerificationProtocol& verification_protocol(const Experiment& experiment, const std::string& name) {
  for (const ProtocolConfig& protocol : experiment.eval.protocols) {
    const auto* verification = std::get_if<VerificationProtocol>(&protocol.kind);
    if (verification && protocol.name == name) return *verification;
  }
  fail(ErrorKind::kConfig, "--write-bin: '", name, "' is no verification protocol of the eval section");
}

// The rows of the set that can be embedded, as uir-extract takes them.
std::vector<int64_t> rows_of_set(const Index& index, const std::string& set) {
  if (std::ranges::find(index.sources(), set, &SourceInfo::name) == index.sources().end())
    fail(ErrorKind::kConfig, "--write-bin: set '", set, "' is no source of the data section");
  return index.set_rows(set);
}

// The images of a verification protocol, two for each pair, as a .bin set.
void write_bin(const Experiment& experiment, const Index& index, const std::string& name,
               const fs::path& path) {
  const VerificationProtocol& protocol = verification_protocol(experiment, name);
  const std::vector<int64_t> set = rows_of_set(index, protocol.set);
  std::vector<std::string_view> items;
  for (const int64_t row : set) items.push_back(index.item(row));
  const PairList pairs = pairs_of(protocol, known_sources(experiment), items);
  std::vector<RowPair> rows;
  for (const Pair& pair : pairs.pairs)
    rows.push_back({set[static_cast<size_t>(pair.a)], set[static_cast<size_t>(pair.b)], pair.same});
  log_info(write_verification_bin(index, rows, path).line());
}

// What the pixels say, and what a file of its own says more of.
void add_warnings(const Experiment& experiment, const Index& index, IndexReport& report) {
  for (std::string& warning : color_warnings(index)) report.warnings.push_back(std::move(warning));
  for (const TestPeople& people : find_test_people(index, report.contents)) {
    const fs::path list = experiment.run_folder() / concat("test_people_", people.source, ".txt");
    report.warnings.push_back(exclude_test_people(index, people, list));
  }
}

}  // namespace

void run_index(const Experiment& experiment, const IndexRun& run) {
  if (experiment.data.sources.empty()) fail(ErrorKind::kConfig, "data.sources: no source of faces is given");
  const fs::path folder = experiment.index_folder();
  const int threads = static_cast<int>(experiment.data.loader.threads);
  IndexReport report = build_index(experiment.data, folder, threads, run.stop);
  if (run.verify) {
    for (const std::string& line : verify_index(folder, threads).lines()) log_info(line);
    IndexReport verified = make_index_report(Index::open(folder));  // knows the bad ones now
    verified.record = std::move(report.record);
    report = std::move(verified);
  }
  const Index index = Index::open(folder);
  add_warnings(experiment, index, report);
  for (const std::string& line : report.lines()) log_info(line);
  for (const std::string& warning : report.warnings) log_warning(warning);
  const fs::path report_file = experiment.run_folder() / "index_report.json";
  write_file_atomically(report_file, json_text(report.to_json(), 2) + "\n");
  const fs::path sheet = experiment.run_folder() / "contact_sheet.png";
  write_contact_sheet(index, sheet);
  log_info("index: ", folder.string(), "; report: ", report_file.string(), "; look at ", sheet.string());
  if (!run.bin.first.empty()) write_bin(experiment, index, run.bin.first, run.bin.second);
  if (run.pack_folder.empty()) return;
  PackOptions options;
  options.threads = threads;
  for (const std::string& line : pack_index(index, run.pack_folder, options).lines()) log_info(line);
}

}  // namespace uir
