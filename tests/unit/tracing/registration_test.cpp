#include "engine/tracing/registration.h"

#include "catch_portable.h"
#include "engine/core/random.h"

using namespace yieldloop;
using namespace yieldloop::tracing;

namespace {

constexpr double kSide = 1500.0;

/// A window with classes of places strewn over it.
struct Field {
  std::vector<RectUm> places;
  std::vector<std::vector<std::uint32_t>> classes;

  void strew(int count, Random& random) {
    auto& of = classes.emplace_back();
    for (int i = 0; i < count; ++i) {
      const double x = random.uniform(10.0, kSide - 10.0);
      const double y = random.uniform(10.0, kSide - 10.0);
      of.push_back(static_cast<std::uint32_t>(places.size()));
      places.push_back({x - 0.1, y - 0.05, x + 0.1, y + 0.05});
    }
  }
  RegistrationInput input(std::vector<PointUm> defects) const {
    RegistrationInput in{places, {}, std::move(defects), {0.0, 0.0, kSide, kSide}};
    for (const auto& c : classes) in.classes.emplace_back(c);
    return in;
  }
};

Field strewn(std::uint64_t seed) {
  Field f;
  Random random(seed);
  for (const int n : {150, 400, 300, 2000, 60}) f.strew(n, random);
  return f;
}

std::vector<PointUm> uniform(int count, Random& random) {
  std::vector<PointUm> out;
  for (int i = 0; i < count; ++i) {
    const double x = random.uniform(0.0, kSide);
    out.push_back({x, random.uniform(0.0, kSide)});
  }
  return out;
}

/// Defects at a class's places, seen by a tool whose frame `wrong` has to be mended with.
void add_hot(const Field& f, std::size_t which, int count, double sigma, const Alignment& wrong,
             Random& random, std::vector<PointUm>& defects) {
  for (int i = 0; i < count; ++i) {
    const auto& of = f.classes[which];
    const RectUm& r = f.places[of[random.below(of.size())]];
    const double x = random.uniform(r.x_min, r.x_max) + random.normal(0.0, sigma);
    const PointUm at{x, random.uniform(r.y_min, r.y_max) + random.normal(0.0, sigma)};
    // The inverse to first order, three times repeated: exact to 1e-9.
    Alignment turn = wrong;
    turn.shift = {}, turn.rotation = turn.scale = 0.0;
    turn.orientation = geometry::inverse(wrong.orientation);
    PointUm q = turn(at);
    for (int step = 0; step < 4; ++step) {
      const PointUm p = wrong(q);
      Alignment back = turn;
      const PointUm off = back({wrong.centre.x + at.x - p.x, wrong.centre.y + at.y - p.y});
      q = {q.x + off.x - wrong.centre.x, q.y + off.y - wrong.centre.y};
    }
    defects.push_back(q);
  }
}

Alignment shifted(double x, double y) {
  Alignment a;
  a.centre = {kSide / 2, kSide / 2};
  a.shift = {x, y};
  return a;
}

}  // namespace

TEST_CASE("registration: an unknown shift of two micrometres is found", "[tracing][registration]") {
  const Field f = strewn(1);
  Random random(2);
  auto defects = uniform(3000, random);
  add_hot(f, 1, 300, 0.5, shifted(1.7, -1.1), random, defects);
  const Registration r = register_defects(f.input(defects));
  CHECK(r.verdict == RegistrationVerdict::kMoved);
  CHECK(r.best.feature == 1);
  CHECK_THAT(r.best.alignment.shift.x, WithinAbs(1.7, 4.0 * r.shift_error.x));
  CHECK_THAT(r.best.alignment.shift.y, WithinAbs(-1.1, 4.0 * r.shift_error.y));
  CHECK_THAT(r.best.alignment.shift.x, WithinAbs(1.7, 0.2));
  CHECK_THAT(r.shift_error.x, WithinAbs(0.5 / std::sqrt(300.0), 0.015));
  CHECK_THAT(r.best.sigma_um, WithinAbs(0.5, 0.08));
  CHECK(r.over_header > 20.0);
}

TEST_CASE("registration: rotation and scale are found with the shift", "[tracing][registration]") {
  const Field f = strewn(3);
  Random random(4);
  auto defects = uniform(1500, random);
  Alignment wrong = shifted(-2.0, 0.8);
  wrong.rotation = 1.5e-3;
  wrong.scale = -8e-4;
  add_hot(f, 0, 300, 0.3, wrong, random, defects);
  const Registration r = register_defects(f.input(defects));
  REQUIRE(r.verdict == RegistrationVerdict::kMoved);
  for (const PointUm corner : {PointUm{0.0, 0.0}, PointUm{kSide, 0.0}, PointUm{kSide, kSide}}) {
    const PointUm is = r.alignment()(corner), should = wrong(corner);
    CHECK_THAT(is.x, WithinAbs(should.x, 0.2));
    CHECK_THAT(is.y, WithinAbs(should.y, 0.2));
  }
}

TEST_CASE("registration: each of the eight orientations is found", "[tracing][registration]") {
  const Field f = strewn(5);
  for (int o = 1; o < 8; ++o) {
    Random random(10 + static_cast<std::uint64_t>(o));
    auto defects = uniform(1000, random);
    Alignment wrong = shifted(0.5, 1.0);
    wrong.orientation = static_cast<geometry::Orientation>(o);
    add_hot(f, 2, 200, 0.3, wrong, random, defects);
    const Registration r = register_defects(f.input(defects));
    CHECK(r.verdict == RegistrationVerdict::kMoved);
    CHECK(r.best.alignment.orientation == wrong.orientation);
    CHECK_THAT(r.best.alignment.shift.x, WithinAbs(0.5, 0.15));
    CHECK_THAT(r.best.alignment.shift.y, WithinAbs(1.0, 0.15));
  }
}

TEST_CASE("registration: a right header is confirmed and left alone", "[tracing][registration]") {
  const Field f = strewn(6);
  Random random(7);
  auto defects = uniform(2000, random);
  add_hot(f, 1, 200, 0.4, shifted(0.0, 0.0), random, defects);
  const Registration r = register_defects(f.input(defects));
  CHECK(r.verdict == RegistrationVerdict::kConfirmed);
  CHECK(r.alignment() == Alignment{});
}

TEST_CASE("registration: a right header with much evidence and uneven places is left alone",
          "[tracing][registration]") {
  // Places drawn with very different rates, in one class and in a wider one that holds it: what
  // is counted at most at one place differs between fits, and must not look like evidence.
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    Random random(40 + seed);
    Field f;
    f.strew(280, random);
    f.strew(900, random);
    auto wide = f.classes[0];
    wide.insert(wide.end(), f.classes[1].begin(), f.classes[1].begin() + 200);
    f.classes.push_back(std::move(wide));
    auto defects = uniform(2500, random);
    for (std::size_t i = 0; i < 280; ++i) {
      const RectUm& r = f.places[f.classes[0][i]];
      const int count = i % 7 == 0 ? 25 : i % 3 == 0 ? 8 : 2;
      for (int k = 0; k < count; ++k) {
        const double x = random.uniform(r.x_min, r.x_max) + random.normal(0.0, 0.31);
        defects.push_back({x, random.uniform(r.y_min, r.y_max) + random.normal(0.0, 0.31)});
      }
    }
    const Registration r = register_defects(f.input(defects));
    CHECK(r.verdict == RegistrationVerdict::kConfirmed);
    CHECK(r.over_header < 7.0);
    CHECK(r.alignment() == Alignment{});
  }
}

TEST_CASE("registration: uniform defects register nothing", "[tracing][registration]") {
  const Field f = strewn(8);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(100 + seed);
    const Registration r = register_defects(f.input(uniform(3000, random)));
    CHECK(r.verdict == RegistrationVerdict::kUndetermined);
  }
}

TEST_CASE("registration: a repeater registers nothing", "[tracing][registration]") {
  const Field f = strewn(9);
  Random random(10);
  auto defects = uniform(2000, random);
  const RectUm& r = f.places[f.classes[1].front()];
  for (int i = 0; i < 200; ++i) {
    const double x = r.x_min + 2.0 + random.normal(0.0, 0.3);
    defects.push_back({x, r.y_min - 1.5 + random.normal(0.0, 0.3)});
  }
  CHECK(register_defects(f.input(defects)).verdict == RegistrationVerdict::kUndetermined);
}

TEST_CASE("registration: a periodic layout is refused with its candidates",
          "[tracing][registration]") {
  Field f;
  auto& of = f.classes.emplace_back();
  for (int y = 0; y < 120; ++y) {
    for (int x = 0; x < 120; ++x) {
      of.push_back(static_cast<std::uint32_t>(f.places.size()));
      const double px = 200.0 + 4.0 * x, py = 200.0 + 4.0 * y;
      f.places.push_back({px - 0.1, py - 0.1, px + 0.1, py + 0.1});
    }
  }
  Random random(11);
  auto defects = uniform(500, random);
  add_hot(f, 0, 400, 0.3, shifted(1.5, 0.7), random, defects);
  const Registration r = register_defects(f.input(defects));
  REQUIRE(r.verdict == RegistrationVerdict::kAmbiguous);
  REQUIRE(r.candidates.size() >= 2);
  CHECK(r.alignment() == Alignment{});
  for (const RegistrationCandidate& c : r.candidates) {
    const double x = c.alignment.shift.x - 1.5, y = c.alignment.shift.y - 0.7;
    CHECK_THAT(x - 4.0 * std::round(x / 4.0), WithinAbs(0.0, 0.2));
    CHECK_THAT(y - 4.0 * std::round(y / 4.0), WithinAbs(0.0, 0.2));
  }
}

TEST_CASE("registration: too few defects or no places say so", "[tracing][registration][error]") {
  const Field f = strewn(12);
  Random random(13);
  CHECK(register_defects(f.input(uniform(3, random))).verdict ==
        RegistrationVerdict::kUndetermined);
  CHECK(register_defects(f.input({})).verdict == RegistrationVerdict::kUndetermined);
  const Field none;
  CHECK(register_defects(none.input(uniform(100, random))).verdict ==
        RegistrationVerdict::kUndetermined);
}
