/// What the files of the emulation share.
///
/// A stream is a queue of work that nobody runs until the host waits for it: results that are read too early, or by a
/// stream that was not told to wait, are missing. What an operation touches is checked when it is enqueued (whose
/// memory, how much of it, whether another stream may be touching it at the same time) and runs later on an alias of
/// the memory.
#pragma once
#include "emulation.hpp"
#include <cuda_runtime_api.h>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

namespace emulation {

/// A range of device memory that work reads or writes.
struct Access {
  const void* at;
  std::size_t bytes;
  bool writes;
};

/// One thing that a stream does. That of a captured graph runs at every launch.
struct Work {
  std::string name;
  std::vector<Access> accesses;
  std::function<void()> run;
};

/// How far other streams are known to have come: number of stream -> position.
using Clock = std::map<unsigned, long>;
void merge(Clock& into, const Clock& from);

struct Stream;

/// Work that is recorded instead of enqueued, from one stream and those that joined it.
struct Capture {
  Stream* origin;
  cudaStreamCaptureMode mode;
  std::thread::id thread;
  bool invalid = false;
  std::vector<Work> work;
  std::set<Stream*> branches;  ///< joined, and not yet waited for by the origin
};

struct Stream {
  int device;
  unsigned number;
  std::deque<Work> queue;
  long done = 0;
  bool running = false;
  Clock clock;  ///< what work that is enqueued now runs after
  std::shared_ptr<Capture> capture;
  long end() const { return done + long(queue.size()); }
};

struct Event {
  int device;
  bool timed;
  std::shared_ptr<Stream> stream;  ///< of the last record
  long at = 0;
  Clock clock;
  std::shared_ptr<double> milliseconds;  ///< when that record ran, negative before
  std::shared_ptr<Capture> capture;
};

/// An access that later ones must not run beside.
struct Touch {
  std::size_t begin, end;
  unsigned stream;
  long at;
  bool writes;
  std::string name;
};

/// A block of device memory. It ends where its last page ends, as far as an alignment of 256 bytes allows.
struct Block {
  int device;
  char* at;
  std::size_t size;
  char* pages;
  std::size_t page_bytes;
  bool freed = false;  ///< the free is enqueued
  std::vector<Touch> touches;
};

/// A device, and its memory: one file mapped twice. The addresses that programs see can never be read or written.
struct Device {
  std::string json;
  int file = -1;
  char* view = nullptr;   ///< what programs see
  char* alias = nullptr;  ///< what work uses
  std::size_t top = 0, used = 0, limit = 0;
  std::size_t peak = 0;  ///< the most of `used` since the last reset
  std::map<char*, Block> blocks;
  std::set<int> peers;
  cudaError_t broken = cudaSuccess;  ///< after an illegal address every call fails
};

/// A resource whose handle is its address, by kind: for the checks of handles and for leaks().
struct State {
  std::recursive_mutex mutex;
  std::vector<Device> devices{8};
  int device_count = 2;
  std::vector<std::string> faults;
  std::map<std::string, long> calls;
  struct Injection {
    std::string call;
    int code, skip;
  };
  std::vector<Injection> injections;
  unsigned stream_numbers = 0;
  std::map<const void*, std::shared_ptr<Stream>> streams;
  std::map<const void*, Event> events;
  std::map<char*, std::size_t> pinned;
  std::set<std::shared_ptr<Capture>> captures;
  std::map<const void*, std::string> others;  ///< any other handle -> what it is
  Clock synchronized;                         ///< what the host knows to be done
  std::string graph_record, kernel_record;
};
State& state();

// ---- control.cpp: how every call begins and how misuse is reported

/// Takes the lock, counts the call, and finds the failure that a test asked for.
class Call {
  std::unique_lock<std::recursive_mutex> lock_;
  const char* outer_;

 public:
  explicit Call(const char* name);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  int injected = 0;
};

void fault(const std::string& text);                            ///< one line, that names the call it happens in
cudaError_t misuse(cudaError_t error, const std::string& why);  ///< a fault, and the error
cudaError_t remember(cudaError_t error);                        ///< for cudaGetLastError

/// A call of the CUDA runtime: `body` under the lock, unless there is no device or it is broken.
template <class Body> cudaError_t runtime_call(const char* name, Body body);

// ---- runtime.cpp
int& current_device();
bool is_device(int device);
std::string device_json(int device);  ///< its properties
long long number_in(const std::string& json, const std::string& key);
std::string text_in(const std::string& json, const std::string& key);
void break_device(int device, const std::string& why);

// ---- memory.cpp
constexpr int poison = 0xFF;  ///< bytes of memory that was never written: NaN in every floating-point type
Device& device_at(int device);
cudaError_t allocate(void** result, std::size_t bytes, int device);  ///< a new block, of which nothing was ever touched
void release(Block& block);
int device_of(const void* address);            ///< -1 for memory of the host
Block* block_of(const void* address);          ///< the block that holds it, nullptr if none does
char* alias_of(const void* address);           ///< where work finds it; the address itself for memory of the host
std::string wrong_with(const Access& access);  ///< empty if a block holds it
void check_margins(const void* address);       ///< a fault if something was written just beside the block
void forget_memory(int device);
bool in_device_pages(const void* address);  ///< in one of the two mappings

// ---- streams.cpp
std::shared_ptr<Stream> stream_of(cudaStream_t handle);  ///< nullptr after a fault if it is none
cudaError_t enqueue(cudaStream_t stream, Work work);
void run(Stream& stream, long position);
void run_everything();
cudaError_t join_capture(const std::shared_ptr<Stream>& stream, const Event& event);  // capture.cpp
bool capture_forbids();  ///< capture.cpp: whether a call that may not be made now is; if so captures are invalid

template <class Body> cudaError_t runtime_call(const char* name, Body body) {
  Call call(name);
  if (call.injected != 0) return remember(cudaError_t(call.injected));
  if (state().device_count == 0) return remember(cudaErrorNoDevice);
  if (const cudaError_t broken = state().devices[std::size_t(current_device())].broken; broken != cudaSuccess)
    return remember(broken);
  return remember(body());
}

}  // namespace emulation
