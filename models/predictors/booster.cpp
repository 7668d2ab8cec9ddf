#include "models/predictors/booster.h"

#include <fmt/format.h>
#include <xgboost/c_api.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/predictors/model_json.h"

namespace yieldloop::models {
namespace {

constexpr double kGrid = 1.0 / 16'777'216.0;  // 2^-24: sums of such numbers are exact in double.

Error library_error(std::string_view doing) {
  // The library's text goes on with a stack trace; its first line says what is wrong.
  std::string_view text = XGBGetLastError();
  text = text.substr(0, std::min<std::size_t>(text.find('\n'), 200));
  return {Errc::kInternal, "PRED-0003", fmt::format("XGBoost failed while {}: {}", doing, text)};
}

#define YL_XGB(call, doing)                       \
  do {                                            \
    if ((call) != 0) return library_error(doing); \
  } while (false)

void quiet(const char*) {}

/// XGBoost logs to stderr by itself; a library of ours prints nothing.
void silence() { [[maybe_unused]] static const int once = XGBRegisterLogCallback(&quiet); }

struct Matrix {
  DMatrixHandle handle = nullptr;
  Matrix() = default;
  Matrix(Matrix&& other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
  Matrix& operator=(Matrix&& other) noexcept {
    std::swap(handle, other.handle);
    return *this;
  }
  ~Matrix() {
    if (handle) XGDMatrixFree(handle);
  }
};

struct Trees {
  BoosterHandle handle = nullptr;
  Trees() = default;
  Trees(Trees&& other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
  Trees& operator=(Trees&& other) noexcept {
    std::swap(handle, other.handle);
    return *this;
  }
  ~Trees() {
    if (handle) XGBoosterFree(handle);
  }
};

Result<Matrix> make_matrix(const FeatureTable& table, const RowSet& rows, int threads) {
  silence();
  const std::size_t width = table.columns();
  std::vector<float> values;
  values.reserve(rows.size() * width);
  for (const std::uint32_t row : rows) {
    const auto source = table.row(row);
    values.insert(values.end(), source.begin(), source.end());
  }
  Matrix matrix;
  YL_XGB(
      XGDMatrixCreateFromMat_omp(values.data(), rows.size(), width,
                                 std::numeric_limits<float>::quiet_NaN(), &matrix.handle, threads),
      "taking the feature table");
  std::vector<const char*> types;
  for (const FeatureColumn& column : table.schema.columns) {
    types.push_back(is_category(column.source) ? "c" : "float");
  }
  YL_XGB(XGDMatrixSetStrFeatureInfo(matrix.handle, "feature_type", types.data(), types.size()),
         "taking the feature types");
  return matrix;
}

Status set_parameters(BoosterHandle booster, const BoostOptions& o, Target target, double base) {
  const std::vector<std::pair<const char*, std::string>> parameters = {
      {"booster", "gbtree"},
      {"tree_method", "hist"},
      {"objective", target == Target::kDieFail ? "binary:logistic" : "reg:squarederror"},
      {"base_score", fmt::format("{:.9g}", base)},
      {"max_depth", fmt::format("{}", o.depth)},
      {"eta", fmt::format("{:.9g}", o.learning_rate)},
      {"min_child_weight", fmt::format("{:.9g}", o.min_child_weight)},
      {"lambda", fmt::format("{:.9g}", o.l2)},
      {"max_bin", "256"},
      {"seed", fmt::format("{}", o.seed & 0x7FFFFFFFU)},
      {"nthread", fmt::format("{}", o.threads)},
      {"verbosity", "0"},
  };
  for (const auto& [name, value] : parameters) {
    YL_XGB(XGBoosterSetParam(booster, name, value.c_str()), "taking its parameters");
  }
  return Ok{};
}

enum class Output : int { kValue = 0, kMargin = 1, kContributions = 2 };

Result<std::vector<double>> run(BoosterHandle booster, DMatrixHandle matrix, Output output) {
  const std::string config = fmt::format(
      R"({{"type":{},"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":false}})",
      static_cast<int>(output));
  const bst_ulong* shape = nullptr;
  bst_ulong dimensions = 0;
  const float* values = nullptr;
  YL_XGB(XGBoosterPredictFromDMatrix(booster, matrix, config.c_str(), &shape, &dimensions, &values),
         "predicting");
  std::size_t size = 1;
  for (bst_ulong d = 0; d < dimensions; ++d) size *= shape[d];
  return std::vector<double>(values, values + size);
}

double clamped_probability(double p) { return std::clamp(p, 1e-6, 1.0 - 1e-6); }

double sigmoid(double margin) { return 1.0 / (1.0 + std::exp(-margin)); }

/// Mean log loss or mean square, added in row order.
double loss(Target target, const std::vector<double>& margins, const std::vector<float>& y) {
  double sum = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto label = static_cast<double>(y[i]);
    if (target == Target::kDieFail) {
      const double p = std::clamp(sigmoid(margins[i]), 1e-15, 1.0 - 1e-15);
      sum -= label * std::log(p) + (1.0 - label) * std::log(1.0 - p);
    } else {
      sum += (margins[i] - label) * (margins[i] - label);
    }
  }
  return sum / static_cast<double>(y.size());
}

float on_grid(double value) { return static_cast<float>(std::round(value / kGrid) * kGrid); }

void gradients(Target target, const std::vector<double>& margins, const std::vector<float>& y,
               std::vector<float>& gradient, std::vector<float>& hessian) {
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto label = static_cast<double>(y[i]);
    if (target == Target::kDieFail) {
      const double p = sigmoid(margins[i]);
      gradient[i] = on_grid(p - label);
      hessian[i] = std::max(on_grid(p * (1.0 - p)), static_cast<float>(kGrid));
    } else {
      gradient[i] = on_grid(margins[i] - label);
      hessian[i] = 1.0F;
    }
  }
}

Status check(const BoostOptions& o) {
  const bool fine = o.rounds >= 1 && o.rounds <= 2000 && o.depth >= 1 && o.depth <= 12 &&
                    o.learning_rate > 0.0 && o.learning_rate <= 1.0 && o.min_child_weight >= 0.0 &&
                    o.l2 >= 0.0 && o.early_stopping_rounds >= 0 && o.threads >= 1 &&
                    o.threads <= 64;
  if (fine) return Ok{};
  return Error{Errc::kInvalidOptions, "PRED-0001",
               "Training needs 1 to 2000 rounds, depth 1 to 12, a learning rate in (0, 1], "
               "penalties of 0 or more and 1 to 64 threads."};
}

std::vector<float> targets(const FeatureTable& table, const RowSet& rows) {
  std::vector<float> y;
  y.reserve(rows.size());
  for (const std::uint32_t row : rows) y.push_back(table.target[row]);
  return y;
}

Result<std::string> json_of(BoosterHandle booster) {
  bst_ulong size = 0;
  const char* bytes = nullptr;
  YL_XGB(XGBoosterSaveModelToBuffer(booster, R"({"format":"json"})", &size, &bytes),
         "writing the model");
  // A split by category has no threshold, for which XGBoost writes NaN: not JSON, and never read.
  std::string json(bytes, size);
  constexpr std::string_view kNone = "NaN", kZero = "0E0";
  for (auto at = json.find(kNone); at != std::string::npos; at = json.find(kNone, at)) {
    json.replace(at, kNone.size(), kZero);
  }
  return json;
}

/// One training run: the boosting loop with its data.
class Trainer {
 public:
  Trainer(const FeatureTable& table, const BoostOptions& options)
      : target_(table.schema.target), options_(options) {}

  Status prepare(const FeatureTable& table, const RowSet& train, const RowSet& held_out) {
    YL_ASSIGN(train_, make_matrix(table, train, options_.threads));
    y_ = targets(table, train);
    std::vector<DMatrixHandle> cached{train_.handle};
    if (!held_out.empty()) {
      YL_ASSIGN(held_out_, make_matrix(table, held_out, options_.threads));
      held_out_y_ = targets(table, held_out);
      cached.push_back(held_out_.handle);
    }
    double sum = 0.0;
    for (const float y : y_) sum += static_cast<double>(y);
    fit_.base_score = sum / static_cast<double>(y_.size());
    if (target_ == Target::kDieFail) fit_.base_score = clamped_probability(fit_.base_score);
    YL_XGB(XGBoosterCreate(cached.data(), cached.size(), &trees_.handle), "starting");
    return set_parameters(trees_.handle, options_, target_, fit_.base_score);
  }

  Result<BoostFit> run_rounds(Progress& progress) {
    std::vector<float> gradient(y_.size()), hessian(y_.size());
    const auto total = static_cast<std::uint64_t>(options_.rounds);
    int best = 0;
    for (int round = 0; round < options_.rounds; ++round) {
      progress.report("training", static_cast<std::uint64_t>(round), total);
      if (progress.cancelled())
        return Error{Errc::kCancelled, "PRED-0004", "Training was stopped."};
      YL_ASSIGN(const auto margins, run(trees_.handle, train_.handle, Output::kMargin));
      gradients(target_, margins, y_, gradient, hessian);
      YL_XGB(XGBoosterBoostOneIter(trees_.handle, train_.handle, gradient.data(), hessian.data(),
                                   gradient.size()),
             "adding a tree");
      fit_.rounds_used = round + 1;
      if (held_out_y_.empty()) continue;
      YL_ASSIGN(const auto held_out, run(trees_.handle, held_out_.handle, Output::kMargin));
      auto& losses = fit_.held_out_loss;
      losses.push_back(loss(target_, held_out, held_out_y_));
      if (losses.back() < losses[static_cast<std::size_t>(best)]) best = round;
      if (options_.early_stopping_rounds > 0 && round - best >= options_.early_stopping_rounds)
        break;
    }
    if (!held_out_y_.empty() && options_.early_stopping_rounds > 0) fit_.rounds_used = best + 1;
    return finish();
  }

 private:
  Result<BoostFit> finish() {
    Trees cut;
    YL_XGB(XGBoosterSlice(trees_.handle, 0, fit_.rounds_used, 1, &cut.handle), "cutting the model");
    YL_ASSIGN(fit_.model_json, json_of(cut.handle));
    return std::move(fit_);
  }

  Target target_;
  BoostOptions options_;
  Matrix train_, held_out_;
  std::vector<float> y_, held_out_y_;
  Trees trees_;
  BoostFit fit_;
};

}  // namespace

Result<BoostFit> fit(const FeatureTable& table, const RowSet& train, const RowSet& held_out,
                     const BoostOptions& options, Progress& progress) {
  YL_TRY(check(options));
  if (train.empty() || table.columns() == 0) {
    return Error{Errc::kNoData, "PRED-0002", "There is no row or no feature to train on."};
  }
  Trainer trainer(table, options);
  YL_TRY(trainer.prepare(table, train, held_out));
  return trainer.run_rounds(progress);
}

struct Booster::Handle {
  Trees trees;
  int threads = 1;
};

Booster::Booster(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Booster::~Booster() = default;
Booster::Booster(Booster&&) noexcept = default;
Booster& Booster::operator=(Booster&&) noexcept = default;

Result<Booster> Booster::load(std::string_view json, std::size_t features, int threads) {
  silence();
  YL_ASSIGN(const CheckedModel checked, check_model_json(json));
  if (checked.features != features) {
    return Error{
        Errc::kDamaged, "MODL-0008",
        fmt::format("The model has {} features where its manifest names {}; restore it from "
                    "a backup or train again.",
                    checked.features, features)};
  }
  auto handle = std::make_unique<Handle>();
  handle->threads = threads;
  YL_XGB(XGBoosterCreate(nullptr, 0, &handle->trees.handle), "starting");
  YL_XGB(
      XGBoosterLoadModelFromBuffer(handle->trees.handle, checked.text.data(), checked.text.size()),
      "loading the model");
  YL_XGB(XGBoosterSetParam(handle->trees.handle, "nthread", fmt::format("{}", threads).c_str()),
         "taking its parameters");
  return Booster(std::move(handle));
}

Result<std::vector<double>> Booster::predict(const FeatureTable& table, const RowSet& rows) const {
  if (rows.empty()) return std::vector<double>{};
  YL_ASSIGN(const Matrix matrix, make_matrix(table, rows, handle_->threads));
  return run(handle_->trees.handle, matrix.handle, Output::kValue);
}

Result<std::vector<double>> Booster::contributions(const FeatureTable& table,
                                                   const RowSet& rows) const {
  if (rows.empty()) return std::vector<double>{};
  YL_ASSIGN(const Matrix matrix, make_matrix(table, rows, handle_->threads));
  return run(handle_->trees.handle, matrix.handle, Output::kContributions);
}

std::string boosting_library_version() {
  int major = 0, minor = 0, patch = 0;
  XGBoostVersion(&major, &minor, &patch);
  return fmt::format("{}.{}.{}", major, minor, patch);
}

}  // namespace yieldloop::models
