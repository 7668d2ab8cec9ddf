/// \file
/// Classes of equal clips while a layout is being worked through; for this folder's sources.
///
/// Clips as drawn are remembered with their class, so that only the first of equal clips is turned
/// eight ways. Both tables compare whole words, never hashes alone. What is remembered of clips as
/// drawn is dropped when it grows too large; classes stay. Clips are asked for in batches: the
/// tables are far larger than any cache, and a batch fetches what it needs ahead. Safe to use from
/// several threads; the numbers of classes depend on their order, their contents and counts do not.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "engine/layout/pattern_clip.h"
#include "engine/layout/pattern_points.h"

namespace yieldloop::layout {

/// Words to a number: open addressing over records in one array. Not thread-safe.
class WordTable {
 public:
  std::optional<std::uint32_t> find(std::span<const std::uint64_t> words, std::uint64_t hash) const;
  /// REQUIRES: not there yet.
  void insert(std::span<const std::uint64_t> words, std::uint64_t hash, std::uint32_t value);
  /// Fetch ahead for find(): first what leads to the record, then the record.
  void fetch_slot(std::uint64_t hash) const;
  void fetch_record(std::uint64_t hash) const;
  /// Of the n-th that was inserted.
  std::span<const std::uint64_t> words(std::size_t n) const;
  std::size_t size() const { return entries_.size(); }
  std::size_t stored_words() const { return records_.size(); }
  void clear();

 private:
  struct Entry {
    std::uint64_t hash;
    std::uint32_t record;
  };
  std::size_t first_slot(std::uint64_t hash) const { return (hash >> 8) & (slots_.size() - 1); }
  void grow();

  std::vector<std::uint64_t> slots_;  ///< Hash's upper half and record + 1; 0 is free.
  std::vector<Entry> entries_;
  std::vector<std::uint64_t> records_;  ///< Count and value, then the words.
};

/// How often a class stands somewhere.
struct ClassCount {
  std::uint32_t number = 0;
  PointKindSet kinds = 0;
  std::uint64_t count = 0;
};

/// Clips to be classified together.
class ClipBatch {
 public:
  void add(std::span<const std::uint64_t> words, bool canonical);
  std::size_t size() const { return items_.size(); }
  /// Of the i-th clip, once ClassTable::classify has been through.
  std::uint32_t number(std::size_t i) const { return items_[i].number; }

 private:
  friend class ClassTable;
  struct Item {
    std::uint64_t hash = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    std::uint32_t number = 0;
    bool canonical = false;
  };
  std::span<const std::uint64_t> words(const Item& item) const {
    return {words_.data() + item.first, item.count};
  }
  std::vector<std::uint64_t> words_;
  std::vector<Item> items_;
};

class ClassTable {
 public:
  /// Gives every clip its class, made when it is new.
  void classify(ClipBatch& batch);
  /// Of one clip whose words are canonical.
  std::uint32_t canonical_class(std::span<const std::uint64_t> words);
  void add(const ClassCount& counted, std::uint64_t times = 1);

  struct Class {
    std::span<const std::uint64_t> words;
    std::uint32_t number = 0;
    PointKindSet kinds = 0;
    std::uint64_t count = 0;
  };
  /// Every class, in no particular order. Not while others add.
  std::vector<Class> classes() const;

 private:
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kMostDrawnWords = std::size_t{1} << 21;  // Of a shard: 16 MB.
  struct Shard {
    std::mutex mutex;
    WordTable table;
  };
  struct Counted {
    std::uint64_t count = 0;
    PointKindSet kinds = 0;
  };
  struct ClassShard : Shard {
    std::vector<Counted> counts;
  };
  using Positions = std::vector<std::uint32_t>;
  void look_up(Shard& shard, ClipBatch& batch, Positions& positions) const;
  void remember(Shard& shard, const ClipBatch& batch, const Positions& positions) const;

  std::array<Shard, kShards> drawn_;
  std::array<ClassShard, kShards> classes_;
};

}  // namespace yieldloop::layout
