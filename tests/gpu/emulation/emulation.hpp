/// What a test asks of the emulation of the CUDA libraries: which devices there are, what went wrong, what was left.
///
/// A program that links to `emulation` instead of cudart, cuDNN, NVRTC and NCCL runs on emulated devices. Numbers are
/// right; time is not. It is strict: what a GPU would forgive, or answer with wrong numbers, is a fault, printed as one
/// line. A call that the emulation does not know is a link error. Environment variables:
///   LAMINA_EMULATED_DEVICES=N      number of devices, 2 by default
///   LAMINA_EMULATION_CACHE=FOLDER  where compiled kernels are kept for other programs; else they go with the process
///   LAMINA_GRAPH_RECORD=FILE       every distinct operation graph is appended to it (format: record.cpp)
///   LAMINA_KERNEL_RECORD=FOLDER    every distinct source of kernels is stored in it as NAME.cu
///   LAMINA_EMULATION_LEAKS=error   what is left at exit makes the program fail, as a fault that no test read does
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace emulation {

/// Every misuse since the last call, in words; clears the list. A program that ends with faults that were not read
/// exits with status 70.
std::vector<std::string> faults();

/// What exists now and will have to be released: blocks of device memory, pinned memory, streams, events, graphs,
/// libraries, programs, handles, descriptors, communicators; a line each.
std::vector<std::string> leaks();

/// Number of devices, 0 to 8. With 0 every call answers cudaErrorNoDevice.
void set_device_count(int count);

/// Memory of a device in bytes; an allocation beyond it is answered by cudaErrorMemoryAllocation.
void set_memory_limit(int device, std::size_t bytes);

/// Bytes of a device in blocks that are not freed.
std::size_t memory_used(int device);

/// The properties of a device, as text of the form that cuDNN takes for CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION;
/// `deviceVer`, `deviceName`, `multiProcessorCount`, `totalGlobalMem` and the limits of a launch are read. An H100 by
/// default.
void set_profile(int device, const std::string& json);

/// Lets a later call of this name fail with this code of its library: the next one, or the one after `skip` others.
/// Such a failure is not a fault. An illegal address given to a synchronisation makes the device unusable, as a GPU's
/// would.
void fail_next(const std::string& call, int code, int skip = 0);

/// Number of calls of this name since the start: warm code allocates nothing.
long calls(const std::string& name);

/// Makes a device usable again after an illegal address. Its memory is gone, as if it had been freed.
void reset_device(int device);

/// The same as the environment variables; an empty name stops the recording.
void record_graphs(const std::string& file);
void record_kernels(const std::string& folder);

}  // namespace emulation
