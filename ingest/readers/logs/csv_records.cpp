#include <fmt/format.h>

#include <algorithm>

#include "engine/core/text.h"
#include "ingest/readers/logs/csv.h"
#include "ingest/readers/logs/records.h"

namespace yieldloop::ingest {
namespace {

/// A record longer than this is damage: it is read as if the file ended there.
constexpr std::size_t kLongestRecord = std::size_t{64} << 20;

class CsvRecords final : public RecordSource {
 public:
  CsvRecords(TextWindow window, char delimiter, bool short_rows)
      : window_(std::move(window)),
        scanner_(CsvScanner::of_part(window_.text(), delimiter)),
        short_rows_(short_rows) {
    scanner_.resume(window_.text(), 0, window_.complete());
  }

  Status read_header() {
    YL_ASSIGN(const bool there, step());
    if (!there || scanner_.broken()) {
      return Error{Errc::kFormat, "LOGS-0020",
                   "The file has no header row; the first line names the columns."};
    }
    for (const std::string_view cell : scanner_.cells()) {
      columns_.push_back(to_valid_utf8(trim(cell)));
    }
    return Ok{};
  }

  Result<bool> next() override {
    YL_ASSIGN(const bool there, step());
    if (!there) return false;
    line_ = scanner_.line();
    byte_offset_ = window_.offset() + scanner_.byte_offset();
    bytes_ = scanner_.bytes();
    const auto& cells = scanner_.cells();
    good();
    if (scanner_.broken()) {
      bad("LOGS-0009", "A quote is not closed, or text follows a closing quote.");
      return true;
    }
    const std::size_t columns = columns_.size();
    if (cells.size() == columns) {
      cells_ = cells;
      return true;
    }
    const bool blank_tail = cells.size() > columns &&
                            std::all_of(cells.begin() + static_cast<std::ptrdiff_t>(columns),
                                        cells.end(), [](auto cell) { return trim(cell).empty(); });
    if (!blank_tail && !(short_rows_ && cells.size() < columns)) {
      bad("LOGS-0010",
          fmt::format("The row has {} cells, but the header has {}.", cells.size(), columns));
      return true;
    }
    cells_.assign(cells.begin(),
                  cells.begin() + static_cast<std::ptrdiff_t>(std::min(cells.size(), columns)));
    cells_.resize(columns);
    return true;
  }

 private:
  Result<bool> step() {
    while (!scanner_.next()) {
      if (!scanner_.starved()) return false;
      const std::size_t used = scanner_.position();
      YL_TRY(window_.move(used));
      const bool complete = window_.complete() || window_.text().size() > kLongestRecord;
      scanner_.resume(window_.text(), used, complete);
    }
    return true;
  }

  TextWindow window_;
  CsvScanner scanner_;
  bool short_rows_;
};

}  // namespace

Status TextWindow::move(std::size_t used) {
  offset_ += used;
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(used),
            buffer_.begin() + static_cast<std::ptrdiff_t>(size_), buffer_.begin());
  size_ -= used;
  if (complete_) return Ok{};
  // A record that fills the window makes it grow twofold, so that long ones are not copied often.
  const std::size_t wanted = std::max(kStep, size_);
  if (buffer_.size() < size_ + wanted + kBehind) buffer_.resize(size_ + wanted + kBehind);
  YL_ASSIGN(const std::size_t got,
            source_->read(std::as_writable_bytes(std::span(buffer_.data() + size_, wanted))));
  size_ += got;
  complete_ = got < wanted;
  return Ok{};
}

Result<std::unique_ptr<RecordSource>> csv_records(Input& input, const FileMapping* file) {
  YL_ASSIGN(auto stream, input.stream());
  TextWindow window(std::move(stream));
  YL_TRY(window.move(0));
  const char delimiter =
      file != nullptr && file->delimiter != '\0' ? file->delimiter : sniff_delimiter(window.text());
  auto records = std::make_unique<CsvRecords>(std::move(window), delimiter,
                                              file != nullptr && file->short_rows);
  YL_TRY(records->read_header());
  return std::unique_ptr<RecordSource>(std::move(records));
}

}  // namespace yieldloop::ingest
