#include "uir/pipeline/report_pictures.h"

#include <cstdio>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/data/contact_sheet.h"
#include "uir/data/index_rows.h"
#include "uir/pipeline/overlap_pictures.h"

namespace uir {
namespace {

constexpr std::string_view kFolder = "pictures";

// visit(model, result, kind) for everything that has hardest pairs.
template <class Visit>
void each_kind(Report& report, Visit&& visit) {
  for (ModelReport& model : report.models) {
    for (ProtocolResult& result : model.results) {
      if (!result.details.contains("hardest")) continue;
      for (Json& kind : result.details["hardest"]) visit(model, result, kind);
    }
  }
}

std::string text_of(const Json& face, const char* member) { return face[member].get<std::string>(); }

std::string last_part(const std::string& name) { return name.substr(name.rfind('/') + 1); }

class ReportPictures {
 public:
  ReportPictures(Index index, fs::path folder, Report& report)
      : index_(std::move(index)), folder_(std::move(folder)), report_(report) {
    find_rows();
  }

  void write() {
    const bool several = report_.models.size() > 1;
    each_kind(report_, [&](const ModelReport& model, const ProtocolResult& result, Json& kind) {
      std::string name = concat(several ? model.name + "." : "", result.name, ".", text_of(kind, "kind"));
      for (char& c : name) {
        if (c == '/') c = '_';
      }
      int number = 0;
      for (Json& pair : kind["pairs"]) write_pair(concat(name, two_digits(++number), ".png"), pair);
    });
  }

 private:
  static std::string two_digits(int number) {
    char text[16];
    std::snprintf(text, sizeof text, "_%02d", number);
    return text;
  }

  // Of all faces, each set's names looked up at once.
  void find_rows() {
    std::map<std::string, std::vector<std::string>> names;
    each_kind(report_, [&](const ModelReport&, const ProtocolResult&, const Json& kind) {
      for (const Json& pair : kind["pairs"]) {
        for (const char* side : {"left", "right"}) {
          const Json& face = pair[side];
          if (face.contains("set")) names[text_of(face, "set")].push_back(text_of(face, "name"));
        }
      }
    });
    for (const auto& [set, items] : names) find_rows(set, items);
  }

  void find_rows(const std::string& set, const std::vector<std::string>& names) {
    const std::vector<std::string_view> items(names.begin(), names.end());
    try {
      const IndexRows rows(index_, set, items);
      for (size_t i = 0; i < names.size(); ++i) rows_[{set, names[i]}] = rows.row(static_cast<int64_t>(i));
    } catch (const Error& error) {
      log_warning("no pictures of set '", set, "': ", error.what());
    }
  }

  int64_t row_of_class(Json& face) {
    if (first_of_class_.empty()) first_of_class_ = first_of_each_class(index_);
    const auto number = face["class"].get<int64_t>();
    if (number < 0 || number >= std::ssize(first_of_class_)) return -1;
    face["name"] = index_.identity_name(number);
    return first_of_class_[static_cast<size_t>(number)];
  }

  int64_t row_of(Json& face) {
    int64_t row = -1;
    if (face.contains("class")) {
      row = row_of_class(face);
    } else if (const auto found = rows_.find({text_of(face, "set"), text_of(face, "name")});
               found != rows_.end()) {
      row = found->second;
    }
    if (row < 0) face["missing"] = "not in the index";
    return row;
  }

  void write_pair(const std::string& file, Json& pair) {
    const int64_t left = row_of(pair["left"]), right = row_of(pair["right"]);
    if (left < 0 && right < 0) return;
    const auto name_of = [&](const char* side) { return last_part(text_of(pair[side], "name")); };
    const FacePair faces{left, right, name_of("left"), name_of("right")};
    write_pair_sheet(index_, std::span(&faces, 1), folder_ / file);
    pair["picture"] = concat(kFolder, "/", file);
  }

  const Index index_;
  const fs::path folder_;
  Report& report_;
  std::map<std::pair<std::string, std::string>, int64_t> rows_;  // by set and name
  std::vector<int64_t> first_of_class_;
};

// Once per result.
void remark(const std::string& why, Report& report) {
  for (ModelReport& model : report.models) {
    for (ProtocolResult& result : model.results) {
      if (result.details.contains("hardest")) result.remarks.push_back(why);
    }
  }
}

}  // namespace

void write_report_pictures(const Experiment& experiment, Report& report) {
  const fs::path folder = experiment.report_folder() / kFolder;
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  if (!experiment.eval.pictures) return;
  if (!fs::exists(experiment.index_folder(), ignored)) {
    const std::string why = concat("No pictures of the hardest pairs: there is no index in ",
                                   experiment.index_folder().string(), "; uir-index writes it.");
    log_warning(why);
    return remark(why, report);
  }
  create_folders(folder);
  ReportPictures(Index::open(experiment.index_folder()), folder, report).write();
  log_info("pictures of the hardest pairs: ", folder.string());
}

}  // namespace uir
