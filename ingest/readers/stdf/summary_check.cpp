#include "ingest/readers/stdf/summary_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/text.h"

namespace yieldloop::ingest::stdf {
namespace {

/// Parts remembered to recognise retests; beyond it every part counts as its own.
constexpr std::size_t kMostRemembered = 250'000;
constexpr std::size_t kMostNamed = 3;
constexpr std::int16_t kNoPlace = -32768;

std::uint64_t place_key(std::uint32_t run, std::int16_t x, std::int16_t y) {
  return std::uint64_t{run} << 32U | std::uint64_t{static_cast<std::uint16_t>(x)} << 16U |
         static_cast<std::uint16_t>(y);
}

}  // namespace

void SummaryCheck::Tally::add(const Part& part, std::uint64_t by) {
  parts += by;
  good += part.passed ? by : 0;
  without_verdict += part.has_verdict ? 0 : by;
  hard[part.hard_bin] += by;
  if (part.soft_bin != UINT16_MAX) soft[part.soft_bin] += by;
}

void SummaryCheck::part(std::uint32_t run, const Part& read) {
  Part part = read;
  part.id = {};  // The text goes with the record.
  if (run != last_run_) {
    if (last_run_ != UINT32_MAX) other_runs_[last_run_] = std::move(run_);
    const auto other = other_runs_.extract(run);
    run_ = other.empty() ? Counted{} : std::move(other.mapped());
    last_run_ = run;
  }
  for (Counted* counted : {&lot_, &run_}) {
    counted->all.add(part, 1);
    counted->final.add(part, 1);
  }
  const auto replace = [this](const Part& before) {
    for (Counted* counted : {&lot_, &run_}) counted->final.add(before, ~std::uint64_t{0});
  };
  if (part.x != kNoPlace && part.y != kNoPlace) {
    const auto key = place_key(run, part.x, part.y);
    if (const auto it = by_place_.find(key); it != by_place_.end()) {
      replace(it->second);
      it->second = part;
    } else if (by_place_.size() < kMostRemembered) {
      by_place_.emplace(key, part);
    }
    return;
  }
  if (read.id.empty()) return;
  std::string key = fmt::format("{}:{}", run, read.id);
  if (const auto it = by_id_.find(key); it != by_id_.end()) {
    if (part.supersedes_id) replace(it->second);
    it->second = part;
  } else if (by_id_.size() < kMostRemembered) {
    by_id_.emplace(std::move(key), part);
  }
}

void SummaryCheck::part_without_pir(RecordPlace place, unsigned head, unsigned site) {
  if (++count_without_pir_ > kMostNamed) return;
  without_pir_.push_back(
      {place, "STDF-0013",
       fmt::format("A PRR of head {} site {} has no PIR before it; its part is kept.", head, site),
       true});
}

void SummaryCheck::part_without_prr(RecordPlace place, unsigned head, unsigned site) {
  if (++count_without_prr_ > kMostNamed) return;
  without_prr_.push_back(
      {place, "STDF-0014",
       fmt::format("The part that begins here on head {} site {} has no PRR; its "
                   "results are kept.",
                   head, site),
       true});
}

void SummaryCheck::result_without_part(RecordPlace place, unsigned head, unsigned site) {
  if (++count_results_ > kMostNamed) return;
  results_.push_back(
      {place, "STDF-0017",
       fmt::format("A result of head {} site {} comes without a PIR before it; a part "
                   "was begun for it.",
                   head, site),
       true});
}

void SummaryCheck::tests_of_part(RecordPlace place, unsigned said, std::uint32_t read) {
  if (said == 0) return;
  if (said == (read & 0xffffU)) {
    ++count_same_tests_;
    return;
  }
  if (++count_other_tests_ > kMostNamed) return;
  other_tests_.push_back(
      {place, "STDF-0018",
       fmt::format("The PRR counts {} results of its part, but {} were read.", said, read), true});
}

void SummaryCheck::wafer(std::uint32_t run, std::string_view wafer_id, std::uint32_t parts,
                         std::uint32_t good, RecordPlace place) {
  const auto other = other_runs_.find(run);
  const Counted& read = run == last_run_             ? run_
                        : other == other_runs_.end() ? Counted{}
                                                     : other->second;
  PartSummary said{
      .parts = parts, .good = good, .has_good = good != UINT32_MAX, .place = place, .records = 1};
  if (parts != UINT32_MAX) {
    check_parts("WRR", fmt::format(" of wafer {}", one_line(wafer_id)), said, read, found_);
  }
  if (other != other_runs_.end()) other_runs_.erase(other);
  if (!other_runs_.empty()) return;
  by_place_.clear();
  by_id_.clear();
}

void SummaryCheck::lot(bool overall, std::uint32_t parts, std::uint32_t good, RecordPlace place) {
  PartSummary& said = overall ? overall_ : by_site_;
  if (parts == UINT32_MAX) return;
  ++said.records;
  said.place = place;
  said.parts += parts;
  said.good += good;
  said.has_good = said.has_good && good != UINT32_MAX;
}

void SummaryCheck::bin(bool is_hard, bool overall, std::uint16_t number, std::uint32_t count,
                       RecordPlace place) {
  if (count == UINT32_MAX) return;
  BinSummaries& bins = is_hard ? hard_ : soft_;
  BinSummary& summary = (overall ? bins.overall : bins.by_site)[number];
  summary.count += count;
  summary.place = place;
}

void SummaryCheck::check_parts(std::string_view record, const std::string& of,
                               const PartSummary& said, const Counted& read,
                               std::vector<Disagreement>& out) const {
  // Zero is what many testers write that do not count.
  if (read.all.parts == 0 || said.parts == 0) return;
  if (!read.agrees(said.parts)) {
    out.push_back({said.place, "STDF-0011",
                   fmt::format("The {}{} counts {} parts, but {} were read.", record, of,
                               said.parts, read.all.parts),
                   said.parts > read.all.parts});
    return;
  }
  if (!said.has_good || said.good == 0 || read.agrees_good(said.good)) return;
  // Testers that leave the verdict to the bins know more of good parts than their PRR say.
  if (10 * read.all.without_verdict > read.all.parts) return;
  out.push_back({said.place, "STDF-0011",
                 fmt::format("The {}{} counts {} good parts, but {} were read.", record, of,
                             said.good, read.all.good),
                 true});
}

void SummaryCheck::check_bins(bool is_hard, std::vector<Disagreement>& out) const {
  const auto& said = (is_hard ? hard_ : soft_).chosen();
  const Bins& all = is_hard ? lot_.all.hard : lot_.all.soft;
  const Bins& final = is_hard ? lot_.final.hard : lot_.final.soft;
  if (lot_.all.parts == 0 || said.empty() || all.empty()) return;
  std::uint64_t total = 0;
  for (const auto& [number, summary] : said) total += summary.count;
  const auto sum = [](const Bins& bins) {
    std::uint64_t n = 0;
    for (const auto& [number, count] : bins) n += count;
    return n;
  };
  const auto count_of = [](const Bins& bins, std::uint16_t number) {
    const auto it = bins.find(number);
    return it == bins.end() ? std::uint64_t{0} : it->second;
  };
  const auto agrees = [&](const Bins& read) {
    return total == sum(read) && std::ranges::all_of(said, [&](const auto& entry) {
             return entry.second.count == count_of(read, entry.first);
           });
  };
  if (total == 0 || agrees(all) || agrees(final)) return;
  const std::string_view record = is_hard ? "HBR" : "SBR";
  if (total != sum(all) && total != sum(final)) {
    out.push_back({said.begin()->second.place, "STDF-0011",
                   fmt::format("The {} records count {} parts in all, but {} were read.", record,
                               total, sum(all)),
                   total > sum(all)});
    return;
  }
  std::size_t named = 0;
  for (const auto& [number, summary] : said) {
    const std::uint64_t read = count_of(total == sum(all) ? all : final, number);
    if (read == summary.count || ++named > kMostNamed) continue;
    out.push_back({summary.place, "STDF-0011",
                   fmt::format("The {} of bin {} counts {} parts, but {} were read.", record,
                               number, summary.count, read),
                   true});
  }
}

/// Testers that never write the one or the other have their habit; a few parts are damage.
void SummaryCheck::check_pairs(std::vector<Disagreement>& out) const {
  const auto take = [&](const std::vector<Disagreement>& named, std::uint64_t count) {
    const bool is_habit = 10 * count > lot_.all.parts;
    if (!is_habit) out.insert(out.end(), named.begin(), named.end());
  };
  take(without_pir_, count_without_pir_);
  take(without_prr_, count_without_prr_);
  const bool is_damage = begun_ > 0 && lot_.all.parts > 0 &&
                         count_results_ <= std::max<std::uint64_t>(1, lot_.all.parts / 10);
  if (is_damage) out.insert(out.end(), results_.begin(), results_.end());
}

/// Some testers count what they do not log, or all that the program holds.
void SummaryCheck::check_tests_of_parts(std::vector<Disagreement>& out) const {
  if (10 * count_other_tests_ > count_same_tests_) return;
  out.insert(out.end(), other_tests_.begin(), other_tests_.end());
}

std::vector<Disagreement> SummaryCheck::finish() const {
  std::vector<Disagreement> out = found_;
  if (overall_.records > 0) {
    check_parts("PCR", "", overall_, lot_, out);
  } else if (by_site_.records > 0) {
    check_parts("PCR", " of all sites together", by_site_, lot_, out);
  }
  check_bins(true, out);
  check_bins(false, out);
  check_pairs(out);
  check_tests_of_parts(out);
  return out;
}

}  // namespace yieldloop::ingest::stdf
