#include "engine/tracing/registration.h"

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/core/random.h"
#include "engine/tracing/blur_scan.h"
#include "engine/tracing/registration_fit.h"
#include "engine/tracing/registration_search.h"

namespace yieldloop::tracing {
namespace {

using geometry::Orientation;

constexpr std::size_t kRefined = 24;  ///< Peaks refined.
constexpr std::size_t kAtHeader = 8;  ///< Classes refined at no shift.
/// Rotation and scale are taken up when they gain this much: chi-square of two at about 1e-4.
constexpr double kTurnGain = 10.0;
constexpr double kLeastShift = 0.05;  ///< um; below it a frame is right.

PointUm turned(Orientation o, PointUm p) {
  if (geometry::mirrored(o)) p.y = -p.y;
  switch (geometry::quarter_turns(o)) {
    case 1: return {-p.y, p.x};
    case 2: return {-p.x, -p.y};
    case 3: return {p.y, -p.x};
    default: return p;
  }
}

struct Refined {
  RegistrationCandidate candidate;
  AlignmentFit::Errors errors;
  double over_header = 0.0;  ///< Of the same class over the same defects.
};

bool better(const Refined& a, const Refined& b) {
  if (a.candidate.gain != b.candidate.gain) return a.candidate.gain > b.candidate.gain;
  return a.candidate.feature < b.candidate.feature;
}

class Registrar {
 public:
  Registrar(const RegistrationInput& input, const RegistrationOptions& options)
      : input_(input), options_(options) {
    centre_ = {0.5 * (input.window.x_min + input.window.x_max),
               0.5 * (input.window.y_min + input.window.y_max)};
    draw();
  }

  Registration run() {
    Registration r;
    r.defects = static_cast<std::int64_t>(drawn_.size());
    if (static_cast<double>(drawn_.size()) < options_.least_defects || input_.classes.empty()) {
      return r;
    }
    auto found = refine(drawn_, Orientation::kR0, false);
    double orientations = 1.0;
    if (options_.turns && (found.empty() || !tells(found.front(), orientations))) {
      orientations = 8.0;
      for (int o = 1; o < 8; ++o) {
        const auto orientation = static_cast<Orientation>(o);
        auto more = refine(turned_defects(orientation), orientation, false);
        found.insert(found.end(), more.begin(), more.end());
      }
      std::ranges::stable_sort(found, better);
    }
    const auto header = refine(drawn_, Orientation::kR0, true);
    decide(found, header, orientations, r);
    return r;
  }

 private:
  /// An even draw of the defects, so that defects and places make no more than most_pairs.
  void draw() {
    const std::size_t n = input_.defects.size();
    const double area = std::max(input_.window.area(), 1e-9);
    const double side = 2.0 * options_.search_um;
    const double pairs = static_cast<double>(input_.places.size()) / area * side * side;
    const double most = std::min(static_cast<double>(options_.most_defects),
                                 std::max(2000.0, options_.most_pairs / std::max(pairs, 1e-9)));
    const std::size_t taken = std::min(n, static_cast<std::size_t>(most));
    for (std::size_t i = 0; i < taken; ++i) drawn_.push_back(input_.defects[i * n / taken]);
  }

  std::vector<PointUm> turned_defects(Orientation o) const {
    std::vector<PointUm> out;
    for (const PointUm p : drawn_) {
      const PointUm q = turned(o, {p.x - centre_.x, p.y - centre_.y});
      out.push_back({q.x + centre_.x, q.y + centre_.y});
    }
    return out;
  }

  /// After everything looked at: classes, orientations, and shifts as fine as the width found.
  double p_of(const Refined& r, double orientations) const {
    const double shifts = std::pow(options_.search_um / std::min(r.candidate.sigma_um, 1.0), 2.0);
    const double looks = orientations * (looks_per_class(options_.search_um) + shifts) *
                         static_cast<double>(input_.classes.size());
    return std::min(1.0, looks * boundary_p(2.0 * r.candidate.gain));
  }
  bool tells(const Refined& r, double orientations) const {
    return p_of(r, orientations) <= options_.alpha && r.candidate.defects >= options_.least_defects;
  }
  /// The header's frame is one shift: it pays for the classes and widths only.
  double p_of_header(const Refined& r) const {
    const double looks = 4.0 * static_cast<double>(input_.classes.size());
    return std::min(1.0, looks * boundary_p(2.0 * r.candidate.gain));
  }

  /// Peaks refined, best first; with `at_header` only no shift at all.
  std::vector<Refined> refine(std::span<const PointUm> defects, Orientation orientation,
                              bool at_header) const {
    const auto peaks = find_peaks(input_, defects, options_.search_um, at_header,
                                  at_header ? kAtHeader : kRefined);
    std::vector<Refined> refined(peaks.size());
    tbb::parallel_for(std::size_t{0}, peaks.size(), [&](std::size_t i) {
      refined[i] = refine_one(defects, orientation, peaks[i], at_header);
    });
    // A handful of defects can always be lined up.
    std::erase_if(refined, [&](const Refined& r) {
      return r.candidate.defects < options_.least_defects || r.candidate.gain <= 0.0;
    });
    std::ranges::stable_sort(refined, better);
    return refined;
  }

  Refined refine_one(std::span<const PointUm> defects, Orientation orientation,
                     const ShiftPeak& peak, bool at_header) const {
    std::vector<RectUm> places;
    for (const std::uint32_t a : input_.classes[peak.feature]) places.push_back(input_.places[a]);
    const PointUm start = at_header ? PointUm{} : peak.shift;
    const double reach = std::clamp(4.0 * peak.width + 1.0, 3.0, options_.search_um);
    AlignmentFit fit(places, defects, centre_, input_.window, start, reach);
    using Free = AlignmentFit::Free;
    fit.fit(peak.width, at_header ? Free::kNothing : Free::kShift);
    double price = 0.0;
    if (!at_header && fit.gain() > kTurnGain) {
      AlignmentFit turning = fit;
      turning.fit(std::max(fit.sigma(), peak.width), Free::kAll);
      // Rotation and scale are each another look for every width they can move the edge by.
      const double looks = 2.0 * std::log(options_.search_um / turning.sigma());
      if (turning.defects() >= options_.least_defects && is_small(turning.alignment()) &&
          turning.gain() - looks > fit.gain() + kTurnGain) {
        fit = std::move(turning);
        price = looks;
      }
    }
    Refined r;
    r.candidate = {fit.alignment(), peak.feature, std::max(0.0, fit.gain() - price), fit.sigma(),
                   fit.defects()};
    r.candidate.alignment.orientation = orientation;
    if (fit.gain() <= 0.0) return r;
    r.errors = fit.errors();
    if (!at_header && orientation == Orientation::kR0) r.over_header = fit.over_header() - price;
    return r;
  }

  /// Whether a candidate moves no defect by more than its errors, or by what nothing is traced by.
  bool is_header(const Refined& r) const {
    const Alignment& a = r.candidate.alignment;
    if (a.orientation != Orientation::kR0) return false;
    const double arm = std::hypot(input_.window.x_max - centre_.x, input_.window.y_max - centre_.y);
    const double moves = std::hypot(a.shift.x, a.shift.y) + arm * std::hypot(a.rotation, a.scale);
    const double error = std::max(r.errors.shift.x, r.errors.shift.y);
    return moves <= std::max({kLeastShift, 0.2 * r.candidate.sigma_um, 3.0 * error});
  }

  /// Whether rotation and scale move no defect by more than a few search widths.
  bool is_small(const Alignment& a) const {
    const double arm = std::hypot(input_.window.x_max - centre_.x, input_.window.y_max - centre_.y);
    return std::max(std::abs(a.rotation), std::abs(a.scale)) * arm <= 3.0 * options_.search_um &&
           std::hypot(a.shift.x, a.shift.y) <= 2.0 * options_.search_um;
  }

  void decide(const std::vector<Refined>& found, const std::vector<Refined>& header,
              double orientations, Registration& r) const {
    const double at_header = header.empty() ? 0.0 : header.front().candidate.gain;
    const bool header_tells = !header.empty() && p_of_header(header.front()) <= options_.alpha;
    const auto keep = [&](RegistrationVerdict otherwise) {
      r.verdict = header_tells ? RegistrationVerdict::kConfirmed : otherwise;
      if (header_tells && found.empty()) r.best = header.front().candidate;
    };
    if (found.empty()) return keep(RegistrationVerdict::kUndetermined);
    const Refined& best = found.front();
    r.best = best.candidate;
    r.shift_error = best.errors.shift;
    if (r.best.alignment.rotation != 0.0 || r.best.alignment.scale != 0.0) {
      r.rotation_error = best.errors.rotation;
      r.scale_error = best.errors.scale;
    }
    r.p_value = p_of(best, orientations);
    r.over_header = best.candidate.gain - at_header;
    if (best.candidate.alignment.orientation == Orientation::kR0) {
      r.over_header = std::min(r.over_header, best.over_header);
    }
    if (!tells(best, orientations)) {
      return keep(RegistrationVerdict::kUndetermined);
    }
    if (is_header(best)) {
      r.verdict = RegistrationVerdict::kConfirmed;
      return;
    }
    r.over_second = best.candidate.gain;
    for (const Refined& other : found) {
      if (!elsewhere(other, best)) continue;
      r.over_second = best.candidate.gain - other.candidate.gain;
      break;
    }
    if (r.over_header < options_.least_evidence) return keep(RegistrationVerdict::kUndetermined);
    if (r.over_second < options_.least_evidence) return list_candidates(found, r);
    r.null_gain = null_gain();
    r.verdict = best.candidate.gain > r.null_gain + options_.least_evidence
                    ? RegistrationVerdict::kMoved
                    : RegistrationVerdict::kUndetermined;
  }

  /// Whether two candidates put the defects at different places, by more than errors explain.
  static bool elsewhere(const Refined& a, const Refined& b) {
    const Alignment &x = a.candidate.alignment, &y = b.candidate.alignment;
    if (x.orientation != y.orientation) return true;
    const double error = std::max(b.errors.shift.x, b.errors.shift.y);
    const double least = std::max({0.2, 0.5 * b.candidate.sigma_um, 5.0 * error});
    return std::hypot(x.shift.x - y.shift.x, x.shift.y - y.shift.y) > least;
  }

  void list_candidates(const std::vector<Refined>& found, Registration& r) const {
    constexpr std::size_t kMost = 5;
    r.verdict = RegistrationVerdict::kAmbiguous;
    std::vector<Refined> listed;
    for (const Refined& f : found) {
      if (f.candidate.gain < found.front().candidate.gain - options_.least_evidence) break;
      const bool known =
          std::ranges::any_of(listed, [&](const Refined& l) { return !elsewhere(f, l); });
      if (!known) listed.push_back(f);
      if (listed.size() == kMost) break;
    }
    for (const Refined& l : listed) r.candidates.push_back(l.candidate);
  }

  /// What the search finds where there is nothing: every defect moved by its own 20 to 60 um.
  double null_gain() const {
    double largest = 0.0;
    for (int copy = 0; copy < options_.null_copies; ++copy) {
      Random random = Random(options_.seed).fork(static_cast<std::uint64_t>(copy));
      std::vector<PointUm> moved;
      for (const PointUm p : drawn_) {
        const double angle = random.uniform(0.0, 6.283185307179586);
        const double by = random.uniform(20.0, 60.0);
        moved.push_back({p.x + by * std::cos(angle), p.y + by * std::sin(angle)});
      }
      const auto found = refine(moved, Orientation::kR0, false);
      if (!found.empty()) largest = std::max(largest, found.front().candidate.gain);
    }
    return largest;
  }

  const RegistrationInput& input_;
  const RegistrationOptions& options_;
  PointUm centre_;
  std::vector<PointUm> drawn_;
};

std::string shift_text(const Alignment& a) {
  std::string text = fmt::format("shift ({:.2f}, {:.2f}) um", a.shift.x, a.shift.y);
  if (a.orientation != Orientation::kR0) {
    text += fmt::format(", turned by {} degrees{}", 90 * geometry::quarter_turns(a.orientation),
                        geometry::mirrored(a.orientation) ? " and mirrored" : "");
  }
  if (a.rotation != 0.0 || a.scale != 0.0) {
    text +=
        fmt::format(", rotation {:.1f} urad, scale {:+.1f} ppm", 1e6 * a.rotation, 1e6 * a.scale);
  }
  return text;
}

}  // namespace

PointUm Alignment::operator()(PointUm p) const {
  const PointUm u = turned(orientation, {p.x - centre.x, p.y - centre.y});
  return {centre.x + u.x + shift.x - rotation * u.y + scale * u.x,
          centre.y + u.y + shift.y + rotation * u.x + scale * u.y};
}

Alignment Registration::alignment() const {
  return verdict == RegistrationVerdict::kMoved ? best.alignment : Alignment{};
}

Registration register_defects(const RegistrationInput& input, const RegistrationOptions& options) {
  return Registrar(input, options).run();
}

std::string describe(const Registration& r) {
  switch (r.verdict) {
    case RegistrationVerdict::kMoved:
      return fmt::format(
          "{} (standard errors {:.3f} and {:.3f} um), evidence e^{:.0f} over the header's frame "
          "and "
          "e^{:.0f} over the second best",
          shift_text(r.best.alignment), r.shift_error.x, r.shift_error.y, r.over_header,
          r.over_second);
    case RegistrationVerdict::kConfirmed: return "the header's frame is confirmed by the defects";
    case RegistrationVerdict::kAmbiguous: {
      std::string text = "ambiguous between";
      for (std::size_t i = 0; i < r.candidates.size(); ++i) {
        text += (i == 0 ? " " : "; ") + shift_text(r.candidates[i].alignment);
      }
      return text + ": the header's frame is kept";
    }
    case RegistrationVerdict::kUndetermined: break;
  }
  return "undetermined, the defects do not tell: the header's frame is kept";
}

}  // namespace yieldloop::tracing
