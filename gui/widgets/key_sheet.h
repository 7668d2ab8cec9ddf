/// \file
/// The sheet of keys and mouse moves behind `?`.
#pragma once

class QWidget;

namespace yieldloop::widgets {

/// Shows the sheet until it is closed.
void show_key_sheet(QWidget* parent);

}  // namespace yieldloop::widgets
