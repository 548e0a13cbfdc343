/// Counts calls of operator new in a test program.
#pragma once

/// So many since the program started.
long allocations();
/// Bytes that all of them asked for.
long allocated_bytes();
