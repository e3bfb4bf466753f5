// Running a program: whole sums over rows, outputs, and stretches of mini-batches.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "program.hpp"

namespace chainrule {

// The instruction sets of this build that this machine has, best first; CHAINRULE_ISA picks one by name.
const std::vector<const InstructionSet*>& instruction_sets();
const InstructionSet& chosen_instruction_set();

// A program as it comes from Python, every number still unchecked.
struct ProgramData {
    bool single = false;
    std::int64_t theta_size = 0, derived_size = 0;
    std::vector<double> constants;  // behind theta and what is derived from it
    std::int64_t row_units = 0, label_units = 0, nonzero_units = 0;
    std::int64_t block_rows = 0;
    std::vector<std::vector<std::int32_t>> maps;
    std::vector<Step> prologue, forward, backward;  // of prologue the way back is the reverse
    std::vector<Destination> inputs;                // the last one the target where there is one
    bool has_target = false;
    std::int64_t weight_at = -1, output_at = 0, output_width = 0;
    double flops_per_row = 0;  // forward and backward; decides into how many segments a batch is cut
};

// Refuses, by std::invalid_argument, every offset, width or code that would leave its buffer.
void check_program(const ProgramData& data);

struct Rows {
    std::vector<Source> inputs;  // as many as the program has
    Source weight;               // data null: all ones
    std::int64_t count = 0;
    bool check_finite = false;
};

enum class OrderKind { sequential, given, shuffled };

struct Order {
    OrderKind kind = OrderKind::sequential;
    const std::int64_t* given = nullptr;
    std::int64_t length = 0;  // rows of an epoch
    std::uint64_t seed = 0;
    std::int64_t window = 0;  // 0: none
    std::int64_t first_epoch = 0, epoch_stride = 0;  // of a given order: where each epoch's begins; 0: the same
};

struct Training {
    Rows rows;
    Order order;
    std::int64_t ordered_epochs = 1;  // a given order has so many
    Rule rule = Rule::sgd;
    double momentum = 0, rho = 0, beta_1 = 0, beta_2 = 0, epsilon = 0, weight_decay = 0;
    std::vector<Span> spans;
    std::int64_t batch_size = 1, first_batch = 0, n_batches = 0, first_step = 0, first_step_of_rule = 0;
    bool drop_last = false, penalty_by_weight = false;
    double clip_norm = 0;  // 0: none
    const double* rates = nullptr;
    bool one_rate = false;
    std::vector<double> decay, dropout;  // factors of the decay and of every mask's rate, one a batch; empty: 1
    bool drop = false;
    std::uint64_t dropout_seed = 0;
    int threads = 1;
    const volatile std::uint8_t* stop = nullptr;
    std::function<bool()> poll;  // true: stop; called every few milliseconds by the calling thread
    double *losses = nullptr, *weights = nullptr, *penalties = nullptr, *norms = nullptr;
    void* after_epochs = nullptr;  // theta at the end of each epoch that ends here, one a row, in the precision of theta
};

enum class Stopped { no, interrupted, loss, gradient, trouble };

struct Outcome {
    std::int64_t done = 0;
    Stopped stopped = Stopped::no;
    std::int64_t bad_parameter = -1;  // index into theta
    Trouble trouble;
    int trouble_source = 0;  // which input
};

struct Sums {
    double loss = 0, weight = 0;
    Outcome outcome;
};

// A checked program for one precision. May be used by several threads at once.
template <class T>
class Machine {
public:
    explicit Machine(ProgramData data);
    ~Machine();
    const ProgramData& data() const;
    Outcome forward(const T* theta, const Rows& rows, T* out, int threads, const std::function<bool()>& poll) const;
    Sums sums(const T* theta, const Rows& rows, double* gradient, int threads, const std::function<bool()>& poll) const;
    Outcome run_batches(T* theta, T* slot_1, T* slot_2, const Training& training) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

std::int64_t batches_per_epoch(std::int64_t rows, std::int64_t batch_size, bool drop_last);

// Row numbers at positions [first, first + count) of one epoch, some of them computed ahead.
class EpochOrder {
public:
    explicit EpochOrder(const Order& order) : order_(order) {}
    void fill(std::int64_t epoch, std::int64_t first, std::int64_t count, std::int64_t* out);
    void fill_now(std::int64_t epoch, std::int64_t first, std::int64_t count, std::int64_t* out);

private:
    void start_epoch(std::int64_t epoch);
    void fill_windows(std::int64_t first, std::int64_t count, std::int64_t* out);

    Order order_;
    std::int64_t epoch_ = -1;
    Bijection whole_{};
    Bijection inside_{};
    std::int64_t inside_window_ = -1, short_slot_ = -1;

    static constexpr std::int64_t ahead = 256;
    std::int64_t ahead_[ahead];
    std::int64_t ahead_epoch_ = -1, ahead_first_ = 0, ahead_count_ = 0;
};

}  // namespace chainrule
