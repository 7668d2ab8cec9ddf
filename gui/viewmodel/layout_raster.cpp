#include "gui/viewmodel/layout_raster.h"

#include <algorithm>
#include <cmath>

#include "gui/charts/palette.h"

namespace yieldloop::viewmodel {
namespace {

using geometry::GeneralTransform;
using layout::Box;
using layout::Cell;
using layout::CellIndex;
using layout::Instance;
using layout::LayerIndex;
using layout::LayerShapes;

constexpr std::uint8_t kCovered = 1;
constexpr std::uint8_t kEdge = 2;
constexpr double kDot = 1.5;       ///< Pixels: what is smaller is not opened.
constexpr double kOutlined = 4.0;  ///< Pixels: what is smaller has no outline.

struct PixelBox {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  double extent() const { return std::max(x1 - x0, y1 - y0); }
};

/// From a cell's database units to pixels, in doubles.
struct ToPixel {
  double xx = 1, xy = 0, yx = 0, yy = 1, dx = 0, dy = 0;

  QPointF at(double x, double y) const { return {xx * x + xy * y + dx, yx * x + yy * y + dy}; }
  QPointF vector(double x, double y) const { return {xx * x + xy * y, yx * x + yy * y}; }
  PixelBox box(const auto& b) const {
    const QPointF p = at(static_cast<double>(b.x_min), static_cast<double>(b.y_min));
    const QPointF q = at(static_cast<double>(b.x_max), static_cast<double>(b.y_max));
    const QPointF r = at(static_cast<double>(b.x_min), static_cast<double>(b.y_max));
    const QPointF s = at(static_cast<double>(b.x_max), static_cast<double>(b.y_min));
    return {std::min({p.x(), q.x(), r.x(), s.x()}), std::min({p.y(), q.y(), r.y(), s.y()}),
            std::max({p.x(), q.x(), r.x(), s.x()}), std::max({p.y(), q.y(), r.y(), s.y()})};
  }
  /// First `inner`, then this.
  ToPixel after(const GeneralTransform& inner) const {
    const QPointF d = at(inner.dx, inner.dy);
    return {xx * inner.xx + xy * inner.yx,
            xx * inner.xy + xy * inner.yy,
            yx * inner.xx + yy * inner.yx,
            yx * inner.xy + yy * inner.yy,
            d.x(),
            d.y()};
  }
  /// The box in cell units of what the picture shows, a little larger.
  Box window(double width, double height) const {
    const double det = xx * yy - xy * yx;
    double x_min = 1e300, y_min = 1e300, x_max = -1e300, y_max = -1e300;
    for (const double px : {-1.0, width + 1}) {
      for (const double py : {-1.0, height + 1}) {
        const double x = (yy * (px - dx) - xy * (py - dy)) / det;
        const double y = (xx * (py - dy) - yx * (px - dx)) / det;
        x_min = std::min(x_min, x), x_max = std::max(x_max, x);
        y_min = std::min(y_min, y), y_max = std::max(y_max, y);
      }
    }
    const auto whole = [](double v) { return std::llround(std::clamp(v, -4e9, 4e9)); };
    return {whole(std::floor(x_min)), whole(std::floor(y_min)), whole(std::ceil(x_max)),
            whole(std::ceil(y_max))};
  }
};

/// The pixels of one layer.
class Mask {
 public:
  Mask(int width, int height)
      : width_(width),
        height_(height),
        bits_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {}

  int width() const { return width_; }
  int height() const { return height_; }
  std::uint8_t at(int x, int y) const { return bits_[index(x, y)]; }
  void clear() { std::ranges::fill(bits_, std::uint8_t{0}); }

  bool shows(const PixelBox& b) const {
    return b.x1 >= 0 && b.y1 >= 0 && b.x0 < width_ && b.y0 < height_;
  }
  void fill(const PixelBox& b) {
    if (!shows(b)) return;
    const int x0 = first(b.x0, width_), x1 = last(b.x0, b.x1, width_);
    const int y0 = first(b.y0, height_), y1 = last(b.y0, b.y1, height_);
    for (int y = y0; y <= y1; ++y) span(x0, x1, y, kCovered);
    if (b.x1 - b.x0 < kOutlined || b.y1 - b.y0 < kOutlined) return;
    if (b.y0 >= 0) span(x0, x1, y0, kEdge);
    if (b.y1 <= height_) span(x0, x1, y1, kEdge);
    for (int y = y0; y <= y1; ++y) {
      if (b.x0 >= 0) bits_[index(x0, y)] |= kEdge;
      if (b.x1 <= width_) bits_[index(x1, y)] |= kEdge;
    }
  }
  /// Even-odd; pixels whose middle is inside.
  void fill(const std::vector<QPointF>& ring, const PixelBox& b) {
    const int y0 = std::max(0, static_cast<int>(std::floor(std::max(b.y0, 0.0))));
    const int y1 = static_cast<int>(std::min<double>(height_ - 1, std::ceil(b.y1)));
    for (int y = y0; y <= y1; ++y) {
      crossings_.clear();
      const double middle = y + 0.5;
      for (std::size_t i = 0; i < ring.size(); ++i) {
        const QPointF& p = ring[i];
        const QPointF& q = ring[(i + 1) % ring.size()];
        if ((p.y() <= middle) == (q.y() <= middle)) continue;
        crossings_.push_back(p.x() + (middle - p.y()) / (q.y() - p.y()) * (q.x() - p.x()));
      }
      std::ranges::sort(crossings_);
      for (std::size_t i = 0; i + 1 < crossings_.size(); i += 2) {
        const double from = crossings_[i], to = crossings_[i + 1];
        if (to < 0 || from >= width_) continue;
        const int x0 = first(from, width_), x1 = last(from, to, width_);
        span(x0, x1, y, kCovered);
        if (to - from < kOutlined) continue;
        if (from >= 0) bits_[index(x0, y)] |= kEdge;
        if (to <= width_) bits_[index(x1, y)] |= kEdge;
      }
    }
  }

 private:
  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) +
           static_cast<std::size_t>(x);
  }
  static int first(double from, int limit) {
    return static_cast<int>(std::floor(std::clamp(from, 0.0, limit - 1.0)));
  }
  /// Never before the first, so that the smallest thing leaves a pixel.
  static int last(double from, double to, int limit) {
    return std::max(first(from, limit),
                    static_cast<int>(std::clamp(std::ceil(to) - 1, 0.0, limit - 1.0)));
  }
  void span(int x0, int x1, int y, std::uint8_t bit) {
    std::uint8_t* row = bits_.data() + index(0, y);
    for (int x = x0; x <= x1; ++x) row[x] = static_cast<std::uint8_t>(row[x] | bit);
  }

  int width_, height_;
  std::vector<std::uint8_t> bits_;
  std::vector<double> crossings_;
};

/// Thrown through the walk when nobody wants the picture any more, or it has become too much.
struct Stop {};

class LayerWalk {
 public:
  LayerWalk(const layout::Layout& layout, LayerIndex layer, Mask& mask, std::uint64_t most,
            const std::function<bool()>& cancelled)
      : layout_(layout), layer_(layer), mask_(mask), most_(most), cancelled_(cancelled) {}

  std::uint64_t drawn() const { return drawn_; }
  bool stopped_by_user() const { return stopped_by_user_; }

  void cell(CellIndex index, const ToPixel& to) {
    const Cell& cell = layout_.cell(index);
    const Box bounds = cell.layer_bbox(layer_);
    if (bounds.empty()) return;
    const PixelBox pixels = to.box(bounds);
    if (!mask_.shows(pixels)) return;
    if (pixels.extent() < kDot) {
      count();
      mask_.fill(pixels);
      return;
    }
    const Box window = to.window(mask_.width(), mask_.height());
    if (const LayerShapes* shapes = cell.find(layer_)) draw(*shapes, to, window);
    cell.for_each_instance_near(layout_, window, [&](std::uint32_t position, std::uint32_t column) {
      const Instance& instance = cell.instances[position];
      if (column == layout::kAllCopies) return place(instance, to);
      this->cell(instance.cell,
                 to.after(placement(instance, layout::Layout::element_at(instance, column, 0))));
    });
  }

 private:
  void count() {
    ++drawn_;
    if ((drawn_ & 4095) == 0 && cancelled_()) {
      stopped_by_user_ = true;
      throw Stop{};
    }
    if (drawn_ > most_) throw Stop{};
  }

  void draw(const LayerShapes& shapes, const ToPixel& to, const Box& window) {
    shapes.for_each_near(window, [&](const layout::CellShape& shape) {
      count();
      const PixelBox pixels = to.box(shape.box);
      if (shape.is_box || (mask_.shows(pixels) && pixels.extent() < 2.0)) return mask_.fill(pixels);
      if (!mask_.shows(pixels)) return;
      ring_.clear();
      for (const layout::Point32 p : shape.points) {
        const layout::Point at = static_cast<layout::Point>(p) + shape.offset;
        ring_.push_back(to.at(static_cast<double>(at.x), static_cast<double>(at.y)));
      }
      mask_.fill(ring_, pixels);
    });
  }

  GeneralTransform placement(const Instance& instance, layout::Point at) const {
    GeneralTransform t =
        instance.general >= 0
            ? layout_.general_transforms()[static_cast<std::size_t>(instance.general)]
            : GeneralTransform::of(geometry::Transform{instance.orientation, {}});
    t.dx = static_cast<double>(at.x);
    t.dy = static_cast<double>(at.y);
    return t;
  }

  void place(const Instance& instance, const ToPixel& to) {
    if (instance.cell == layout::kNoCell) return;
    const Box bounds = layout_.cell(instance.cell).layer_bbox(layer_);
    if (bounds.empty()) return;
    const ToPixel first = to.after(placement(instance, layout::Layout::element_at(instance, 0, 0)));
    if (instance.count() == 1) {
      cell(instance.cell, first);
      return;
    }
    if (instance.offsets != nullptr) {
      for (std::uint32_t i = 0; i < instance.columns; ++i)
        cell(instance.cell,
             to.after(placement(instance, layout::Layout::element_at(instance, i, 0))));
      return;
    }
    const QPointF column = to.vector(instance.column_step.x, instance.column_step.y);
    const QPointF row = to.vector(instance.row_step.x, instance.row_step.y);
    const PixelBox one = first.box(bounds);
    if (is_dense(instance, one, column, row)) {
      fill_array(instance, one, column, row);
      return;
    }
    elements(instance, to, one, column, row);
  }

  static double length(QPointF v) { return std::hypot(v.x(), v.y()); }

  /// Neither the elements nor the gaps between them can be told apart.
  static bool is_dense(const Instance& instance, const PixelBox& one, QPointF column, QPointF row) {
    const bool columns = instance.columns == 1 || length(column) < kDot;
    const bool rows = instance.rows == 1 || length(row) < kDot;
    return columns && rows && one.extent() < kDot;
  }

  void fill_array(const Instance& instance, const PixelBox& one, QPointF column, QPointF row) {
    count();
    const QPointF end = column * (instance.columns - 1.0) + row * (instance.rows - 1.0);
    const QPointF side = column * (instance.columns - 1.0), up = row * (instance.rows - 1.0);
    mask_.fill(PixelBox{one.x0 + std::min({0.0, end.x(), side.x(), up.x()}),
                        one.y0 + std::min({0.0, end.y(), side.y(), up.y()}),
                        one.x1 + std::max({0.0, end.x(), side.x(), up.x()}),
                        one.y1 + std::max({0.0, end.y(), side.y(), up.y()})});
  }

  /// Only the elements whose box may reach the picture.
  void elements(const Instance& instance, const ToPixel& to, const PixelBox& one, QPointF column,
                QPointF row) {
    if (instance.columns == 1 || length(column) == 0) column = {-row.y(), row.x()};
    if (instance.rows == 1 || length(row) == 0) row = {-column.y(), column.x()};
    const double det = column.x() * row.y() - column.y() * row.x();
    double c0 = 0, c1 = instance.columns - 1.0, r0 = 0, r1 = instance.rows - 1.0;
    if (std::abs(det) > 1e-12) {
      double low_c = 1e300, high_c = -1e300, low_r = 1e300, high_r = -1e300;
      for (const double x : {-one.x1 - 1, mask_.width() + 1 - one.x0}) {
        for (const double y : {-one.y1 - 1, mask_.height() + 1 - one.y0}) {
          const double c = (x * row.y() - y * row.x()) / det;
          const double r = (column.x() * y - column.y() * x) / det;
          low_c = std::min(low_c, c), high_c = std::max(high_c, c);
          low_r = std::min(low_r, r), high_r = std::max(high_r, r);
        }
      }
      c0 = std::max(c0, std::floor(low_c)), c1 = std::min(c1, std::ceil(high_c));
      r0 = std::max(r0, std::floor(low_r)), r1 = std::min(r1, std::ceil(high_r));
    }
    for (double r = r0; r <= r1; ++r) {
      for (double c = c0; c <= c1; ++c) {
        const auto at = layout::Layout::element_at(instance, static_cast<std::uint32_t>(c),
                                                   static_cast<std::uint32_t>(r));
        cell(instance.cell, to.after(placement(instance, at)));
      }
    }
  }

  const layout::Layout& layout_;
  LayerIndex layer_;
  Mask& mask_;
  std::uint64_t most_;
  const std::function<bool()>& cancelled_;
  std::uint64_t drawn_ = 0;
  bool stopped_by_user_ = false;
  std::vector<QPointF> ring_;
};

void lay_over(const Mask& mask, const LayerStyle& style, QImage& image) {
  const double edge = 0.95, ink = 0.60, ground = 0.20;
  const int channels[] = {static_cast<int>(style.colour >> 16 & 255),
                          static_cast<int>(style.colour >> 8 & 255),
                          static_cast<int>(style.colour & 255)};
  for (int y = 0; y < mask.height(); ++y) {
    auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
    for (int x = 0; x < mask.width(); ++x) {
      const std::uint8_t bits = mask.at(x, y);
      if (bits == 0) continue;
      if (style.pattern == kOutlineOnly && (bits & kEdge) == 0) continue;
      const double share =
          (bits & kEdge) != 0 ? edge : (layer_pattern(style.pattern, x, y) ? ink : ground);
      const auto mix = [&](int paper, int colour) {
        return static_cast<int>(std::lround(paper + share * (colour - paper)));
      };
      line[x] = qRgb(mix(qRed(line[x]), channels[0]), mix(qGreen(line[x]), channels[1]),
                     mix(qBlue(line[x]), channels[2]));
    }
  }
}

}  // namespace

bool layer_pattern(int pattern, int x, int y) {
  if (pattern == kOutlineOnly) return false;
  x &= 7;
  y &= 7;
  switch (pattern % 8) {
    case 0: return ((x + y) & 7) < 2;
    case 1: return ((x - y) & 7) < 2;
    case 2: return (x & 3) == 0 && (y & 3) == 0;
    case 3: return (y & 3) == 0;
    case 4: return (x & 3) == 0;
    case 5: return ((x + y) & 7) == 0 || ((x - y) & 7) == 0;
    case 6: return ((x ^ y) & 1) == 0;
    default: return true;
  }
}

std::vector<LayerStyle> layer_styles(const layout::FlatView& view, const Product& product) {
  std::vector<LayerStyle> styles;
  std::vector<bool> named(view.layout().layers().size(), false);
  const auto add = [&](LayerIndex layer, const std::string& name, LayerKind kind) {
    const std::string key = layout::to_string(view.layout().layers()[layer]);
    const auto n = static_cast<int>(styles.size());
    styles.push_back({.layer = layer,
                      .name = name.empty() ? key : name + " (" + key + ")",
                      .short_name = name.empty() ? key : name,
                      .colour = charts::category_colour(styles.size()),
                      .pattern = kind == LayerKind::kMarker ? kOutlineOnly : n % 7,
                      .visible = !view.bbox(layer).empty()});
  };
  for (const ProductLayer& layer : product.layers) {
    const auto index = view.layout().find_layer({layer.gds_layer, layer.gds_datatype});
    if (!index || named[*index]) continue;
    named[*index] = true;
    add(*index, layer.name, layer.kind);
  }
  for (LayerIndex i = 0; i < named.size(); ++i) {
    if (!named[i]) add(i, "", LayerKind::kMetal);
  }
  return styles;
}

LayoutPicture draw_layout(const RasterRequest& request, const std::function<bool()>& cancelled) {
  LayoutPicture picture;
  picture.window = request.window;
  picture.image =
      QImage(std::max(1, request.width), std::max(1, request.height), QImage::Format_RGB32);
  picture.image.fill(0xffffffff);
  if (!request.layout || request.top == layout::kNoCell || request.window.isEmpty()) return picture;

  const double um = request.layout->dbu_um();
  const double scale = picture.image.width() / request.window.width();
  const ToPixel to{.xx = um * scale,
                   .yy = -um * scale,
                   .dx = -request.window.left() * scale,
                   .dy = request.window.bottom() * scale};
  Mask mask(picture.image.width(), picture.image.height());
  for (const LayerStyle& style : request.layers) {
    if (!style.visible) continue;
    mask.clear();
    LayerWalk walk(*request.layout, style.layer, mask, request.most_shapes, cancelled);
    try {
      walk.cell(request.top, to);
    } catch (const Stop&) {
      if (walk.stopped_by_user()) {
        picture.cancelled = true;
        return picture;
      }
      picture.complete = false;
    }
    picture.drawn += walk.drawn();
    lay_over(mask, style, picture.image);
  }
  return picture;
}

}  // namespace yieldloop::viewmodel
