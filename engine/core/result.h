/// \file
/// `Result<T>`: a value, or the reason there is none.
///
/// Stands in for C++23 `std::expected<T, Error>` and keeps its member names, so that the
/// day the toolchain has it this file becomes one alias. Input we did not write (files,
/// user options, plugins) fails through `Result`; a broken promise inside our own code is
/// an assertion, never an `Error`.
#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace yieldloop {

/// What kind of failure; the command line turns it into an exit status (engine/cli/exit_status.h).
enum class Errc : std::uint8_t {
  kInvalidOptions,  ///< The caller asked for something that makes no sense.
  kNotFound,        ///< No such file, product, layer, model, ...
  kNoData,          ///< It exists, but there is nothing to work on.
  kIo,              ///< The operating system refused; the message says what and where.
  kNoSpace,         ///< The disk is full.
  kFormat,          ///< A file that breaks its own format.
  kUnsupported,     ///< Understood, but not something this version does.
  kBusy,            ///< Another process holds the store, a port, ...
  kDamaged,         ///< Stored data failed its checksum or its schema.
  kDenied,          ///< Lack of rights.
  kCancelled,       ///< The user asked to stop.
  kInternal,        ///< Our own mistake, caught at the border.
};

/// `message` is one sentence a fab engineer can act on; `id` never changes once released
/// and is catalogued in docs/messages.md, e.g. "STDF-0003".
struct Error {
  Errc code{};
  std::string id;
  std::string message;
  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  /// REQUIRES: has_value().
  const T& value() const& { return assert(has_value()), *std::get_if<0>(&state_); }
  T& value() & { return assert(has_value()), *std::get_if<0>(&state_); }
  /// By value, so that `for (auto& x : f().value())` holds what it walks over.
  T value() && { return assert(has_value()), std::move(*std::get_if<0>(&state_)); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  /// REQUIRES: !has_value().
  const Error& error() const { return assert(!has_value()), *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value: `return Ok{};`.
struct Ok {
  friend bool operator==(Ok, Ok) = default;
};
using Status = Result<Ok>;

}  // namespace yieldloop

/// Returns the error of `expr` from the enclosing function, or goes on.
#define YL_TRY(expr)                                                   \
  do {                                                                 \
    if (auto yl_status = (expr); !yl_status) return yl_status.error(); \
  } while (false)

#define YL_CONCAT_(a, b) a##b
#define YL_CONCAT(a, b) YL_CONCAT_(a, b)
#define YL_ASSIGN_(tmp, decl, expr) \
  auto tmp = (expr);                \
  if (!tmp) return tmp.error();     \
  decl = std::move(tmp).value()
/// `YL_ASSIGN(auto x, compute());`: x is the value, or the error is returned.
#define YL_ASSIGN(decl, expr) YL_ASSIGN_(YL_CONCAT(yl_result_, __LINE__), decl, expr)
