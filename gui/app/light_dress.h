/// \file
/// The look of the window: light, the same on every desktop.
#pragma once

class QApplication;

namespace yieldloop::app {

void dress(QApplication& application);

}  // namespace yieldloop::app
