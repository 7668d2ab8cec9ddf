/// \file
/// The windows of one map shape (a set of tested die) for signature.h.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/yield/signature.h"

namespace yieldloop::yield {

/// A family of windows; zones have one window, discs and lines many.
struct WindowFamily {
  std::vector<std::uint32_t> size;                 ///< Shape: [windows]: die inside.
  std::vector<DieIndex> middle;                    ///< Shape: [windows].
  std::vector<std::vector<std::uint32_t>> of_die;  ///< Shape: [die]: windows that hold it.
};

struct BestWindow {
  std::size_t window = 0;
  std::uint32_t fails = 0;
  double p_value = 1.0;  ///< Hypergeometric tail of this window alone.
};

class MapWindows {
 public:
  MapWindows(const Product& product, std::vector<DieIndex> die);

  std::size_t size() const { return die_.size(); }
  const std::vector<DieIndex>& die() const { return die_; }
  const WindowFamily& family(Signature test) const {
    return families_[static_cast<std::size_t>(test)];
  }

  /// Whether a window about this die is about the wafer's middle (within 0.2 of the radius).
  bool is_central(DieIndex die) const;

  /// The window with the smallest tail for fails at `failed` (positions in die()).
  BestWindow best(Signature test, std::span<const std::uint32_t> failed);
  /// The p of the family's best window, by placements or Bonferroni.
  double family_p(Signature test, const BestWindow& best, std::size_t failed,
                  const SignatureOptions& options);

 private:
  const std::vector<double>& tail_table(std::uint32_t window_size, std::size_t failed);
  const std::vector<double>& null_tails(Signature test, std::size_t failed,
                                        const SignatureOptions& options);
  void add_zone(Signature test, std::span<const double> radius, double low, double high);
  void add_discs(double pitch_x, double pitch_y);
  void add_lines();
  void add_window(Signature test, const std::vector<std::uint32_t>& members);

  std::vector<DieIndex> die_;
  std::vector<double> radius_;  ///< As a share of the map's radius.
  std::array<WindowFamily, kSignatureTests> families_;
  std::vector<std::uint32_t> counts_;  ///< Scratch space of best().
  std::map<std::pair<std::uint32_t, std::size_t>, std::vector<double>> tails_;
  std::map<std::pair<int, std::size_t>, std::vector<double>> nulls_;
};

}  // namespace yieldloop::yield
