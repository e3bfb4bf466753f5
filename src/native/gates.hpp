// An activation with what stands around it, in one pass: y = factor mask (z + a (f(z) - z)).
//
// a, one number a unit, may be absent: then y = factor mask f(z); so may the mask. The gradient of z may lie where
// that of y does.
#pragma once

#include "steps.hpp"

namespace chainrule::CHAINRULE_ISA {

// What gates are there for: activations without options.
#define CHAINRULE_GATES(X) X(sigmoid) X(tanh) X(relu) X(selu) X(gelu) X(gelu_tanh) X(silu) X(softplus) X(mish)

template <class T, Unary Code, bool Learnt>
CHAINRULE_INLINE void gate_values(const Step& step, const Block<T>& block) {
    const Operand &a = step.operand[1], &mask = step.operand[2];
    const T factor = static_cast<T>(step.alpha);
    for (ptrdiff_t u = 0; u < step.width; ++u) {
        const T share = Learnt ? block.parameters[a.at + u] : T(1);
        const T* z = unit(block, step.operand[0].at + u);
        const T* kept = mask.space == Space::none ? nullptr : unit(block, mask.at + u);
        T* y = unit(block, step.y + u);
        for (ptrdiff_t r = 0; r < padded(block); r += lanes<T>) {
            const Vec<T> x = load(z + r);
            Vec<T> value = value_of<Code, T>(x, 0.0);
            if constexpr (Learnt) value = x + share * (value - x);
            store(y + r, value * (kept == nullptr ? broadcast<T>(factor) : factor * load(kept + r)));
        }
    }
}

template <class T, Unary Code>
void gate_forward(const Step& step, const Block<T>& block) {
    if (step.operand[1].space == Space::none) return gate_values<T, Code, false>(step, block);
    gate_values<T, Code, true>(step, block);
}

template <class T, Unary Code, bool Learnt>
CHAINRULE_INLINE void gate_slopes(const Step& step, const Block<T>& block) {
    const Operand &to = step.operand[0], &a = step.operand[1], &mask = step.operand[2];
    const T factor = static_cast<T>(step.alpha);
    const bool add = adds(to, block);
    for (ptrdiff_t u = 0; u < step.width; ++u) {
        const T share = Learnt ? block.parameters[a.at + u] : T(1);
        const T *z = unit(block, to.at + u), *dy = unit(block, step.dy + u);
        const T* kept = mask.space == Space::none ? nullptr : unit(block, mask.at + u);
        T* dz = to.mode == Mode::none ? nullptr : unit(block, to.gradient + u);
        Vec<T> sum{};
        const auto back = [&](ptrdiff_t r, auto counted) __attribute__((always_inline)) {
            const Vec<T> x = load(z + r), value = value_of<Code, T>(x, 0.0);
            const Vec<T> d = load(dy + r) * (kept == nullptr ? broadcast<T>(factor) : factor * load(kept + r));
            Vec<T> dx = back_of<Code, T>(share * d, x, value, 0.0);
            if constexpr (Learnt) {
                dx += (T(1) - share) * d;
                sum += counted(d * (value - x));
            }
            if (dz != nullptr) put(dz + r, dx, add);
        };
        ptrdiff_t r = 0;
        for (; r + lanes<T> <= block.rows; r += lanes<T>) back(r, [](Vec<T> v) __attribute__((always_inline)) { return v; });
        if (r < block.rows) {
            const Mask<T> inside = first_lanes<T>(block.rows - r);
            back(r, [&](Vec<T> v) __attribute__((always_inline)) { return select<T>(inside, v, Vec<T>{}); });
        }
        if constexpr (Learnt) {
            if (a.mode == Mode::none) continue;
            T* da = block.gradients + a.at + u;
            const T total = horizontal_sum<T>(sum);
            *da = adds(a, block) ? *da + total : total;
        }
    }
}

template <class T, Unary Code>
void gate_backward(const Step& step, const Block<T>& block) {
    if (step.operand[1].space == Space::none) return gate_slopes<T, Code, false>(step, block);
    gate_slopes<T, Code, true>(step, block);
}

}  // namespace chainrule::CHAINRULE_ISA
