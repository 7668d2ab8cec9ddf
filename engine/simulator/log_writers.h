/// \file
/// The MES, FDC, metrology and equipment logs as CSV texts, by the log table contract in
/// docs/formats/log_tables.md. Time stamps are UTC.
#pragma once

#include <string>

#include "engine/simulator/world.h"

namespace yieldloop::simulator {

std::string to_lots_csv(const World& world);
std::string to_wafers_csv(const World& world);
std::string to_lot_history_csv(const World& world);
std::string to_maintenance_csv(const World& world);
std::string to_equipment_states_csv(const World& world);
std::string to_fdc_summary_csv(const World& world);
/// Samples every two seconds of every wafer's run of one step: stabilise, main step, purge.
std::string to_fdc_trace_csv(const World& world, std::size_t step);
std::string to_metrology_csv(const World& world);

}  // namespace yieldloop::simulator
