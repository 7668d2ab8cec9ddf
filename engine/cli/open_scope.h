/// \file
/// What most commands begin with: the store opened, a snapshot taken, the scope understood.
#pragma once

#include <utility>

#include "engine/cli/commands.h"
#include "engine/session/analysis.h"

namespace yieldloop::cli {

struct OpenedScope {
  store::Store store;
  store::Snapshot snapshot;
  session::Scope scope;
};

inline Result<OpenedScope> open_for(const Context& context, const ScopeArguments& arguments,
                                    store::Store::Mode mode) {
  YL_ASSIGN(auto scope, to_scope(arguments));
  YL_ASSIGN(auto store, store::Store::open(real_file_system(), context.store, mode));
  YL_ASSIGN(auto snapshot, store.snapshot());
  return OpenedScope{std::move(store), std::move(snapshot), std::move(scope)};
}

inline session::AnalysisOptions to_options(const AnalysisArguments& arguments) {
  session::AnalysisOptions options;
  options.find.q = arguments.q;
  options.find.seed = arguments.seed;
  options.find.shuffles = arguments.shuffles;
  options.budget.money = arguments.budget_money;
  options.budget.mask_layers = arguments.budget_masks;
  return options;
}

/// Findings and suggestions in plain words.
std::string findings_text(const FindingsDocument& document, std::size_t most);
std::string suggestions_text(const feedback::SuggestionsDocument& document, std::size_t most);

}  // namespace yieldloop::cli
