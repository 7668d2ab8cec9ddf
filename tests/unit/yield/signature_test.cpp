#include "engine/yield/signature.h"

#include <algorithm>
#include <cmath>

#include "catch_portable.h"
#include "engine/core/random.h"

using namespace yieldloop;
using namespace yieldloop::yield;

namespace {

/// Round maps of about 310 die in lots of 10; `rate(wafer, x, y)` with x, y from the middle.
template <class Rate>
FabData maps(int wafers, std::uint64_t seed, Rate rate) {
  FabData data;
  const Random root(seed);
  for (int w = 0; w < wafers; ++w) {
    Wafer wafer;
    wafer.lot = data.names.intern("L" + std::to_string(w / 10));
    data.wafers.push_back(wafer);
    Random random = root.fork(static_cast<std::uint64_t>(w));
    for (std::int16_t y = 0; y < 20; ++y) {
      for (std::int16_t x = 0; x < 20; ++x) {
        const double dx = x - 9.5, dy = y - 9.5;
        if (dx * dx + dy * dy > 100) continue;
        DieResult r;
        r.wafer = WaferId{static_cast<std::uint32_t>(w)};
        r.die = {x, y};
        r.first_pass = r.final_result = true;
        r.pass = !random.chance(rate(w, dx, dy));
        data.die_results.push_back(r);
      }
    }
  }
  return data;
}

int labelled(const SignatureResult& r, Signature s) {
  return static_cast<int>(
      std::ranges::count_if(r.wafers, [s](const WaferSignature& w) { return w.label == s; }));
}

}  // namespace

TEST_CASE("signature: random maps keep the false positive rate", "[yield][signature][null]") {
  // Each test alone at 5 %: 400 maps at three fail rates.
  std::array<int, kSignatureTests> below{};
  int wafers = 0, labels = 0, stacks = 0;
  for (const double rate : {0.03, 0.1, 0.3}) {
    const FabData data = maps(140, 11, [rate](int, double, double) { return rate; });
    const auto r = find_signatures(data);
    REQUIRE(r);
    for (const WaferSignature& w : r->wafers) {
      ++wafers;
      for (std::size_t t = 0; t < kSignatureTests; ++t) below[t] += w.tests[t].p_value <= 0.05;
      labels += w.label != Signature::kNone;
    }
    for (const StackedSignature& s : r->stacks) stacks += s.label != Signature::kNone;
  }
  for (std::size_t t = 0; t < kSignatureTests; ++t) {
    CAPTURE(t, below[t]);
    CHECK(below[t] <= 0.05 * wafers + 2.5 * std::sqrt(0.05 * 0.95 * wafers));
  }
  CHECK(labels <= 3);
  CHECK(stacks <= 2);
}

TEST_CASE("signature: planted patterns get their names", "[yield][signature]") {
  const auto background = 0.05;
  const auto edge = maps(
      20, 1, [&](int, double x, double y) { return std::hypot(x, y) > 8.8 ? 0.5 : background; });
  const auto centre = maps(
      20, 2, [&](int, double x, double y) { return std::hypot(x, y) < 3.5 ? 0.6 : background; });
  const auto donut = maps(20, 3, [&](int, double x, double y) {
    const double r = std::hypot(x, y);
    return r > 4.2 && r < 7.6 ? 0.4 : background;
  });
  const auto local = maps(20, 4, [&](int w, double x, double y) {
    return std::hypot(x - 5, y + (w % 3)) < 2.3 ? 0.9 : background;
  });
  const auto scratch = maps(20, 5, [&](int w, double x, double y) {
    const double a = 0.3 + w * 0.1;
    const double along = x * std::cos(a) + y * std::sin(a);
    return std::abs(y * std::cos(a) - x * std::sin(a) - 1) < 0.6 && std::abs(along) < 7
               ? 0.9
               : background;
  });
  CHECK(labelled(find_signatures(edge).value(), Signature::kEdgeRing) >= 19);
  CHECK(labelled(find_signatures(centre).value(), Signature::kCentre) >= 17);
  CHECK(labelled(find_signatures(donut).value(), Signature::kDonut) >= 18);
  CHECK(labelled(find_signatures(local).value(), Signature::kLocal) >= 17);
  CHECK(labelled(find_signatures(scratch).value(), Signature::kScratch) >= 17);
}

TEST_CASE("signature: a weak ring shows in the stack, a single wafer does not",
          "[yield][signature]") {
  const auto weak = find_signatures(
      maps(40, 6, [](int, double x, double y) { return std::hypot(x, y) > 8.8 ? 0.12 : 0.06; }));
  REQUIRE(weak);
  REQUIRE_FALSE(weak->stacks.empty());
  CHECK(weak->stacks[0].label == Signature::kEdgeRing);
  CHECK(weak->stacks[0].tests[0].excess_fails > 2);
  const auto one = find_signatures(maps(10, 7, [](int w, double x, double y) {
    return w == 4 && std::hypot(x, y) < 4 ? 1.0 : 0.05;
  }));
  CHECK(one->wafers[4].label == Signature::kCentre);
  CHECK(one->stacks[0].label == Signature::kNone);
  const auto presence = signature_presence(*one, Signature::kCentre, 11);
  CHECK(presence[4] == 1.0);
  CHECK(presence[3] == 0.0);
  CHECK(std::isnan(presence[10]));
}

TEST_CASE("signature: the order of rows does not matter; few fails are none",
          "[yield][signature]") {
  FabData data = maps(6, 8, [](int, double x, double) { return x > 5 ? 0.4 : 0.05; });
  const auto before = find_signatures(data).value();
  Random random(2);
  random.shuffle(data.die_results);
  CHECK(find_signatures(data).value() == before);
  const auto clean = find_signatures(maps(3, 9, [](int, double, double) { return 0.0; }));
  CHECK(labelled(*clean, Signature::kNone) == 3);
}

TEST_CASE("signature: names and refusals", "[yield][signature][error]") {
  CHECK(signature_of("edge_ring") == Signature::kEdgeRing);
  CHECK(signature_of("nonsense") == Signature::kNone);
  CHECK(signature_name(Signature::kScratch) == "scratch");
  CHECK(find_signatures(FabData{}).error().id == "SIGN-0002");
  CHECK(find_signatures(FabData{}, {.alpha = 0}).error().id == "SIGN-0001");
}
