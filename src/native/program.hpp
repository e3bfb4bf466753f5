// The flat program as plain data: what steps.hpp executes on one block of rows.
//
// Plain structures only: these headers are read by every translation unit, and inline functions compiled
// for one instruction set must not reach a machine that lacks it (see simd.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

namespace chainrule {

using std::ptrdiff_t;

#define CHAINRULE_OPS(X) \
    X(dense) X(unary) X(binary) X(softmax) X(log_softmax) X(layer_norm) X(copy) X(reduce) X(take) X(loss) \
    X(softmax_cross_entropy) X(mask) X(zero) X(matmul) X(gate)

#define CHAINRULE_UNARY(X) \
    X(identity) X(sigmoid) X(tanh) X(relu) X(negate) X(scale) X(power) X(exp) X(log) X(sqrt) X(square) X(absolute) \
    X(sin) X(cos) X(leaky_relu) X(elu) X(selu) X(gelu) X(gelu_tanh) X(silu) X(softplus) X(mish)

#define CHAINRULE_BINARY(X) X(add) X(subtract) X(multiply) X(divide) X(maximum)

#define CHAINRULE_LOSSES(X) \
    X(squared_error) X(absolute_error) X(huber) X(quantile) X(poisson) X(binary_cross_entropy_with_logits)

#define CHAINRULE_RULES(X) X(sgd) X(momentum) X(nesterov) X(rmsprop) X(adam)

#define CHAINRULE_ENUMERATOR(name) name,
enum class Op : std::int32_t { CHAINRULE_OPS(CHAINRULE_ENUMERATOR) count };
enum class Unary : std::int32_t { CHAINRULE_UNARY(CHAINRULE_ENUMERATOR) count };
enum class Binary : std::int32_t { CHAINRULE_BINARY(CHAINRULE_ENUMERATOR) count };
enum class Loss : std::int32_t { CHAINRULE_LOSSES(CHAINRULE_ENUMERATOR) count };
enum class Rule : std::int32_t { CHAINRULE_RULES(CHAINRULE_ENUMERATOR) count };
#undef CHAINRULE_ENUMERATOR

// Where an operand lives. `rows`: a unit-major block, value of unit u and row r at [(at + u) * ld + r].
// `labels`: the same, of int32. `parameters`: numbers that do not depend on rows, at [at + u].
enum class Space : std::int32_t { none, rows, labels, parameters };

// What a backward step does with an operand's gradient. `write` into the gradient of a parameter means:
// write in the first block of a segment, add in the others.
enum class Mode : std::int32_t { none, write, add };

struct Operand {
    Space space = Space::none;
    Mode mode = Mode::none;
    std::int64_t at = 0;
    std::int64_t width = 0;      // units, or numbers
    std::int64_t gradient = -1;  // rows: place of the gradient's block; parameters: same place as `at`
    std::int64_t nonzero = -1;   // rows of an input: place of the record of what is not zero
    const std::int32_t* map = nullptr;  // unit of y -> unit of the operand; copy, reduce: the other way round
    std::int32_t map_index = -1;        // which of the program's maps that is
};

struct Step {
    Op op = Op::zero;
    std::int32_t code = 0;  // Unary, Binary or Loss; dense: the Unary that follows the product; gate: its activation
    bool fused = false;     // a loss that writes its gradient while going forward, its dy being the row weights
    std::int64_t y = 0, dy = -1;
    std::int64_t width = 0;    // units of y
    std::int64_t group = 1;    // softmax, layer_norm: units of one group; take: numbers of one table row; mask: stream
    std::int64_t scratch = 0;  // layer_norm: place of 2 units a group; mask: none
    double alpha = 0.0;        // the operation's one number
    Operand operand[3];
};

struct MaskDraw {
    bool drop = false;
    std::uint64_t seed = 0, step = 0;
    std::int64_t first_row = 0;  // of this block in its mini-batch
    double level = 1.0;          // factor of the rate
};

// Rows of the data that the next block will gather: fetched into the cache between multiplications.
struct Ahead {
    const unsigned char* const* rows = nullptr;
    ptrdiff_t count = 0;
    ptrdiff_t bytes = 0;  // of a row
};

// Which values of an input's block are not zero, as bits.
struct Nonzero {
    std::uint64_t* features;  // of each vector of rows, those not zero in at least one
    ptrdiff_t feature_words;  // for a vector of rows
    std::uint64_t* rows;      // of each group of features, the rows in which at least one is not zero
    ptrdiff_t row_words;      // for a group
};

// Of inputs of so many units or more; then 1 + ld / 16 words a unit are room enough for vectors of two rows or more.
inline constexpr std::int64_t least_nonzero = 16;

// One block of rows under way. All pointers belong to one thread (or to one range of rows).
template <class T>
struct Block {
    T* rows_base;  // unit-major arena
    std::int32_t* labels_base;
    std::uint64_t* nonzero_base;  // what is known of inputs' zeros
    ptrdiff_t nonzero_stride;     // words for each unit
    ptrdiff_t ld;        // distance of units in both unit-major arenas
    ptrdiff_t rows;
    const T* parameters;
    T* gradients;     // null: forward only
    bool first;       // of its segment
    MaskDraw draw;
    Ahead* ahead;     // or null
};

template <class T>
using StepFunction = void (*)(const Step&, const Block<T>&);

// ---- rows of the data -----------------------------------------------------------------------------------

enum class Type : std::int32_t { uint8, int32, int64, float32, float64, count };

// Rows in memory: strided, or CSR where `indptr` is given (`data` then holds the values).
struct Source {
    const unsigned char* data = nullptr;
    Type type = Type::float64;
    std::int64_t rows = 0, width = 0;
    std::int64_t row_stride = 0, column_stride = 0;  // bytes
    const unsigned char* indptr = nullptr;           // int32 or int64
    const unsigned char* indices = nullptr;
    Type index_type = Type::int32;
    std::int64_t stored = 0;  // CSR: values held
};

struct Trouble {
    std::int64_t row = -1;  // first row of the data with something wrong
    int what = 0;           // 1: not finite, 2: out of range, 3: malformed CSR
    double value = 0;
};

// Where and how a source goes into a block.
struct Destination {
    Space space = Space::rows;
    std::int64_t at = 0, width = 0, nonzero = -1;
    double scale = 1.0;
    double low = 0, high = 0;  // the range of values allowed, where low < high
    bool check_finite = false;
};

// ---- updates --------------------------------------------------------------------------------------------

// A stretch of parameters that share their factors.
struct Span {
    std::int64_t begin, end;
    double l1, l2, rate, decay;
};

struct Spans {
    const Span* first;
    std::int64_t count;
    std::int64_t padded_end = -1;  // behind this number lie zeros to the end of a vector; -1: there is no such number
};

struct UpdateOptions {
    Rule rule;
    double learning_rate;  // of this step, bias correction included
    double momentum, rho, beta_1, beta_2, epsilon, weight_decay;
    double raw_rate;   // without bias correction: what decoupled decay is multiplied by
    double clip_scale;  // 1 where nothing is clipped
};

// ---- what one instruction set offers --------------------------------------------------------------------

template <class T>
struct Kernels {
    StepFunction<T> (*forward)(Op, int code);
    StepFunction<T> (*backward)(Op, int code);
    void (*run_static)(const Step&, T* values, T* gradients);  // backward where there are gradients
    void (*gather)(const Source&, const Destination&, const std::int64_t* index, ptrdiff_t count, const Block<T>&,
                   Trouble&, unsigned char* scratch);
    void (*scatter)(const T* block, ptrdiff_t ld, ptrdiff_t width, ptrdiff_t rows, T* out);  // to row-major
    void (*loss_sums)(const T* loss, const T* weight, ptrdiff_t rows, double* loss_sum, double* weight_sum);
    void (*add_to)(const T* values, ptrdiff_t count, double* totals);
    // gradient[i] = sum over segments / weight + slope of the penalty; returns its squared norm, adds the penalty.
    double (*combine)(const T* const* parts, ptrdiff_t n_parts, double inverse_weight, double penalty_scale,
                      const T* theta, const Spans& spans, ptrdiff_t begin, ptrdiff_t end, T* gradient, double* penalty);
    void (*update)(const UpdateOptions&, const Spans& spans, ptrdiff_t begin, ptrdiff_t end, const T* gradient, T* theta,
                   T* slot_1, T* slot_2);
};

// Positions of a shuffled epoch to row numbers: see bijection.hpp.
struct Bijection {
    std::uint64_t n, a, b;  // domain a * b >= n
    std::uint64_t key[16];
};

struct InstructionSet {
    const char* name;
    Kernels<float> single;
    Kernels<double> full;
    void (*positions)(const Bijection&, std::int64_t first, ptrdiff_t count, std::int64_t offset, std::int64_t* out);
};

template <class T>
const Kernels<T>& kernels_of(const InstructionSet& set);
template <>
inline const Kernels<float>& kernels_of<float>(const InstructionSet& set) {
    return set.single;
}
template <>
inline const Kernels<double>& kernels_of<double>(const InstructionSet& set) {
    return set.full;
}

}  // namespace chainrule
