// One instruction set: compiled once for each, under the name CHAINRULE_ISA.
#include "bijection.hpp"
#include "gates.hpp"
#include "moves.hpp"
#include "rows.hpp"
#include "statics.hpp"
#include "updates.hpp"

namespace chainrule::CHAINRULE_ISA {
namespace {

#define CHAINRULE_BRANCH(name, Enum, function) \
    case Enum::name: return function<T, Enum::name>;

template <class T>
StepFunction<T> forward_of(Op op, int code) {
    switch (op) {
        case Op::dense:
            switch (static_cast<Unary>(code)) {
                case Unary::identity: return dense_step_forward<T, Unary::identity>;
                case Unary::sigmoid: return dense_step_forward<T, Unary::sigmoid>;
                case Unary::tanh: return dense_step_forward<T, Unary::tanh>;
                case Unary::relu: return dense_step_forward<T, Unary::relu>;
                default: return nullptr;
            }
        case Op::unary:
            switch (static_cast<Unary>(code)) {
#define CHAINRULE_CASE(name) CHAINRULE_BRANCH(name, Unary, unary_forward)
                CHAINRULE_UNARY(CHAINRULE_CASE)
#undef CHAINRULE_CASE
                default: return nullptr;
            }
        case Op::binary:
            switch (static_cast<Binary>(code)) {
#define CHAINRULE_CASE(name) CHAINRULE_BRANCH(name, Binary, binary_forward)
                CHAINRULE_BINARY(CHAINRULE_CASE)
#undef CHAINRULE_CASE
                default: return nullptr;
            }
        case Op::loss:
            switch (static_cast<Loss>(code)) {
#define CHAINRULE_CASE(name) CHAINRULE_BRANCH(name, Loss, loss_forward)
                CHAINRULE_LOSSES(CHAINRULE_CASE)
#undef CHAINRULE_CASE
                default: return nullptr;
            }
        case Op::gate:
            switch (static_cast<Unary>(code)) {
#define CHAINRULE_CASE(name) CHAINRULE_BRANCH(name, Unary, gate_forward)
                CHAINRULE_GATES(CHAINRULE_CASE)
#undef CHAINRULE_CASE
                default: return nullptr;
            }
        case Op::softmax: return softmax_forward<T>;
        case Op::log_softmax: return log_softmax_forward<T>;
        case Op::layer_norm: return layer_norm_forward<T>;
        case Op::copy: return copy_forward<T>;
        case Op::reduce: return reduce_forward<T>;
        case Op::take: return take_forward<T>;
        case Op::softmax_cross_entropy: return cross_entropy_forward<T>;
        case Op::mask: return mask_forward<T>;
        default: return nullptr;
    }
}

template <class T>
StepFunction<T> backward_of(Op op, int code) {
    switch (op) {
        case Op::dense:
            switch (static_cast<Unary>(code)) {
                case Unary::identity: return dense_step_backward<T, Unary::identity>;
                case Unary::sigmoid: return dense_step_backward<T, Unary::sigmoid>;
                case Unary::tanh: return dense_step_backward<T, Unary::tanh>;
                case Unary::relu: return dense_step_backward<T, Unary::relu>;
                default: return nullptr;
            }
        case Op::unary:
            switch (static_cast<Unary>(code)) {
#define CHAINRULE_CASE(name) CHAINRULE_BRANCH(name, Unary, unary_backward)
                CHAINRULE_UNARY(CHAINRULE_CASE)
#undef CHAINRULE_CASE
                default: return nullptr;
            }
        case Op::binary:
            switch (static_cast<Binary>(code)) {
#define CHAINRULE_CASE(name) CHAINRULE_BRANCH(name, Binary, binary_backward)
                CHAINRULE_BINARY(CHAINRULE_CASE)
#undef CHAINRULE_CASE
                default: return nullptr;
            }
        case Op::loss:
            switch (static_cast<Loss>(code)) {
#define CHAINRULE_CASE(name) CHAINRULE_BRANCH(name, Loss, loss_backward)
                CHAINRULE_LOSSES(CHAINRULE_CASE)
#undef CHAINRULE_CASE
                default: return nullptr;
            }
        case Op::gate:
            switch (static_cast<Unary>(code)) {
#define CHAINRULE_CASE(name) CHAINRULE_BRANCH(name, Unary, gate_backward)
                CHAINRULE_GATES(CHAINRULE_CASE)
#undef CHAINRULE_CASE
                default: return nullptr;
            }
        case Op::softmax: return softmax_backward<T>;
        case Op::log_softmax: return log_softmax_backward<T>;
        case Op::layer_norm: return layer_norm_backward<T>;
        case Op::copy: return spread_backward<T>;
        case Op::reduce: return spread_backward<T>;
        case Op::take: return take_backward<T>;
        case Op::softmax_cross_entropy: return cross_entropy_backward<T>;
        case Op::zero: return zero_backward<T>;
        default: return nullptr;
    }
}

template <class T>
void run_static(const Step& step, T* values, T* gradients) {
    switch (step.op) {
        case Op::unary:
            switch (static_cast<Unary>(step.code)) {
#define CHAINRULE_CASE(name) \
    case Unary::name: return unary_static<T, Unary::name>(step, values, gradients);
                CHAINRULE_UNARY(CHAINRULE_CASE)
#undef CHAINRULE_CASE
                default: return;
            }
        case Op::binary:
            switch (static_cast<Binary>(step.code)) {
#define CHAINRULE_CASE(name) \
    case Binary::name: return binary_static<T, Binary::name>(step, values, gradients);
                CHAINRULE_BINARY(CHAINRULE_CASE)
#undef CHAINRULE_CASE
                default: return;
            }
        case Op::copy:
        case Op::reduce: return move_static<T>(step, values, gradients);
        case Op::matmul: return matmul_static<T>(step, values, gradients);
        default: return;
    }
}

template <class T>
constexpr Kernels<T> table() {
    return {forward_of<T>, backward_of<T>, run_static<T>, gather_source<T>, scatter_rows<T>,
            loss_sums<T>,  add_to<T>,      combine<T>,    update<T>};
}

}  // namespace

#define CHAINRULE_TEXT_OF(x) #x
#define CHAINRULE_TEXT(x) CHAINRULE_TEXT_OF(x)
extern const InstructionSet instruction_set;
const InstructionSet instruction_set = {CHAINRULE_TEXT(CHAINRULE_ISA), table<float>(), table<double>(), positions};

}  // namespace chainrule::CHAINRULE_ISA
