// Worker threads: borrowed for one call, kept for the next, forgotten in the child of a fork.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace chainrule {

class Worker;

// All meet here; the last to come lets everyone go on. A mini-batch takes some 100 microseconds, so waiting starts
// with spinning and sleeps only when that takes long.
class Barrier {
public:
    explicit Barrier(int size) : size_(static_cast<std::uint32_t>(size)) {}
    void wait();

private:
    const std::uint32_t size_;
    alignas(64) std::atomic<std::uint32_t> arrived_{0};
    alignas(64) std::atomic<std::uint32_t> phase_{0};
};

// How long a team's work took, and how much of that its caller waited for the others at the end.
struct Waiting {
    std::chrono::steady_clock::time_point end;
    std::chrono::steady_clock::duration whole, waited;
};

// The calling thread and `size - 1` workers.
class Team {
public:
    explicit Team(int size);
    ~Team();
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    int size() const { return size_; }

    // body(i) on every thread i, 0 being the caller; returns when all have returned. It must not throw.
    template <class Body>
    Waiting run(Body& body) {
        return run([](void* context, int index) { (*static_cast<Body*>(context))(index); }, &body);
    }

private:
    using Job = void (*)(void*, int);
    Waiting run(Job job, void* context);

    int size_ = 1;
    std::vector<Worker*> workers_;
};

}  // namespace chainrule
