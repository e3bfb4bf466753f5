// Steps that move, join and sum units, look up table rows, draw masks, and compare with the target.
#pragma once

#include "random.hpp"
#include "steps.hpp"

namespace chainrule::CHAINRULE_ISA {

// y[map[u]] = a[u]: concatenation, one operand a step.
template <class T>
void copy_forward(const Step& step, const Block<T>& block) {
    const Operand& a = step.operand[0];
    for (ptrdiff_t u = 0; u < a.width; ++u) {
        const T* x = unit(block, a.at + u);
        T* y = unit(block, step.y + (a.map == nullptr ? u : a.map[u]));
        for (ptrdiff_t r = 0; r < padded(block); r += lanes<T>) store(y + r, load(x + r));
    }
}

// da[u] (+)= alpha dy[map[u]], the way back of both copy and reduce.
template <class T>
void spread_backward(const Step& step, const Block<T>& block) {
    const Operand& a = step.operand[0];
    const T alpha = static_cast<T>(step.alpha);
    const bool add = adds(a, block);
    for (ptrdiff_t u = 0; u < a.width; ++u) {
        T* dx = unit(block, a.gradient + u);
        const T* dy = unit(block, step.dy + (a.map == nullptr ? u : a.map[u]));
        for (ptrdiff_t r = 0; r < padded(block); r += lanes<T>) put(dx + r, alpha * load(dy + r), add);
    }
}

// y[map[u]] = alpha times the sum of a[u].
template <class T>
void reduce_forward(const Step& step, const Block<T>& block) {
    const Operand& a = step.operand[0];
    T* y = unit(block, step.y);
    each_vector(block, step.width, [&](ptrdiff_t i) __attribute__((always_inline)) { store(y + i, Vec<T>{}); });
    for (ptrdiff_t u = 0; u < a.width; ++u) {
        const T* x = unit(block, a.at + u);
        T* to = y + (a.map == nullptr ? u : a.map[u]) * block.ld;
        for (ptrdiff_t r = 0; r < padded(block); r += lanes<T>) store(to + r, load(to + r) + load(x + r));
    }
    const T alpha = static_cast<T>(step.alpha);
    each_vector(block, step.width, [&](ptrdiff_t i) __attribute__((always_inline)) { store(y + i, alpha * load(y + i)); });
}

// y = table[index]: `group` numbers for each unit of the index.
template <class T>
void take_forward(const Step& step, const Block<T>& block) {
    const T* table = block.parameters + step.operand[0].at;
    for (ptrdiff_t u = 0; u < step.width; ++u) {
        const std::int32_t* index = labels_of(block, step.operand[1].at + u / step.group);
        T* y = unit(block, step.y + u);
        for (ptrdiff_t r = 0; r < block.rows; ++r) y[r] = table[index[r] * step.group + u % step.group];
    }
}

template <class T>
void take_backward(const Step& step, const Block<T>& block) {
    T* gradient = block.gradients + step.operand[0].at;
    for (ptrdiff_t u = 0; u < step.width; ++u) {
        const std::int32_t* index = labels_of(block, step.operand[1].at + u / step.group);
        const T* dy = unit(block, step.dy + u);
        for (ptrdiff_t r = 0; r < block.rows; ++r) gradient[index[r] * step.group + u % step.group] += dy[r];
    }
}

template <class T>
void mask_forward(const Step& step, const Block<T>& block) {
    if (block.draw.drop) {
        draw_mask<T>(block.draw, static_cast<std::uint64_t>(step.group), step.alpha * block.draw.level, step.width, block.rows, block.ld,
                     unit(block, step.y));
    } else {
        T* y = unit(block, step.y);
        each_vector(block, step.width, [&](ptrdiff_t i) __attribute__((always_inline)) { store(y + i, broadcast<T>(1)); });
    }
}

template <class T>
void zero_backward(const Step& step, const Block<T>& block) {
    const bool shared = step.operand[0].space == Space::parameters;
    if (shared && !block.first) return;
    T* p = shared ? block.gradients + step.operand[0].at : unit(block, step.operand[0].at);
    const ptrdiff_t count = shared ? step.width : step.width * block.ld;
    for (ptrdiff_t i = 0; i < count; ++i) p[i] = T(0);
}

// ---- losses: one number a row ---------------------------------------------------------------------------

template <class T, Loss Code>
void loss_forward(const Step& step, const Block<T>& block) {
    const Operand& a = step.operand[0];
    const bool back = step.fused && block.gradients != nullptr && a.mode != Mode::none;
    const ptrdiff_t ld = block.ld;
    for (ptrdiff_t r = 0; r < padded(block); r += lanes<T>) {
        const T *s = unit(block, a.at) + r, *t = unit(block, step.operand[1].at) + r;
        const Vec<T> dy = back ? load(unit(block, step.dy) + r) : Vec<T>{};
        T* ds = back ? unit(block, a.gradient) + r : nullptr;
        Vec<T> sum{};
        for (ptrdiff_t u = 0; u < a.width; ++u) {
            const Vec<T> score = load(s + u * ld), target = load(t + u * ld);  // both formulas share what they can
            sum += value_of<Code, T>(score, target, step.alpha);
            if (back) store(ds + u * ld, dy * slope_of<Code, T>(score, target, step.alpha));
        }
        store(unit(block, step.y) + r, sum);
    }
}

template <class T, Loss Code>
void loss_backward(const Step& step, const Block<T>& block) {
    const Operand& a = step.operand[0];
    const ptrdiff_t ld = block.ld;
    for (ptrdiff_t r = 0; r < padded(block); r += lanes<T>) {
        const T *s = unit(block, a.at) + r, *t = unit(block, step.operand[1].at) + r;
        const Vec<T> dy = load(unit(block, step.dy) + r);
        T* ds = unit(block, a.gradient) + r;
        for (ptrdiff_t u = 0; u < a.width; ++u) {
            put(ds + u * ld, dy * slope_of<Code, T>(load(s + u * ld), load(t + u * ld), step.alpha), adds(a, block));
        }
    }
}

// Labels of a vector of rows, as wide as the numbers they are compared beside.
template <class T>
CHAINRULE_INLINE Mask<T> load_labels(const std::int32_t* p) {
    typedef typename VectorType<std::int32_t, lanes<T> * 4>::unaligned Source;
    return __builtin_convertvector(*reinterpret_cast<const Source*>(p), Mask<T>);
}

// The target of one unit: from a label, or from the row of probabilities, mixed with the uniform distribution.
template <class T>
struct ClassTarget {
    Vec<T> keep, uniform;  // t = keep * given + uniform
    const T* given;
    ptrdiff_t ld;
    Mask<T> label;
    Vec<T> total;

    CHAINRULE_INLINE ClassTarget(const Step& step, const Block<T>& block, ptrdiff_t r) : ld(block.ld), label{} {
        const Operand& target = step.operand[1];
        const T count = static_cast<T>(step.operand[0].width), smoothing = static_cast<T>(step.alpha);
        given = target.space == Space::labels ? nullptr : unit(block, target.at) + r;
        total = broadcast<T>(1);
        if (given == nullptr) {
            label = load_labels<T>(labels_of(block, target.at) + r);
        } else {
            total = Vec<T>{};
            for (ptrdiff_t u = 0; u < step.operand[0].width; ++u) total += load(given + u * ld);
        }
        keep = broadcast<T>(static_cast<T>(1.0 - step.alpha));
        uniform = total * (smoothing / count);
    }

    CHAINRULE_INLINE Vec<T> at(ptrdiff_t u) const {
        const Vec<T> t = given == nullptr
                             ? select<T>(label == static_cast<Integer<T>>(u), broadcast<T>(1), Vec<T>{})
                             : load(given + u * ld);
        return keep * t + uniform;
    }
};

template <class T>
void cross_entropy_forward(const Step& step, const Block<T>& block) {
    const Operand& a = step.operand[0];
    const bool back = step.fused && block.gradients != nullptr && a.mode != Mode::none;
    const ptrdiff_t ld = block.ld, count = a.width;
    for (ptrdiff_t r = 0; r < padded(block); r += lanes<T>) {
        const T* s = unit(block, a.at) + r;
        const Vec<T> top = largest<T>(s, count, ld);
        const ClassTarget<T> target(step, block, r);
        T* ds = back ? unit(block, a.gradient) + r : nullptr;
        Vec<T> sum{}, chosen{};
        for (ptrdiff_t u = 0; u < count; ++u) {
            const Vec<T> shifted = load(s + u * ld) - top, e = exp<T>(shifted), t = target.at(u);
            if (back) store(ds + u * ld, e);
            sum += e;
            chosen += t == T(0) ? Vec<T>{} : t * shifted;
        }
        store(unit(block, step.y) + r, target.total * log<T>(sum) - chosen);
        if (!back) continue;
        const Vec<T> dy = load(unit(block, step.dy) + r), share = target.total / sum;
        for (ptrdiff_t u = 0; u < count; ++u) store(ds + u * ld, dy * (load(ds + u * ld) * share - target.at(u)));
    }
}

template <class T>
void cross_entropy_backward(const Step& step, const Block<T>& block) {
    const Operand& a = step.operand[0];
    const ptrdiff_t ld = block.ld, count = a.width;
    for (ptrdiff_t r = 0; r < padded(block); r += lanes<T>) {
        const T* s = unit(block, a.at) + r;
        const Vec<T> top = largest<T>(s, count, ld), total = log_sum<T>(s, count, ld, top);
        const ClassTarget<T> target(step, block, r);
        const Vec<T> dy = load(unit(block, step.dy) + r);
        T* ds = unit(block, a.gradient) + r;
        for (ptrdiff_t u = 0; u < count; ++u) {
            const Vec<T> p = exp<T>((load(s + u * ld) - top) - total);
            put(ds + u * ld, dy * (p * target.total - target.at(u)), adds(a, block));
        }
    }
}

}  // namespace chainrule::CHAINRULE_ISA
