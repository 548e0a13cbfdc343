/// Counts calls of operator new in a test program.
#pragma once

/// So many since the program started.
long allocations();
