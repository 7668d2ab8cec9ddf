#include "engine/store/query_engine.h"

#include <duckdb.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "engine/core/text.h"
#include "engine/store/duckdb_result.h"
#include "engine/store/sql.h"

namespace yieldloop::store {
namespace {

struct Prepared {
  duckdb_prepared_statement handle = nullptr;
  Prepared() = default;
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ~Prepared() { duckdb_destroy_prepare(&handle); }
};

struct Extracted {
  duckdb_extracted_statements handle = nullptr;
  Extracted() = default;
  Extracted(const Extracted&) = delete;
  Extracted& operator=(const Extracted&) = delete;
  ~Extracted() { duckdb_destroy_extracted(&handle); }
};

/// DuckDB's own words, first line only, without its class of error.
Error sql_error(const char* reason) {
  std::string_view text = reason == nullptr ? "unknown reason" : reason;
  text = trim(text.substr(0, text.find('\n')));
  while (!text.empty() && (text.back() == '.' || text.back() == '!')) text.remove_suffix(1);
  return {Errc::kInvalidOptions, "STOR-0010",
          fmt::format("The query did not run: {}.", to_valid_utf8(text))};
}

Error not_reading() {
  return {
      Errc::kInvalidOptions, "STOR-0009",
      "Only one reading statement is run (SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW "
      "or EXPLAIN of one); the store is never changed by a query."};
}

/// Takes words off the front of SQL, past blanks, comments and opening brackets.
class LeadingWords {
 public:
  explicit LeadingWords(std::string_view sql) : rest_(sql) {}

  std::string next() {
    skip();
    std::size_t n = 0;
    while (n < rest_.size() && (std::isalpha(static_cast<unsigned char>(rest_[n])) != 0)) ++n;
    std::string word = to_lower(rest_.substr(0, n));
    rest_.remove_prefix(n);
    return word;
  }

 private:
  void skip() {
    for (;;) {
      if (rest_.starts_with("--")) {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      } else if (rest_.starts_with("/*")) {
        const std::size_t end = rest_.find("*/", 2);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 2);
      } else if (!rest_.empty() &&
                 (rest_[0] == '(' || std::isspace(static_cast<unsigned char>(rest_[0])) != 0)) {
        rest_.remove_prefix(1);
      } else {
        return;
      }
    }
  }
  std::string_view rest_;
};

bool starts_like_reading(std::string_view sql) {
  constexpr std::array<std::string_view, 4> kSelecting{"select", "with", "from", "values"};
  constexpr std::array<std::string_view, 4> kDescribing{"describe", "desc", "summarize", "show"};
  LeadingWords words(sql);
  std::string word = words.next();
  if (word == "explain") {
    word = words.next();
    if (word == "analyze") word = words.next();
    return std::ranges::find(kSelecting, word) != kSelecting.end();
  }
  return std::ranges::find(kSelecting, word) != kSelecting.end() ||
         std::ranges::find(kDescribing, word) != kDescribing.end();
}

}  // namespace

struct QueryEngine::Impl {
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  std::mutex mutex;  ///< A DuckDB connection runs one statement at a time.

  ~Impl() {
    if (connection != nullptr) duckdb_disconnect(&connection);
    if (database != nullptr) duckdb_close(&database);
  }

  Status run(const std::string& sql) {
    duckdb_result result;
    const bool failed = duckdb_query(connection, sql.c_str(), &result) == DuckDBError;
    Error error;
    if (failed) {
      error = sql_error(duckdb_result_error(&result));
      error.code = Errc::kInternal;
    }
    duckdb_destroy_result(&result);
    if (failed) return error;
    return Ok{};
  }

  /// Prepares `sql` if it is one reading statement.
  Status prepare(const std::string& sql, Prepared& prepared) {
    Extracted extracted;
    const idx_t count = duckdb_extract_statements(connection, sql.c_str(), &extracted.handle);
    if (count == 0) {
      const char* reason = duckdb_extract_statements_error(extracted.handle);
      return reason == nullptr ? not_reading() : sql_error(reason);
    }
    if (count != 1) return not_reading();
    if (duckdb_prepare_extracted_statement(connection, extracted.handle, 0, &prepared.handle) ==
        DuckDBError) {
      return sql_error(duckdb_prepare_error(prepared.handle));
    }
    const duckdb_statement_type type = duckdb_prepared_statement_type(prepared.handle);
    if (type != DUCKDB_STATEMENT_TYPE_SELECT && type != DUCKDB_STATEMENT_TYPE_EXPLAIN) {
      return not_reading();
    }
    return Ok{};
  }

  Result<Table> execute(Prepared& prepared) {
    duckdb_result result;
    if (duckdb_execute_prepared(prepared.handle, &result) == DuckDBError) {
      const Error error = sql_error(duckdb_result_error(&result));
      duckdb_destroy_result(&result);
      return error;
    }
    Table table = to_table(result);
    duckdb_destroy_result(&result);
    return table;
  }
};

QueryEngine::QueryEngine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
QueryEngine::~QueryEngine() = default;

Result<std::unique_ptr<QueryEngine>> QueryEngine::open(unsigned threads) {
  auto impl = std::make_unique<Impl>();
  duckdb_config config = nullptr;
  duckdb_create_config(&config);
  duckdb_set_config(config, "autoinstall_known_extensions", "false");
  duckdb_set_config(config, "autoload_known_extensions", "false");
  duckdb_set_config(config, "allow_community_extensions", "false");
  if (threads > 0) duckdb_set_config(config, "threads", std::to_string(threads).c_str());
  char* reason = nullptr;
  const bool failed = duckdb_open_ext(nullptr, &impl->database, config, &reason) == DuckDBError;
  duckdb_destroy_config(&config);
  if (failed) {
    Error error = sql_error(reason);
    error.code = Errc::kInternal;
    duckdb_free(reason);
    return error;
  }
  duckdb_connect(impl->database, &impl->connection);
  YL_TRY(impl->run("SET TimeZone='UTC'"));
  return std::unique_ptr<QueryEngine>(new QueryEngine(std::move(impl)));
}

Status QueryEngine::run(const std::string& sql) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->run(sql);
}

Status QueryEngine::lock(const fs::path& folder) {
  // Large sorts and joins spill here; the folder is made only when that happens.
  const fs::path spill = fs::temp_directory_path() / fmt::format("yieldloop-query-{}", ::getpid());
  YL_TRY(run("SET temp_directory=" + sql_text(spill.string())));
  YL_TRY(run(fmt::format("SET allowed_directories=[{}]", sql_text((folder / "").string()))));
  YL_TRY(run("SET enable_external_access=false"));
  return run("SET lock_configuration=true");
}

Result<Table> QueryEngine::query(std::string_view sql) {
  if (!starts_like_reading(sql) || sql.find('\0') != std::string_view::npos) return not_reading();
  const std::lock_guard lock(impl_->mutex);
  Prepared plain;
  YL_TRY(impl_->prepare(std::string(sql), plain));
  const std::string readable = wrap_for_reading(plain.handle, sql);
  if (readable.empty()) return impl_->execute(plain);
  Prepared wrapped;
  YL_TRY(impl_->prepare(readable, wrapped));
  return impl_->execute(wrapped);
}

std::string sql_text(std::string_view value) {
  std::string quoted = "'";
  for (const char c : value) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'";
}

std::string sql_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

}  // namespace yieldloop::store
