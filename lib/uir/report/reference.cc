#include "uir/report/reference.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "uir/base/error.h"
#include "uir/report/report.h"

namespace uir {
namespace {

// The name before its variant, lower-case, letters and digits only.
std::string plain_beginning(std::string_view name) {
  std::string plain;
  for (const char c : name.substr(0, name.find('/'))) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return plain;
}

std::vector<std::string_view> variant_words(std::string_view name) {
  std::vector<std::string_view> words;
  size_t begin = name.find('/');
  while (begin != std::string_view::npos) {
    const size_t end = name.find(',', ++begin);
    words.push_back(name.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

bool counts_agree(const Reference& reference, const ProtocolResult& result) {
  return std::ranges::all_of(reference.counts, [&](const auto& expected) {
    const auto found =
        std::ranges::find(result.counts, expected.first, &std::pair<std::string, int64_t>::first);
    return found != result.counts.end() && found->second == expected.second;
  });
}

bool same_protocol(const Reference& reference, const ProtocolResult& result) {
  if (!plain_beginning(result.name).starts_with(reference.benchmark)) return false;
  const std::vector<std::string_view> words = variant_words(result.name);
  const auto said = [&](std::string_view phrase) {
    return result.description.find(phrase) != std::string::npos;
  };
  return counts_agree(reference, result) && std::ranges::all_of(reference.phrases, said) &&
         std::ranges::all_of(reference.variant,
                             [&](std::string_view word) { return std::ranges::count(words, word) > 0; });
}

}  // namespace

double Reference::value_of(std::string_view number) const {
  const auto found = std::ranges::find(numbers, number, &std::pair<std::string_view, double>::first);
  return found == numbers.end() ? std::nan("") : found->second;
}

std::vector<const Reference*> references_of(const ProtocolResult& result) {
  std::vector<const Reference*> found;
  for (const Reference& reference : result.facts.published) {
    const bool shares_number = std::ranges::any_of(result.numbers, [&](const Measurement& m) {
      return !std::isnan(m.value) && !std::isnan(reference.value_of(m.name));
    });
    if (shares_number && same_protocol(reference, result)) found.push_back(&reference);
  }
  return found;
}

std::vector<std::string> source_lines(const std::vector<const Reference*>& references) {
  std::vector<const Reference*> sources;  // the first of each
  std::vector<std::string> models;        // of each source
  for (size_t r = 0; r < references.size(); ++r) {
    const Reference& reference = *references[r];
    const auto same = [&](const Reference* s) {
      return s->source == reference.source && s->note == reference.note;
    };
    const auto known = std::ranges::find_if(sources, same);
    const auto at = static_cast<size_t>(known - sources.begin());
    if (known == sources.end()) {
      sources.push_back(&reference);
      models.emplace_back();
    }
    models[at] += concat(models[at].empty() ? "" : "; ", "[", r + 1, "] ", reference.model);
  }
  std::vector<std::string> lines;
  for (size_t s = 0; s < sources.size(); ++s) {
    lines.push_back(concat(models[s], ": ", sources[s]->source, ".", sources[s]->note.empty() ? "" : " ",
                           sources[s]->note));
  }
  return lines;
}

}  // namespace uir
