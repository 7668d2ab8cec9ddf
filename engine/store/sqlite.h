/// \file
/// SQLite as values and Results; the only file that includes sqlite3.h is sqlite.cpp.
/// Internal to the store.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/core/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace yieldloop::store {

namespace fs = std::filesystem;

/// A prepared statement. `bind` in order, then `step` until it says false.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  Statement(Statement&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)), bound_(other.bound_) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(statement_, other.statement_);
    std::swap(bound_, other.bound_);
    return *this;
  }
  ~Statement();

  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view value);
  Statement& bind(std::optional<std::int64_t> value);
  /// Whether there is a row. Errors: as Database.
  Result<bool> step();
  /// Steps to the end and makes the statement ready to be bound again.
  Status run();

  std::int64_t integer(int column) const;
  std::optional<std::int64_t> maybe_integer(int column) const;
  std::string text(int column) const;

 private:
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

/// Errors of every call: kNoSpace (STOR-0004) when the disk is full; kDamaged (STOR-0005) when
/// the catalog is; kBusy (STOR-0006) when another process holds it; kIo (STOR-0004) otherwise.
class Database {
 public:
  enum class Access : std::uint8_t { kRead, kWrite, kCreate };
  static Result<Database> open(const fs::path& path, Access access);

  Status run(const std::string& sql);
  Result<Statement> prepare(std::string_view sql) const;
  /// The first column of the first row; nothing when there is no row.
  Result<std::optional<std::int64_t>> integer(std::string_view sql) const;
  /// A consistent copy while others go on writing. The target is replaced.
  Status copy_to(const fs::path& target) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  explicit Database(std::unique_ptr<sqlite3, Close> handle) : handle_(std::move(handle)) {}
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace yieldloop::store
