#include "engine/layout/pattern_table.h"

#include <algorithm>

namespace yieldloop::layout {

std::optional<std::uint32_t> WordTable::find(std::span<const std::uint64_t> words,
                                             std::uint64_t hash) const {
  if (slots_.empty()) return std::nullopt;
  for (std::size_t slot = first_slot(hash); slots_[slot] != 0;
       slot = (slot + 1) & (slots_.size() - 1)) {
    if (slots_[slot] >> 32 != hash >> 32) continue;
    const std::uint64_t* record = records_.data() + (slots_[slot] & 0xFFFFFFFFu) - 1;
    if (record[0] >> 32 == words.size() && std::equal(words.begin(), words.end(), record + 1)) {
      return static_cast<std::uint32_t>(record[0]);
    }
  }
  return std::nullopt;
}

void WordTable::insert(std::span<const std::uint64_t> words, std::uint64_t hash,
                       std::uint32_t value) {
  if (2 * (entries_.size() + 1) > slots_.size()) grow();
  std::size_t slot = first_slot(hash);
  while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = (hash >> 32 << 32) | (records_.size() + 1);
  entries_.push_back({hash, static_cast<std::uint32_t>(records_.size())});
  records_.push_back(std::uint64_t{words.size()} << 32 | value);
  records_.insert(records_.end(), words.begin(), words.end());
}

void WordTable::fetch_slot(std::uint64_t hash) const {
  if (!slots_.empty()) __builtin_prefetch(&slots_[first_slot(hash)]);
}

void WordTable::fetch_record(std::uint64_t hash) const {
  if (slots_.empty()) return;
  const std::uint64_t slot = slots_[first_slot(hash)];
  if (slot == 0) return;
  const std::uint64_t* record = records_.data() + (slot & 0xFFFFFFFFu) - 1;
  __builtin_prefetch(record);
  __builtin_prefetch(record + 8);
}

std::span<const std::uint64_t> WordTable::words(std::size_t n) const {
  const std::uint64_t* record = records_.data() + entries_[n].record;
  return {record + 1, static_cast<std::size_t>(record[0] >> 32)};
}

void WordTable::grow() {
  slots_.assign(std::max<std::size_t>(64, 2 * slots_.size()), 0);
  const std::size_t mask = slots_.size() - 1;
  for (const Entry& e : entries_) {
    std::size_t slot = first_slot(e.hash);
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = (e.hash >> 32 << 32) | (std::uint64_t{e.record} + 1);
  }
}

void WordTable::clear() {
  std::ranges::fill(slots_, 0);
  entries_.clear();
  records_.clear();
}

void ClipBatch::add(std::span<const std::uint64_t> words, bool canonical) {
  items_.push_back({clip_hash(words), static_cast<std::uint32_t>(words_.size()),
                    static_cast<std::uint32_t>(words.size()), 0, canonical});
  words_.insert(words_.end(), words.begin(), words.end());
}

std::uint32_t ClassTable::canonical_class(std::span<const std::uint64_t> words) {
  const std::uint64_t hash = clip_hash(words);
  const std::size_t k = hash % kShards;
  ClassShard& shard = classes_[k];
  const std::lock_guard lock(shard.mutex);
  if (const auto known = shard.table.find(words, hash)) return *known;
  const auto number = static_cast<std::uint32_t>(shard.table.size() * kShards + k);
  shard.table.insert(words, hash, number);
  shard.counts.emplace_back();
  return number;
}

/// Leaves the positions of clips that are not known as drawn.
void ClassTable::look_up(Shard& shard, ClipBatch& batch, Positions& positions) const {
  const std::lock_guard lock(shard.mutex);
  for (const std::uint32_t i : positions) shard.table.fetch_slot(batch.items_[i].hash);
  for (const std::uint32_t i : positions) shard.table.fetch_record(batch.items_[i].hash);
  std::erase_if(positions, [&](std::uint32_t i) {
    ClipBatch::Item& item = batch.items_[i];
    const auto known = shard.table.find(batch.words(item), item.hash);
    if (known) item.number = *known;
    return known.has_value();
  });
}

void ClassTable::remember(Shard& shard, const ClipBatch& batch, const Positions& positions) const {
  const std::lock_guard lock(shard.mutex);
  if (shard.table.stored_words() > kMostDrawnWords) shard.table.clear();
  for (const std::uint32_t i : positions) {
    const ClipBatch::Item& item = batch.items_[i];
    const auto words = batch.words(item);
    if (!shard.table.find(words, item.hash)) shard.table.insert(words, item.hash, item.number);
  }
}

void ClassTable::classify(ClipBatch& batch) {
  std::array<Positions, kShards> by_shard;
  for (std::uint32_t i = 0; i < batch.items_.size(); ++i) {
    ClipBatch::Item& item = batch.items_[i];
    if (item.canonical) {
      item.number = canonical_class(batch.words(item));
    } else {
      by_shard[item.hash % kShards].push_back(i);
    }
  }
  for (std::size_t k = 0; k < kShards; ++k) {
    if (by_shard[k].empty()) continue;
    look_up(drawn_[k], batch, by_shard[k]);
    if (by_shard[k].empty()) continue;
    for (const std::uint32_t i : by_shard[k]) {
      batch.items_[i].number = canonical_class(canonical_clip(batch.words(batch.items_[i])));
    }
    remember(drawn_[k], batch, by_shard[k]);
  }
}

void ClassTable::add(const ClassCount& counted, std::uint64_t times) {
  ClassShard& shard = classes_[counted.number % kShards];
  const std::lock_guard lock(shard.mutex);
  Counted& entry = shard.counts[counted.number / kShards];
  entry.count += counted.count * times;
  entry.kinds |= counted.kinds;
}

std::vector<ClassTable::Class> ClassTable::classes() const {
  std::vector<Class> all;
  for (std::size_t k = 0; k < kShards; ++k) {
    const ClassShard& shard = classes_[k];
    for (std::size_t i = 0; i < shard.counts.size(); ++i) {
      all.push_back({shard.table.words(i), static_cast<std::uint32_t>(i * kShards + k),
                     shard.counts[i].kinds, shard.counts[i].count});
    }
  }
  return all;
}

}  // namespace yieldloop::layout
