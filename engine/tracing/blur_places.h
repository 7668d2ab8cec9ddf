/// \file
/// Which places share a rate: a class may be too fine or too coarse for its cause.
///
/// A class that was taken up (the seed) is compared with the wider classes that hold most of its
/// places. A wider class's places fall into groups, the classes of larger radius (and the rest).
/// Some groups draw defects at the seed's rate, some do not: with m_g of them at n_g places,
///
///   m_g ~ Poisson(r n_g) or Poisson(r0 n_g),
///
/// a mixture of two rates fitted by EM over the groups. The groups likelier at the high rate are
/// the pattern. The set with the largest penalised statistic, 2 l - 2 log(groups choose taken), is
/// kept, the seed itself among them, so that a cause that several classes share is not reported in
/// pieces, and a class of which only a part is to blame does not blame the rest.
///
/// Source: the penalty is the description length of the choice, J. Rissanen, Automatica 14 (1978)
/// 465.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace yieldloop::tracing {

/// Groups at the high rate, true where so. Shape: events, places are [groups]; both >= 0.
/// With no group or no event nothing is high; when one rate is enough all are.
std::vector<char> high_groups(std::span<const double> events, std::span<const double> places);

}  // namespace yieldloop::tracing
