// Anchors the precompiled header; see pch.h.
