/// \file
/// Where an inspection tool's frame really lies: shift, rotation, scale and orientation of its
/// defects against the layout, found from the defects themselves.
///
/// Some classes of places draw defects, nobody knows which. If the header's frame is off by t, the
/// defects of such a class lie about its places, all off by the same t. So the displacements
/// from defects to the places of each class are counted on a grid of shifts; a class that draws
/// defects shows a peak at t, any other class an even floor. The best peaks of all classes are
/// refined by maximum likelihood of
///
///   f(q) = beta + r sum_a N(q + t + theta J u + kappa u; a, sigma^2 + side_a^2 / 12),  u = q - c
///
/// over the area within reach of the class's places (EM: chances of each place, then weighted
/// least squares for t, theta, kappa and sigma; theta and kappa only where they earn it). beta is
/// local, so that defects that merely live where the class lives are no evidence. The gain
/// G = l - l(r = 0) of the best is judged against
///   - chance: p = (classes x shifts x widths x orientations looked at) times the tail of 2 G, and
///     the gains of copies in which every defect is moved by its own random 20 to 60 um;
///   - the header: G - G(t = 0), the smaller of two: for the same class over the same defects and
///     weights, and for the best class of the header's own;
///   - the second best at another place: classes whose places lie a constant step apart, and
///   periodic
///     layouts, explain the same defects with different shifts.
/// One place counts at most max(3, 3 q75) defects, so that a repeater registers nothing.
///
/// Only when all three are passed is a frame moved. Where the header explains as much it is kept
/// and called confirmed; where nothing is significant it is kept and called undetermined; where two
/// places explain alike the registration is ambiguous, and the candidates are listed.
///
/// Units: um, radians; kappa is scale - 1; gains in nats.
/// Source: A. Dempster, N. Laird, D. Rubin, J. R. Stat. Soc. B 39 (1977) 1 (EM); the peak search is
/// the generalised Hough transform of D. Ballard, Pattern Recognition 13 (1981) 111.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/geometry/transform.h"
#include "engine/tracing/frame.h"

namespace yieldloop::tracing {

struct RegistrationOptions {
  double search_um = 6.0;       ///< Largest shift looked for, along x and y.
  double alpha = 1e-3;          ///< Of the peak being chance, after everything looked at.
  double least_evidence = 7.0;  ///< Nats over the header and over the second best: e^7 = 1100.
  double least_defects = 8.0;   ///< At the places of the class.
  bool turns = true;            ///< Look at the seven other orientations when as given fails.
  std::size_t most_defects = 20'000;  ///< Evenly drawn from all when there are more.
  double most_pairs = 6e6;            ///< Of defects and places looked at; fewer defects are drawn.
  int null_copies = 2;
  std::uint64_t seed = 1;
};

/// A way to move defects onto the layout: turn about the centre, move, rotate and scale.
struct Alignment {
  geometry::Orientation orientation = geometry::Orientation::kR0;
  PointUm centre;
  PointUm shift;
  double rotation = 0.0;
  double scale = 0.0;  ///< kappa.
  PointUm operator()(PointUm p) const;
  friend bool operator==(const Alignment&, const Alignment&) = default;
};

struct RegistrationCandidate {
  Alignment alignment;
  std::uint32_t feature = 0;  ///< Into RegistrationInput::classes.
  double gain = 0.0;          ///< G.
  double sigma_um = 0.0;
  double defects = 0.0;  ///< At the class's places.
  friend bool operator==(const RegistrationCandidate&, const RegistrationCandidate&) = default;
};

enum class RegistrationVerdict : std::uint8_t {
  kUndetermined,  ///< The defects do not tell; the header's frame is kept.
  kConfirmed,     ///< The header's frame explains the defects as well as any.
  kMoved,         ///< The header's frame is off by `best`.
  kAmbiguous,     ///< Several frames explain the defects alike; the header's is kept.
};

struct Registration {
  RegistrationVerdict verdict = RegistrationVerdict::kUndetermined;
  RegistrationCandidate best;
  PointUm shift_error;  ///< Standard errors.
  double rotation_error = 0.0, scale_error = 0.0;
  double p_value = 1.0;
  double over_header = 0.0;  ///< Nats; log evidence ratio against the header's frame.
  double over_second = 0.0;  ///< Nats; against the best at another place.
  double null_gain = 0.0;    ///< Largest gain of the moved copies; 0 when none was needed.
  std::vector<RegistrationCandidate> candidates;  ///< When ambiguous, best first, at most 5.
  std::int64_t defects = 0;                       ///< Looked at.
  /// What to apply: `best` when moved, else nothing.
  Alignment alignment() const;
  friend bool operator==(const Registration&, const Registration&) = default;
};

struct RegistrationInput {
  std::span<const RectUm> places;
  std::vector<std::span<const std::uint32_t>> classes;  ///< Into places, ascending.
  std::vector<PointUm> defects;                         ///< By the header's frame, on the layout.
  RectUm window;
};

Registration register_defects(const RegistrationInput& input,
                              const RegistrationOptions& options = {});

/// "shift (1.98, -0.52) um, evidence e^310 over the header's frame", for caveats.
std::string describe(const Registration& registration);

}  // namespace yieldloop::tracing
