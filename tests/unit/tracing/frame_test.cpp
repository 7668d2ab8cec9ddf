#include "engine/tracing/frame.h"

#include <algorithm>

#include "catch_portable.h"
#include "engine/core/fab_data.h"
#include "engine/core/random.h"
#include "engine/tracing/exposure.h"

using namespace yieldloop;
using namespace yieldloop::tracing;

namespace {

Product product(Orientation orientation) {
  Product p;
  p.name = "P";
  p.layout_file = "p.gds";
  p.die_width_um = 2000.0;
  p.die_height_um = 2000.0;
  p.layout_origin_x_um = 1000.0;
  p.layout_origin_y_um = 990.0;
  p.orientation = orientation;
  return p;
}

}  // namespace

TEST_CASE("frame: eight orientations there and back", "[tracing][frame]") {
  Random random(1);
  for (int o = 0; o < 8; ++o) {
    const auto frame =
        Frame::make(product(static_cast<Orientation>(o)), {-900.0, -900.0, 900.0, 900.0}).value();
    for (int i = 0; i < 50; ++i) {
      const PointUm p{random.uniform(-900.0, 900.0), random.uniform(-900.0, 900.0)};
      const PointUm back = frame.to_layout(frame.to_die(p));
      CHECK_THAT(back.x, WithinAbs(p.x, 1e-9));
      CHECK_THAT(back.y, WithinAbs(p.y, 1e-9));
    }
  }
}

TEST_CASE("frame: orientations turn the way the product file says", "[tracing][frame]") {
  const RectUm box{-100.0, -100.0, 100.0, 100.0};
  const auto at = [&](Orientation o) {
    return Frame::make(product(o), box).value().to_die(PointUm{10.0, 3.0});
  };
  CHECK(at(Orientation::kR0) == PointUm{1010.0, 993.0});
  CHECK(at(Orientation::kR90) == PointUm{997.0, 1000.0});
  CHECK(at(Orientation::kR180) == PointUm{990.0, 987.0});
  CHECK(at(Orientation::kR270) == PointUm{1003.0, 980.0});
  CHECK(at(Orientation::kMx) == PointUm{1010.0, 987.0});
  CHECK(at(Orientation::kMx90) == PointUm{1003.0, 1000.0});
  CHECK(at(Orientation::kMy) == PointUm{990.0, 993.0});
  CHECK(at(Orientation::kMy90) == PointUm{997.0, 980.0});
}

TEST_CASE("frame: what does not fit is refused", "[tracing][frame][error]") {
  Product p = product(Orientation::kR0);
  CHECK(Frame::make(p, {-2000.0, -900.0, 900.0, 900.0}).error().id == "FRAM-0002");
  CHECK(Frame::make(p, {-0.9, -0.9, 0.9, 0.9}).error().id == "FRAM-0003");
  CHECK(Frame::make(p, {-9e5, -9e5, 9e5, 9e5}).error().id == "FRAM-0002");
  p.layout_file.clear();
  CHECK(Frame::make(p, {-1.0, -1.0, 1.0, 1.0}).error().id == "FRAM-0001");
}

TEST_CASE("exposure: only inspected die and the layout's own area count", "[tracing][exposure]") {
  FabData data;
  data.product = product(Orientation::kR0);
  data.product.layout_origin_x_um = data.product.layout_origin_y_um = 0.0;
  data.wafers.emplace_back();
  Inspection i;
  i.step = data.names.intern("S");
  i.inspected = {{0, 0}, {1, 0}};
  data.inspections.push_back(i);
  const auto add = [&](std::int16_t die, double x, double y) {
    Defect d;
    d.die = {die, 0};
    d.x_um = x;
    d.y_um = y;
    data.defects.push_back(d);
  };
  add(0, 10.0, 20.0), add(1, 1999.0, 5.0), add(2, 10.0, 20.0), add(0, 30.0, 30.0);
  const auto frame = Frame::make(data.product, {0.0, 0.0, 1000.0, 1500.0}).value();
  const std::vector<char> exclude{0, 0, 0, 1};
  const auto e = step_exposure(data, frame, "S", exclude).value();
  CHECK(e.area_um2 == 2.0 * 1000.0 * 1500.0);
  CHECK(e.defects.size() == 1);
  CHECK(e.outside == 2);
  CHECK(e.excluded == 1);
  CHECK(e.defects[0].at == PointUm{10.0, 20.0});
  CHECK(step_exposure(data, frame, "T").error().id == "EXPO-0001");
  const auto c = control_points(e.window, 1000, 3);
  CHECK(c == control_points(e.window, 1000, 3));
  for (const PointUm p : c) CHECK(e.window.contains(p));
}

namespace {

/// Two die of 2 x 2 mm on a wafer, the whole of them drawn.
FabData two_die(double area_cm2) {
  FabData data;
  data.product = product(Orientation::kR0);
  data.product.layout_origin_x_um = data.product.layout_origin_y_um = 0.0;
  data.wafers.emplace_back();
  Inspection i;
  i.step = data.names.intern("S");
  i.inspected = {{0, 0}, {1, 0}};
  i.area_cm2 = area_cm2;
  data.inspections.push_back(i);
  return data;
}

void strew(FabData& data, int count, double scale) {
  Random random(5);
  for (int k = 0; k < count; ++k) {
    Defect d;
    d.die = {static_cast<std::int16_t>(random.below(2)), 0};
    d.x_um = scale * random.uniform(0.0, 2000.0);
    d.y_um = scale * random.uniform(0.0, 2000.0);
    data.defects.push_back(d);
  }
}

StepExposure exposure_of(const FabData& data) {
  const auto frame = Frame::make(data.product, {0.0, 0.0, 2000.0, 2000.0}).value();
  return step_exposure(data, frame, "S").value();
}

bool says(const StepExposure& exposure, const std::string& words) {
  return std::ranges::any_of(
      exposure.caveats, [&](const std::string& c) { return c.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("exposure: AREAPERTEST scales what was seen, or is doubted aloud",
          "[tracing][exposure]") {
  const auto at = [](double area) {
    FabData data = two_die(area);
    strew(data, 50, 1.0);
    return exposure_of(data);
  };
  CHECK(at(0.0).seen_share == 1.0);
  CHECK(at(0.08).caveats.empty());
  CHECK_THAT(at(0.02).seen_share, WithinAbs(0.25, 1e-12));
  CHECK_THAT(at(0.02).area_um2, WithinAbs(0.25 * 2.0 * 4e6, 1e-3));
  CHECK(says(at(0.02), "Only 25 %"));
  CHECK(at(0.16).seen_share == 1.0);
  CHECK(says(at(0.16), "several tests"));
  CHECK(at(8e6).seen_share == 1.0);
  CHECK(says(at(8e6), "unit mistake"));
}

TEST_CASE("exposure: coordinates a thousand times off are refused", "[tracing][exposure][error]") {
  for (const double scale : {1000.0, 0.001}) {
    FabData data = two_die(0.0);
    strew(data, 100, scale);
    const auto frame = Frame::make(data.product, {0.0, 0.0, 2000.0, 2000.0}).value();
    CHECK(step_exposure(data, frame, "S").error().id == "EXPO-0002");
  }
}

TEST_CASE("exposure: defects all on one die are said to be", "[tracing][exposure]") {
  FabData data = two_die(0.0);
  strew(data, 50, 1.0);
  for (Defect& d : data.defects) d.die = {0, 0};
  CHECK(says(exposure_of(data), "one of 2 inspected die"));
}

TEST_CASE("exposure: what lies beyond the wafer's edge was not seen", "[tracing][exposure]") {
  FabData data = two_die(0.0);
  // The wafer's centre is the middle of die 0; its edge cuts die 1 in the middle.
  data.product.wafer_diameter_mm = 4.0;
  data.product.edge_exclusion_mm = 0.0;
  data.inspections[0].sample_center_x_um = 1000.0;
  data.inspections[0].sample_center_y_um = 1000.0;
  Random random(6);
  for (int k = 0; k < 40; ++k) {
    Defect d;
    d.x_um = random.uniform(500.0, 1500.0), d.y_um = random.uniform(500.0, 1500.0);
    data.defects.push_back(d);
  }
  const StepExposure e = exposure_of(data);
  CHECK(e.coverage.at({200.0, 1000.0}) == 1.0);
  CHECK(e.coverage.at({1800.0, 1000.0}) == 0.5);
  CHECK(says(e, "beyond the wafer's edge"));
  CHECK(e.area_um2 < 2.0 * 4e6);
  CHECK(e.area_um2 > 1.4 * 4e6);
}
