#include "engine/store/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace yieldloop::store {
namespace {

Error to_error(sqlite3* handle, int code) {
  const char* reason = handle == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle);
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return {
          Errc::kNoSpace, "STOR-0004",
          "The disk is full: the store's catalog was not changed. Free some space and try again."};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {
          Errc::kDamaged, "STOR-0005",
          fmt::format("The store's catalog is damaged ({}); restore it from a backup.", reason)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Errc::kBusy, "STOR-0006",
              "The store's catalog is held by another process; try again when it has ended."};
    default:
      return {Errc::kIo, "STOR-0004",
              fmt::format("The store's catalog could not be used: {}.", reason)};
  }
}

}  // namespace

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(std::int64_t value) {
  sqlite3_bind_int64(statement_, ++bound_, value);
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  sqlite3_bind_text64(statement_, ++bound_, value.data() == nullptr ? "" : value.data(),
                      value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(std::optional<std::int64_t> value) {
  if (value) return bind(*value);
  sqlite3_bind_null(statement_, ++bound_);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return to_error(sqlite3_db_handle(statement_), code);
}

Status Statement::run() {
  for (;;) {
    const auto more = step();
    if (!more) {
      Error error = more.error();
      sqlite3_reset(statement_);
      return error;
    }
    if (!*more) break;
  }
  sqlite3_reset(statement_);
  bound_ = 0;
  return Ok{};
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::optional<std::int64_t> Statement::maybe_integer(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return integer(column);
}

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Result<Database> Database::open(const fs::path& path, Access access) {
  auto open_with = [](const std::string& name, int flags, int& code) {
    sqlite3* raw = nullptr;
    code = sqlite3_open_v2(name.c_str(), &raw, flags | SQLITE_OPEN_FULLMUTEX, nullptr);
    return std::unique_ptr<sqlite3, Close>(raw);
  };
  int flags = SQLITE_OPEN_READONLY;
  if (access == Access::kWrite) flags = SQLITE_OPEN_READWRITE;
  if (access == Access::kCreate) flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  int code = SQLITE_OK;
  auto handle = open_with(path.string(), flags, code);
  if (code != SQLITE_OK) return to_error(handle.get(), code);
  sqlite3_busy_timeout(handle.get(), 10'000);
  Database database(std::move(handle));
  // The first read shows whether the file can be used; a store on a read-only medium cannot
  // share memory with a writer, and needs none: it does not change.
  const auto probe = database.integer("SELECT count(*) FROM sqlite_master");
  if (!probe && probe.error().code != Errc::kDamaged && access == Access::kRead &&
      !fs::exists(fs::path(path) += "-wal")) {
    auto fixed = open_with("file:" + path.string() + "?immutable=1", flags | SQLITE_OPEN_URI, code);
    if (code == SQLITE_OK) return Database(std::move(fixed));
  }
  if (!probe) return probe.error();
  return database;
}

Status Database::run(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return to_error(handle_.get(), code);
  return Ok{};
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  if (code != SQLITE_OK) return to_error(handle_.get(), code);
  return Statement(raw);
}

Result<std::optional<std::int64_t>> Database::integer(std::string_view sql) const {
  YL_ASSIGN(auto statement, prepare(sql));
  YL_ASSIGN(const bool found, statement.step());
  if (!found) return std::optional<std::int64_t>();
  return statement.maybe_integer(0);
}

Status Database::copy_to(const fs::path& target) const {
  YL_ASSIGN(auto copy, open(target, Access::kCreate));
  sqlite3_backup* backup = sqlite3_backup_init(copy.handle_.get(), "main", handle_.get(), "main");
  if (backup == nullptr) return to_error(copy.handle_.get(), sqlite3_errcode(copy.handle_.get()));
  sqlite3_backup_step(backup, -1);
  const int code = sqlite3_backup_finish(backup);
  if (code != SQLITE_OK) return to_error(copy.handle_.get(), code);
  return Ok{};
}

}  // namespace yieldloop::store
