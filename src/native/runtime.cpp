#include "runtime.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

#include "threads.hpp"

namespace chainrule {

namespace {

constexpr std::int64_t line = 64;

// Zeros, aligned to a cache line; untouched pages cost nothing.
template <class T>
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(std::int64_t count) { resize(count); }

    void resize(std::int64_t count) {
        if (count <= count_) return;
        const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T) + 2 * line;
        memory_.reset(static_cast<unsigned char*>(std::calloc(bytes, 1)));
        if (memory_ == nullptr) throw std::bad_alloc();
        const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
        start_ = reinterpret_cast<T*>(memory_.get() + (line - address % line) % line);
        count_ = count;
    }

    T* get() const { return start_; }
    std::int64_t size() const { return count_; }

private:
    struct Free {
        void operator()(unsigned char* p) const { std::free(p); }
    };
    std::unique_ptr<unsigned char, Free> memory_;
    T* start_ = nullptr;
    std::int64_t count_ = 0;
};

std::int64_t round_to(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }

// Calls `poll` every few milliseconds, however long or short the work between two questions is.
class Clock {
public:
    explicit Clock(const std::function<bool()>& poll) : poll_(poll), last_(now()) {}

    bool interrupted() {
        if (!poll_ || ++count_ < every_) return false;
        count_ = 0;
        const auto time = now();
        const auto passed = time - last_;
        if (passed < std::chrono::milliseconds(2)) every_ = std::min<std::int64_t>(every_ * 2, 1 << 16);
        if (passed > std::chrono::milliseconds(8)) every_ = std::max<std::int64_t>(every_ / 4, 1);
        waited_ += passed;
        last_ = time;
        if (waited_ < std::chrono::milliseconds(16)) return false;
        waited_ = {};
        return poll_();
    }

private:
    using Steady = std::chrono::steady_clock;
    static Steady::time_point now() { return Steady::now(); }

    const std::function<bool()>& poll_;
    Steady::time_point last_;
    Steady::duration waited_{};
    std::int64_t count_ = 0, every_ = 1;
};

// Numbers below the normal range count as zero while our code runs: they would be slow, and mean nothing here.
class FlushDenormals {
public:
#if defined(__SSE2__)
    FlushDenormals() : saved_(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(saved_ | 0x8040); }
    ~FlushDenormals() { __builtin_ia32_ldmxcsr(saved_); }

private:
    unsigned saved_;
#endif
};

// What one thread needs to run blocks.
template <class T>
struct Workspace {
    Buffer<T> rows;
    Buffer<std::uint64_t> nonzero;
    Buffer<std::int32_t> labels;
    Buffer<unsigned char> scratch;
    Buffer<std::int64_t> index, next_index;
    Buffer<const unsigned char*> next_rows;
    std::int64_t prepared = -1, prepared_rows = 0;  // the block, counted in rows of the stretch, that next_index is for
    Ahead ahead;
    Trouble trouble;
    int trouble_source = 0;
};

// What a whole sum over rows needs beside its threads' workspaces.
template <class T>
struct SumSpace {
    Buffer<T> parameters, partial;
    Buffer<double> totals;
};

// Things that a call borrows and leaves behind for the next. A lock held by another thread at a fork stays locked in the
// child: then a new one is made, and none is kept.
template <class Thing>
class Shelf {
public:
    std::unique_ptr<Thing> take() {
        std::unique_ptr<Thing> thing;
        if (mutex_.try_lock()) {
            if (!idle_.empty()) {
                thing = std::move(idle_.back());
                idle_.pop_back();
            }
            mutex_.unlock();
        }
        return thing;
    }

    void put(std::unique_ptr<Thing> thing) {
        if (!mutex_.try_lock()) return;
        idle_.push_back(std::move(thing));
        mutex_.unlock();
    }

private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Thing>> idle_;
};

template <class T>
struct BoundStep {
    StepFunction<T> run;
    Step step;
};

}  // namespace

template <class T>
struct Machine<T>::Impl {
    ProgramData data;
    const Kernels<T>& kernels;
    std::vector<BoundStep<T>> forward, backward;
    std::int64_t gradient_size, total_size;

    // How long one thread works alone after the last team was seen waiting, and until when.
    mutable std::atomic<std::int64_t> patience{0}, alone_until{0};

    mutable Shelf<Workspace<T>> workspaces;
    mutable Shelf<SumSpace<T>> sum_spaces;

    explicit Impl(ProgramData given) : data(std::move(given)), kernels(kernels_of<T>(chosen_instruction_set())) {
        check_program(data);
        gradient_size = data.theta_size + data.derived_size;
        total_size = gradient_size + static_cast<std::int64_t>(data.constants.size());
        for (std::vector<Step>* steps : {&data.prologue, &data.forward, &data.backward}) {
            for (Step& step : *steps) {
                for (Operand& o : step.operand) {
                    o.map = o.map_index < 0 ? nullptr : data.maps[static_cast<std::size_t>(o.map_index)].data();
                }
            }
        }
        for (const Step& step : data.forward) forward.push_back({kernels.forward(step.op, step.code), step});
        for (const Step& step : data.backward) backward.push_back({kernels.backward(step.op, step.code), step});
        for (const auto* steps : {&forward, &backward}) {
            for (const BoundStep<T>& bound : *steps) {
                if (bound.run == nullptr) throw std::invalid_argument("program refused: a step that cannot run on rows");
            }
        }
    }

    // ---- workspaces ---------------------------------------------------------------------------------

    std::unique_ptr<Workspace<T>> borrow(const Rows& rows) const {
        std::unique_ptr<Workspace<T>> space = workspaces.take();
        if (space == nullptr) {
            space = std::make_unique<Workspace<T>>();
            space->rows.resize(data.row_units * data.block_rows);
            space->labels.resize(data.label_units * data.block_rows);
            space->nonzero.resize(data.nonzero_units * nonzero_stride(data.block_rows));
            space->index.resize(data.block_rows);
            space->next_index.resize(data.block_rows);
            space->next_rows.resize(data.block_rows);
        }
        std::int64_t widest = 0;
        for (std::size_t i = 0; i < rows.inputs.size(); ++i) {
            if (needs_scratch(rows.inputs[i])) widest = std::max(widest, data.inputs[i].width);
        }
        space->scratch.resize(widest * 64 * static_cast<std::int64_t>(sizeof(T)));
        space->trouble = {};
        space->prepared = -1;
        return space;
    }

    static bool needs_scratch(const Source& source) {
        const bool plain = source.type == Type::uint8 || source.type == Type::float32 || source.type == Type::float64;
        const std::int64_t size = source.type == Type::uint8 ? 1 : source.type == Type::float32 ? 4 : 8;
        return source.indptr != nullptr || !plain || source.column_stride != size;
    }

    struct Loan {
        const Impl& owner;
        std::vector<std::unique_ptr<Workspace<T>>> spaces;
        Loan(const Impl& impl, int count, const Rows& rows) : owner(impl) {
            for (int i = 0; i < count; ++i) spaces.push_back(impl.borrow(rows));
        }
        ~Loan() {
            for (auto& space : spaces) owner.workspaces.put(std::move(space));
        }
        Workspace<T>& operator[](int i) { return *spaces[static_cast<std::size_t>(i)]; }
    };

    // Large sums are left to the system: what a kept network holds stays small.
    struct SumLoan {
        const Impl& owner;
        std::unique_ptr<SumSpace<T>> space;
        explicit SumLoan(const Impl& impl) : owner(impl), space(impl.sum_spaces.take()) {
            if (space == nullptr) space = std::make_unique<SumSpace<T>>();
        }
        ~SumLoan() {
            if (space->totals.size() <= std::int64_t{1} << 19) owner.sum_spaces.put(std::move(space));
        }
        SumSpace<T>* operator->() { return space.get(); }
    };

    // ---- parameters ---------------------------------------------------------------------------------

    void set_parameters(const T* theta, T* all) const {
        if (theta != nullptr) std::copy_n(theta, data.theta_size, all);
        for (std::size_t i = 0; i < data.constants.size(); ++i) {
            all[gradient_size + static_cast<std::int64_t>(i)] = static_cast<T>(data.constants[i]);
        }
        derive(all);
    }

    void derive(T* all) const {
        for (const Step& step : data.prologue) kernels.run_static(step, all, nullptr);
    }

    // Passes the gradients of derived values on to theta.
    void derive_back(T* all, T* gradients) const {
        for (auto step = data.prologue.rbegin(); step != data.prologue.rend(); ++step) {
            kernels.run_static(*step, all, gradients);
        }
    }

    // ---- one block ----------------------------------------------------------------------------------

    // Words for each unit of an input of which it is noted what is not zero: see Nonzero.
    static std::int64_t nonzero_stride(std::int64_t ld) { return 1 + ld / 16; }

    Block<T> block_of(Workspace<T>& space, std::int64_t ld, const T* parameters) const {
        Block<T> block{};
        block.rows_base = space.rows.get();
        block.labels_base = space.labels.get();
        block.nonzero_base = space.nonzero.get();
        block.nonzero_stride = nonzero_stride(ld);
        block.ld = ld;
        block.parameters = parameters;
        return block;
    }

    void load(const Rows& rows, const std::int64_t* index, Workspace<T>& space, const Block<T>& block) const {
        for (std::size_t i = 0; i < data.inputs.size(); ++i) {
            Destination to = data.inputs[i];
            to.check_finite = rows.check_finite;
            const std::int64_t before = space.trouble.row;
            kernels.gather(rows.inputs[i], to, index, block.rows, block, space.trouble, space.scratch.get());
            if (space.trouble.row != before) space.trouble_source = static_cast<int>(i);
        }
        if (data.weight_at < 0) return;
        T* weight = block.rows_base + data.weight_at * block.ld;
        const std::int64_t padded = round_to(block.rows, line / static_cast<std::int64_t>(sizeof(T)));
        if (rows.weight.data == nullptr) {
            for (std::int64_t r = 0; r < block.rows; ++r) weight[r] = T(1);
        } else {
            for (std::int64_t r = 0; r < block.rows; ++r) {
                double value;
                std::memcpy(&value, rows.weight.data + index[r] * rows.weight.row_stride, sizeof value);
                weight[r] = static_cast<T>(value);
            }
        }
        for (std::int64_t r = block.rows; r < padded; ++r) weight[r] = T(0);
    }

    // Which input is worth fetching ahead: a wide one, where it lies in plain rows; or -1.
    int fetched_input(const Rows& rows) const {
        for (std::size_t i = 0; i < data.inputs.size(); ++i) {
            const Source& source = rows.inputs[i];
            const bool large = source.row_stride > 0 && source.rows * source.row_stride > (std::int64_t{1} << 19);
            if (data.inputs[i].nonzero >= 0 && large && !needs_scratch(source)) return static_cast<int>(i);
        }
        return -1;
    }

    // Names the rows of the next block, in next_index, as those to be fetched while this one is worked on.
    void look_ahead(const Rows& rows, int input, std::int64_t count, Workspace<T>& space, Block<T>& block) const {
        if (input < 0 || count <= 0) {
            block.ahead = nullptr;
            return;
        }
        const Source& source = rows.inputs[static_cast<std::size_t>(input)];
        for (std::int64_t r = 0; r < count; ++r) {
            space.next_rows.get()[r] = source.data + space.next_index.get()[r] * source.row_stride;
        }
        space.ahead = {space.next_rows.get(), count, source.row_stride};
        block.ahead = &space.ahead;
    }

    void run(const std::vector<BoundStep<T>>& steps, const Block<T>& block) const {
        for (const BoundStep<T>& bound : steps) bound.run(bound.step, block);
    }

    void add_losses(const Block<T>& block, double* loss, double* weight) const {
        kernels.loss_sums(block.rows_base + data.output_at * block.ld, block.rows_base + data.weight_at * block.ld,
                          block.rows, loss, weight);
    }

    std::int64_t ld_for(std::int64_t rows) const {
        return std::min(round_to(std::max<std::int64_t>(rows, 1), 16), data.block_rows);
    }

    // Threads pay only for what takes them longer than waking up.
    int worthwhile(int threads, double rows, std::int64_t parts) const {
        const double work = rows * std::max(data.flops_per_row, 1.0);
        const double most = std::min({work / 2e5, static_cast<double>(parts), 1024.0});
        return std::max(1, std::min(threads, static_cast<int>(most)));
    }

    // Remembers whether a team was kept from running together; returns that.
    bool learn(bool crowded, std::chrono::steady_clock::time_point now) const {
        constexpr std::int64_t least = 4'000'000, most = 128'000'000;  // nanoseconds
        const std::int64_t before = patience.load(std::memory_order_relaxed);
        const std::int64_t after = crowded ? std::clamp(2 * before, least, most) : before / 2;
        patience.store(after, std::memory_order_relaxed);
        alone_until.store(crowded ? now.time_since_epoch().count() + after : 0, std::memory_order_relaxed);
        return crowded;
    }

    bool crowded_now() const {
        const std::int64_t until = alone_until.load(std::memory_order_relaxed);
        return until != 0 && std::chrono::steady_clock::now().time_since_epoch().count() < until;
    }

    // ---- mini-batches: see training.hpp -------------------------------------------------------------

    struct Stretch;
};

template <class T>
static void collect_trouble(const Workspace<T>& space, Outcome& outcome) {
    const Trouble& trouble = space.trouble;
    if (trouble.row < 0) return;
    if (outcome.trouble.row >= 0 && outcome.trouble.row <= trouble.row) return;
    outcome.trouble = trouble;
    outcome.trouble_source = space.trouble_source;
    outcome.stopped = Stopped::trouble;
}

template <class T>
Machine<T>::Machine(ProgramData data) : impl_(std::make_unique<Impl>(std::move(data))) {}

template <class T>
Machine<T>::~Machine() = default;

template <class T>
const ProgramData& Machine<T>::data() const {
    return impl_->data;
}

template <class T>
Outcome Machine<T>::forward(const T* theta, const Rows& rows, T* out, int threads, const std::function<bool()>& poll) const {
    const Impl& m = *impl_;
    const std::int64_t ld = m.ld_for(rows.count), blocks = (rows.count + ld - 1) / ld;
    Buffer<T> all(m.total_size);
    m.set_parameters(theta, all.get());
    Team team(m.worthwhile(threads, static_cast<double>(rows.count) / 3, blocks));
    typename Impl::Loan spaces(m, team.size(), rows);
    std::atomic<std::int64_t> next{0};
    std::atomic<bool> stop{false};
    Clock clock(poll);
    auto body = [&](int thread) {
        [[maybe_unused]] const FlushDenormals flushed;
        Workspace<T>& space = spaces[thread];
        Block<T> block = m.block_of(space, ld, all.get());
        for (std::int64_t b; (b = next.fetch_add(1, std::memory_order_relaxed)) < blocks;) {
            const std::int64_t first = b * ld;
            block.rows = std::min(ld, rows.count - first);
            for (std::int64_t r = 0; r < block.rows; ++r) space.index.get()[r] = first + r;
            m.load(rows, space.index.get(), space, block);
            m.run(m.forward, block);
            m.kernels.scatter(block.rows_base + m.data.output_at * ld, ld, m.data.output_width, block.rows,
                              out + first * m.data.output_width);
            if (thread == 0 && clock.interrupted()) stop.store(true, std::memory_order_relaxed);
            if (stop.load(std::memory_order_relaxed) || space.trouble.row >= 0) break;
        }
    };
    team.run(body);
    Outcome outcome;
    if (stop) outcome.stopped = Stopped::interrupted;
    for (int i = 0; i < team.size(); ++i) collect_trouble(spaces[i], outcome);
    return outcome;
}

// The rows are cut into groups by shapes alone; each group has its own sums, which are added in order at the end.
template <class T>
Sums Machine<T>::sums(const T* theta, const Rows& rows, double* gradient, int threads,
                      const std::function<bool()>& poll) const {
    const Impl& m = *impl_;
    // so few rows in a block that threads have several to take
    const std::int64_t some = std::min(rows.count, std::max<std::int64_t>(64, rows.count / 16));
    const std::int64_t ld = m.ld_for(some), blocks = (rows.count + ld - 1) / ld, size = m.gradient_size;
    const std::int64_t room = (std::int64_t{32} << 20) / (8 * std::max<std::int64_t>(size, 1));
    std::int64_t groups = 1;
    while (groups < 16 && groups * 2 <= std::max<std::int64_t>(room, 4) && groups * 2 <= blocks) groups *= 2;
    const std::int64_t flush = std::max<std::int64_t>(1, 2048 / ld);  // blocks summed in the program's precision

    Team team(m.crowded_now() ? 1 : m.worthwhile(threads, static_cast<double>(rows.count), groups));
    typename Impl::Loan spaces(m, team.size(), rows);
    const std::int64_t stride = round_to(size, 8), short_stride = round_to(size, line / static_cast<std::int64_t>(sizeof(T)));
    typename Impl::SumLoan loan(m);
    Buffer<T>&all = loan->parameters, &partial = loan->partial;
    Buffer<double>& totals = loan->totals;
    all.resize(m.total_size);
    partial.resize(team.size() * short_stride);
    totals.resize(groups * stride);
    m.set_parameters(theta, all.get());
    const int fetched = m.fetched_input(rows);
    std::vector<double> losses(static_cast<std::size_t>(groups)), weights(static_cast<std::size_t>(groups));
    std::atomic<std::int64_t> next{0};
    std::atomic<bool> stop{false};
    Clock clock(poll);
    auto body = [&](int thread) {
        [[maybe_unused]] const FlushDenormals flushed;
        Workspace<T>& space = spaces[thread];
        Block<T> block = m.block_of(space, ld, all.get());
        block.gradients = partial.get() + thread * short_stride;
        for (std::int64_t g; (g = next.fetch_add(1, std::memory_order_relaxed)) < groups;) {
            const std::int64_t begin = g * blocks / groups, end = (g + 1) * blocks / groups;
            const auto slot = static_cast<std::size_t>(g);
            std::fill_n(totals.get() + g * stride, size, 0.0);
            for (std::int64_t b = begin; b < end; ++b) {
                const std::int64_t first = b * ld;
                block.rows = std::min(ld, rows.count - first);
                block.first = (b - begin) % flush == 0;
                const std::int64_t following = b + 1 < end ? std::min(ld, rows.count - first - ld) : 0;
                for (std::int64_t r = 0; r < following; ++r) space.next_index.get()[r] = first + ld + r;
                m.look_ahead(rows, fetched, following, space, block);
                for (std::int64_t r = 0; r < block.rows; ++r) space.index.get()[r] = first + r;
                m.load(rows, space.index.get(), space, block);
                m.run(m.forward, block);
                m.add_losses(block, &losses[slot], &weights[slot]);
                m.run(m.backward, block);
                if (b + 1 == end || (b + 1 - begin) % flush == 0) {
                    m.kernels.add_to(block.gradients, size, totals.get() + g * stride);
                }
                if (thread == 0 && clock.interrupted()) stop.store(true, std::memory_order_relaxed);
                if (stop.load(std::memory_order_relaxed) || space.trouble.row >= 0) return;
            }
        }
    };
    const Waiting waiting = team.run(body);
    if (team.size() > 1) m.learn(2 * waiting.waited > waiting.whole, waiting.end);
    Sums sums;
    if (stop) sums.outcome.stopped = Stopped::interrupted;
    for (int i = 0; i < team.size(); ++i) collect_trouble(spaces[i], sums.outcome);
    if (sums.outcome.stopped != Stopped::no) return sums;
    for (std::int64_t g = 0; g < groups; ++g) {
        sums.loss += losses[static_cast<std::size_t>(g)];
        sums.weight += weights[static_cast<std::size_t>(g)];
        if (g == 0) continue;
        for (std::int64_t i = 0; i < size; ++i) totals.get()[i] += totals.get()[g * stride + i];
    }
    std::copy_n(totals.get(), m.data.theta_size, gradient);
    if (m.data.derived_size > 0) {
        Buffer<T> passed(m.gradient_size);
        for (std::int64_t i = m.data.theta_size; i < size; ++i) passed.get()[i] = static_cast<T>(totals.get()[i]);
        m.derive_back(all.get(), passed.get());
        for (std::int64_t i = 0; i < m.data.theta_size; ++i) gradient[i] += static_cast<double>(passed.get()[i]);
    }
    return sums;
}

}  // namespace chainrule

#include "training.hpp"

namespace chainrule {
template class Machine<float>;
template class Machine<double>;
}  // namespace chainrule
