#include "ingest/readers/reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace yieldloop::ingest {

Result<std::size_t> ReaderRegistry::add(ReaderDeclaration reader) {
  const bool taken =
      std::ranges::find(readers_, reader.id, &ReaderDeclaration::id) != readers_.end();
  if (reader.id.empty() || taken) {
    return Error{
        Errc::kInvalidOptions, "READ-0001",
        fmt::format("A reader needs an id of its own; \"{}\" is empty or taken.", reader.id)};
  }
  readers_.push_back(std::move(reader));
  return readers_.size() - 1;
}

const ReaderDeclaration* ReaderRegistry::find(std::string_view name, Bytes head) const {
  const ReaderDeclaration* best = nullptr;
  Confidence surest = Confidence::kNo;
  for (const ReaderDeclaration& reader : readers_) {
    const Confidence confidence = reader.sniff(name, head);
    if (confidence > surest) {
      surest = confidence;
      best = &reader;
    }
    if (surest == Confidence::kCertain) break;  // None is surer: the first of them has it.
  }
  return best;
}

}  // namespace yieldloop::ingest
