#include "threads.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define CHAINRULE_FORKS
#endif

#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

namespace chainrule {

namespace {

// How long a waiting thread spins before it sleeps. Between two evaluations of a solver, Python and SciPy work for some
// 100 microseconds; waking a sleeping thread takes as long as half of a small evaluation.
constexpr std::chrono::microseconds patience{300};

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Until `value` differs from `old`: first spinning, then asleep.
std::uint32_t await_change(std::atomic<std::uint32_t>& value, std::uint32_t old) {
    const auto since = std::chrono::steady_clock::now();
    do {
        for (int i = 0; i < 64; ++i) {
            const std::uint32_t now = value.load(std::memory_order_acquire);
            if (now != old) return now;
            pause();
        }
    } while (std::chrono::steady_clock::now() - since < patience);
    value.wait(old, std::memory_order_acquire);
    return value.load(std::memory_order_acquire);
}

}  // namespace

void Barrier::wait() {
    const std::uint32_t phase = phase_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
        arrived_.store(0, std::memory_order_relaxed);
        phase_.store(phase + 1, std::memory_order_release);
        phase_.notify_all();
        return;
    }
    while (await_change(phase_, phase) == phase) {
    }
}

class Worker {
public:
    Worker() { std::thread(&Worker::loop, this).detach(); }

    void start(void (*job)(void*, int), void* context, int index) {
        job_ = job;
        context_ = context;
        index_ = index;
        asked_.fetch_add(1, std::memory_order_release);
        asked_.notify_one();
    }

    void finish() {
        const std::uint32_t asked = asked_.load(std::memory_order_relaxed);
        std::uint32_t done;
        while ((done = done_.load(std::memory_order_acquire)) != asked) await_change(done_, done);
    }

private:
    void loop() {
        std::uint32_t seen = 0;
        for (;;) {
            if (await_change(asked_, seen) == seen) continue;
            ++seen;
            job_(context_, index_);
            done_.store(seen, std::memory_order_release);
            done_.notify_one();
        }
    }

    alignas(64) std::atomic<std::uint32_t> asked_{0};
    alignas(64) std::atomic<std::uint32_t> done_{0};
    void (*job_)(void*, int) = nullptr;
    void* context_ = nullptr;
    int index_ = 0;
};

namespace {

// Workers that nobody uses now. Never destroyed: they sleep until the process ends.
struct Pool {
    std::mutex mutex;
    std::vector<Worker*> idle;
};

alignas(Pool) unsigned char pool_memory[sizeof(Pool)];

Pool& pool() {
    static Pool* const one = [] {
        Pool* made = new (pool_memory) Pool;
        // A fork copies the forking thread only: its child starts with no workers.
#if defined(CHAINRULE_FORKS)
        pthread_atfork([] { pool().mutex.lock(); }, [] { pool().mutex.unlock(); }, [] { new (pool_memory) Pool; });
#endif
        return made;
    }();
    return *one;
}

}  // namespace

Team::Team(int size) {
    if (size <= 1) return;
    workers_.reserve(static_cast<std::size_t>(size) - 1);
    {
        const std::lock_guard lock(pool().mutex);
        auto& idle = pool().idle;
        while (static_cast<int>(workers_.size()) < size - 1 && !idle.empty()) {
            workers_.push_back(idle.back());
            idle.pop_back();
        }
    }
    try {
        while (static_cast<int>(workers_.size()) < size - 1) workers_.push_back(new Worker);
    } catch (const std::system_error&) {
        // The system has no more threads: those there are do the work.
    }
    size_ = static_cast<int>(workers_.size()) + 1;
}

Team::~Team() {
    if (workers_.empty()) return;
    const std::lock_guard lock(pool().mutex);
    pool().idle.insert(pool().idle.end(), workers_.begin(), workers_.end());
}

Waiting Team::run(Job job, void* context) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i]->start(job, context, static_cast<int>(i) + 1);
    job(context, 0);
    const auto done = Clock::now();
    for (Worker* worker : workers_) worker->finish();
    const auto end = Clock::now();
    return {end, end - start, end - done};
}

}  // namespace chainrule
