#include "uir/pipeline/run_index.h"

#include <variant>

#include "uir/base/json.h"
#include "uir/base/log.h"
#include "uir/data/contact_sheet.h"
#include "uir/data/index_builder.h"
#include "uir/data/index_report.h"
#include "uir/data/pack.h"
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

const SourceInfo& source_of_set(const Index& index, const std::string& set) {
  for (const SourceInfo& source : index.sources()) {
    if (source.name == set) return source;
  }
  fail(ErrorKind::kConfig, "--write-bin: set '", set, "' is no source of the data section");
}

// The images of a verification protocol, two for each pair, as a .bin set.
void write_bin(const Experiment& experiment, const Index& index, const std::string& name,
               const fs::path& path) {
  const VerificationProtocol& protocol = verification_protocol(experiment, name);
  const SourceInfo& source = source_of_set(index, protocol.set);
  std::vector<std::string_view> items;
  for (int64_t i = 0; i < source.num_rows; ++i) items.push_back(index.item(source.first_row + i));
  const PairList pairs = pairs_of(protocol, known_sources(experiment), items);
  std::vector<RowPair> rows;
  for (const Pair& pair : pairs.pairs)
    rows.push_back({source.first_row + pair.a, source.first_row + pair.b, pair.same});
  log_info(write_verification_bin(index, rows, path).line());
}

}  // namespace

void run_index(const Experiment& experiment, const IndexRun& run) {
  if (experiment.data.sources.empty()) fail(ErrorKind::kConfig, "data.sources: no source of faces is given");
  const fs::path folder = experiment.index_folder();
  const int threads = static_cast<int>(experiment.data.loader.threads);
  IndexReport report = build_index(experiment.data, folder, threads);
  if (run.verify) {
    for (const std::string& line : verify_index(folder, threads).lines()) log_info(line);
    const int64_t read = report.images_read, reused = report.images_reused;
    report = make_index_report(Index::open(folder));  // knows the bad ones now
    report.images_read = read;
    report.images_reused = reused;
  }
  for (const std::string& line : report.lines()) log_info(line);
  const fs::path report_file = experiment.run_folder() / "index_report.json";
  write_file_atomically(report_file, report.to_json().dump(2) + "\n");
  const fs::path sheet = experiment.run_folder() / "contact_sheet.png";
  const Index index = Index::open(folder);
  write_contact_sheet(index, sheet);
  log_info("index: ", folder.string(), "; report: ", report_file.string(), "; look at ", sheet.string());
  if (!run.bin.first.empty()) write_bin(experiment, index, run.bin.first, run.bin.second);
  if (run.pack_folder.empty()) return;
  PackOptions options;
  options.threads = threads;
  for (const std::string& line : pack_index(index, run.pack_folder, options).lines()) log_info(line);
}

}  // namespace uir
